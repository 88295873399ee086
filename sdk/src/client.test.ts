/// <reference types="node" />
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, test, vi } from 'vitest'
import { type ClientOptions, createClient, eachItem, PatchbayApiError } from './index.ts'

interface Seen {
  method: string
  url: string
  headers: IncomingMessage['headers']
  body: unknown
}
type Answer = (request: Seen, response: ServerResponse) => void

const servers: Server[] = []

afterEach(async () => {
  vi.useRealTimers()
  for (const server of servers.splice(0)) {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
})

/** A gateway that gives the answers in turn, the last one for ever. */
async function gateway(...answers: Answer[]) {
  const seen: Seen[] = []
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const text = Buffer.concat(chunks).toString()
    const one = {
      method: request.method ?? '',
      url: request.url ?? '',
      headers: request.headers,
      body: text ? JSON.parse(text) : undefined,
    }
    seen.push(one)
    answers[Math.min(seen.length, answers.length) - 1]?.(one, response)
  })
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const client = (options: Partial<ClientOptions> = {}) => createClient({ baseUrl, apiKey: 'key-1', ...options })
  return { seen, baseUrl, client }
}

const json =
  (body: unknown, status = 200, headers: Record<string, string> = {}): Answer =>
  (_request, response) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers })
    response.end(body === undefined ? '' : JSON.stringify(body))
  }
const refusal = (code: string, status: number, extra: object = {}, headers: Record<string, string> = {}) =>
  json({ error: { code, message: `It said ${code}.`, retryable: false, ...extra } }, status, headers)
const empty = { items: [], next_cursor: null }

const connection = { id: 'c1', status: 'active', status_reason: null, updated_at: '2026-01-01T00:00:00.000Z' }

test('every call goes to its route with its method, query and body', async () => {
  const { client, seen } = await gateway(json(empty))
  const api = client()

  const calls: [() => Promise<unknown>, string, unknown?][] = [
    [() => api.health(), 'GET /health'],
    [() => api.connectors.list(), 'GET /connectors'],
    [() => api.connectors.get('gmail'), 'GET /connectors/gmail'],
    [() => api.integrations.list(), 'GET /api/integrations'],
    [() => api.integrations.connected({ user_id: 'ann' }), 'GET /api/integrations/connected?user_id=ann'],
    [
      () => api.connect({ user_id: 'ann', provider: 'gmail', tools: ['*'] }),
      'POST /api/integrations/connect',
      { user_id: 'ann', provider: 'gmail', tools: ['*'] },
    ],
    [
      () => api.disconnect({ user_id: 'ann', provider: 'gmail' }),
      'POST /api/integrations/disconnect',
      { user_id: 'ann', provider: 'gmail' },
    ],
    [() => api.connections.list({ user_id: 'ann@x y' }), 'GET /api/connections?user_id=ann%40x+y'],
    [() => api.connections.get('c1', { user_id: 'ann' }), 'GET /api/connections/c1?user_id=ann'],
    [
      () => api.connections.update('c1', { user_id: 'ann', label: 'Work' }),
      'PATCH /api/connections/c1?user_id=ann',
      { label: 'Work' },
    ],
    [() => api.connections.refresh('c1', { user_id: 'ann' }), 'POST /api/connections/c1/refresh?user_id=ann'],
    [() => api.connections.disconnect('c1', { user_id: 'ann' }), 'DELETE /api/connections/c1?user_id=ann'],
    [() => api.tools.list({ user_id: 'ann', all: true }), 'GET /api/tools?user_id=ann&all=true'],
    [
      () => api.tools.execute({ user_id: 'ann', action: 'A_B', params: { x: 1 } }),
      'POST /api/tools/execute',
      { user_id: 'ann', action: 'A_B', params: { x: 1 } },
    ],
    [
      () => api.tools.executeBatch({ user_id: 'ann', calls: [{ action: 'A_B' }] }),
      'POST /api/tools/execute-batch',
      { user_id: 'ann', calls: [{ action: 'A_B' }] },
    ],
    [() => api.instances.list({ user_id: 'ann' }), 'GET /api/instances?user_id=ann'],
    [() => api.instances.get('i1', { user_id: 'ann' }), 'GET /api/instances/i1?user_id=ann'],
    [() => api.instances.create({ user_id: 'ann' }), 'POST /api/instances', { user_id: 'ann' }],
    [
      () => api.instances.update('i1', { user_id: 'ann', policy: { effects: ['read'] } }),
      'PATCH /api/instances/i1?user_id=ann',
      { policy: { effects: ['read'] } },
    ],
    [() => api.instances.rotateToken('i1', { user_id: 'ann' }), 'POST /api/instances/i1/rotate-token?user_id=ann'],
    [() => api.instances.remove('i1', { user_id: 'ann' }), 'DELETE /api/instances/i1?user_id=ann'],
    [
      () => api.connectLinks.create({ user_id: 'ann', connectors: ['gmail'] }),
      'POST /api/connect-links',
      { user_id: 'ann', connectors: ['gmail'] },
    ],
    [() => api.apiKeys.list(), 'GET /api/api-keys'],
    [() => api.apiKeys.create({ name: 'ci', role: 'app' }), 'POST /api/api-keys', { name: 'ci', role: 'app' }],
    [() => api.apiKeys.revoke('k1'), 'DELETE /api/api-keys/k1'],
    [() => api.oauthApps.list(), 'GET /api/oauth-apps'],
    [() => api.oauthApps.save('google', { client_id: 'x' }), 'PUT /api/oauth-apps/google', { client_id: 'x' }],
    [() => api.oauthApps.remove('google'), 'DELETE /api/oauth-apps/google'],
    [() => api.projects.list(), 'GET /api/projects'],
    [() => api.projects.create({ name: 'two' }), 'POST /api/projects', { name: 'two' }],
    [() => api.projects.update('p1', { redirect_urls: [] }), 'PATCH /api/projects/p1', { redirect_urls: [] }],
    [() => api.projects.remove('p1'), 'DELETE /api/projects/p1'],
    [() => api.users.list(), 'GET /api/users'],
    [
      () => api.events.list({ types: ['tool.called', 'tool.refused'], outcome: 'ok', limit: 5 }),
      'GET /api/events?types=tool.called%2Ctool.refused&outcome=ok&limit=5',
    ],
    [() => api.session.get(), 'GET /api/session'],
    [() => api.session.signIn('secret'), 'POST /api/session', { api_key: 'secret' }],
    [() => api.session.signOut(), 'DELETE /api/session'],
  ]
  for (const [call] of calls) await call()

  expect(seen.map(({ method, url }) => `${method} ${url}`)).toEqual(calls.map(([, line]) => line))
  expect(seen.map(({ body }) => body)).toEqual(calls.map(([, , body]) => body))
  expect(new Set(seen.map(({ headers }) => headers['x-api-key']))).toEqual(new Set(['key-1']))
})

test('an id with a slash or a query in it stays one path segment, and dots are refused', async () => {
  const { client, seen } = await gateway(json(connection))
  await client().connections.get('a/b?c=d')

  expect(seen[0]?.url).toBe('/api/connections/a%2Fb%3Fc%3Dd')
  expect(() => client().connections.get('..')).toThrow(PatchbayApiError)
})

test('a signed-in browser sends cookies and the header that no form can send, and no key', async () => {
  const requests: RequestInit[] = []
  const api = createClient({
    baseUrl: '',
    session: true,
    fetch: async (_input, init) => {
      requests.push(init as RequestInit)
      return Response.json(empty)
    },
  })
  await api.connectors.list()

  expect(requests[0]?.credentials).toBe('include')
  expect(new Headers(requests[0]?.headers).get('x-patchbay-csrf')).toBe('1')
  expect(new Headers(requests[0]?.headers).has('x-api-key')).toBe(false)
})

test('a refused call throws the wire error with every member', async () => {
  const fix = { action: 'Connect again', url: 'https://example.test/connect' }
  const details = { connection_id: 'c1' }
  const { client } = await gateway(
    refusal('needs_reauth', 409, { fix, provider_status: 401, request_id: 'r-1', details }),
  )
  const error = await client()
    .tools.execute({ user_id: 'ann', action: 'X' })
    .catch((thrown) => thrown)

  expect(error).toBeInstanceOf(PatchbayApiError)
  expect(error).toMatchObject({
    status: 409,
    code: 'needs_reauth',
    message: 'It said needs_reauth.',
    fix,
    requestId: 'r-1',
  })
  expect(error.body).toEqual({
    code: 'needs_reauth',
    message: 'It said needs_reauth.',
    retryable: false,
    fix,
    provider_status: 401,
    request_id: 'r-1',
    details,
  })
})

test("a proxy's error page and an answer that is not JSON are named as such", async () => {
  const page: Answer = (_request, response) =>
    response.writeHead(404, { 'content-type': 'text/html' }).end('<h1>no</h1>')
  const broken: Answer = (_request, response) => response.writeHead(200).end('{"items":')
  const { client } = await gateway(page, broken)

  await expect(client().connectors.list()).rejects.toMatchObject({ status: 404, code: 'unreadable_answer' })
  await expect(client().connectors.list()).rejects.toMatchObject({ status: 200, code: 'unreadable_answer' })
})

test('a gateway that is not there is unreachable after the allowed attempts', async () => {
  let attempts = 0
  const api = createClient({
    baseUrl: 'http://gateway.test',
    retries: 1,
    maxRetryWait: 0,
    fetch: async () => {
      attempts += 1
      throw new TypeError('fetch failed')
    },
  })
  await expect(api.health()).rejects.toMatchObject({ status: 0, code: 'unreachable', retryable: true })
  expect(attempts).toBe(2)
})

test('a safe call waits as long as Retry-After says and succeeds', async () => {
  const { client, seen } = await gateway(
    refusal('rate_limited', 429, {}, { 'retry-after': '0' }),
    refusal('shutting_down', 503, { retry_after: 0 }),
    json({ status: 'ok' }),
  )
  await expect(client().health()).resolves.toEqual({ status: 'ok' })
  expect(seen).toHaveLength(3)
})

test('a wait longer than allowed is passed on instead of slept through', async () => {
  const { client, seen } = await gateway(refusal('rate_limited', 429, {}, { 'retry-after': '3600' }))

  await expect(client().health()).rejects.toMatchObject({ code: 'rate_limited', retryAfter: 3600 })
  expect(seen).toHaveLength(1)
})

test('a date in Retry-After counts as seconds from now', async () => {
  const inAnHour = new Date(Date.now() + 3_600_000).toUTCString()
  const { client } = await gateway(refusal('rate_limited', 429, {}, { 'retry-after': inAnHour }))

  const error = await client()
    .health()
    .catch((thrown) => thrown)
  expect(error.retryAfter).toBeGreaterThan(3500)
  expect(error.retryAfter).toBeLessThanOrEqual(3600)
})

test.each([
  ['a write', 503],
  ['an error that will not pass', 400],
])('%s is never tried again', async (kind, status) => {
  const { client, seen } = await gateway(refusal('whatever', status, {}, { 'retry-after': '0' }))
  const call = kind === 'a write' ? client().tools.execute({ user_id: 'ann', action: 'X' }) : client().health()

  await expect(call).rejects.toMatchObject({ status })
  expect(seen).toHaveLength(1)
})

test('an aborted call rejects with the reason given and leaves the server', async () => {
  let gone: () => void = () => undefined
  const left = new Promise<void>((resolve) => {
    gone = resolve
  })
  const abort = new AbortController()
  const { client } = await gateway((_request, response) => {
    response.on('close', gone)
    abort.abort(new Error('changed my mind'))
  })

  await expect(client().tools.execute({ user_id: 'ann', action: 'X' }, { signal: abort.signal })).rejects.toThrow(
    'changed my mind',
  )
  await left
})

test('an abort also ends the wait between two attempts', async () => {
  const abort = new AbortController()
  const { client, seen } = await gateway((request, response) => {
    refusal('rate_limited', 429, {}, { 'retry-after': '9' })(request, response)
    response.on('close', () => abort.abort(new Error('enough')))
  })

  await expect(client().health({ signal: abort.signal })).rejects.toThrow('enough')
  expect(seen).toHaveLength(1)
})

test('an attempt that takes too long is a timeout', async () => {
  const { client } = await gateway(() => undefined)

  await expect(client({ timeoutMs: 50, retries: 0 }).health()).rejects.toMatchObject({ code: 'timeout', status: 0 })
})

test('waiting for a connection ends when it becomes usable', async () => {
  const { client, seen } = await gateway(json({ ...connection, status: 'pending' }), json(connection))

  await expect(client().waitForConnection('c1', { user_id: 'ann', intervalMs: 1 })).resolves.toEqual(connection)
  expect(seen.map(({ url }) => url)).toEqual(Array(2).fill('/api/connections/c1?user_id=ann'))
})

test('waiting for a connection throws why it died', async () => {
  const status_reason = {
    code: 'access_denied',
    message: 'The user said no.',
    fix: 'Ask again.',
    at: connection.updated_at,
  }
  const { client } = await gateway(json({ ...connection, status: 'error', status_reason }))

  await expect(client().waitForConnection('c1')).rejects.toMatchObject({
    code: 'access_denied',
    message: 'The user said no.',
    fix: { action: 'Ask again.' },
  })
})

test('waiting for a reconnect does not take the state before it for the outcome', async () => {
  const before = { ...connection, status: 'needs_reauth' }
  const after = { ...connection, updated_at: '2026-01-02T00:00:00.000Z' }
  const { client, seen } = await gateway(json(before), json(before), json(after))

  const found = await client().waitForConnection('c1', { changedAfter: before.updated_at, intervalMs: 1 })
  expect(found).toEqual(after)
  expect(seen).toHaveLength(3)
})

test('waiting for a connection gives up in time', async () => {
  const { client } = await gateway(json({ ...connection, status: 'pending' }))

  await expect(client().waitForConnection('c1', { timeoutMs: 20, intervalMs: 5 })).rejects.toMatchObject({
    code: 'timeout',
  })
})

test('exported events arrive one by one, also when a line is cut in two inside a character', async () => {
  const bytes = Buffer.from(`${JSON.stringify({ id: '1', message: 'é' })}\n\n${JSON.stringify({ id: '2' })}`)
  const cut = bytes.indexOf(0xc3) + 1
  const { client, seen } = await gateway((_request, response) => {
    response.writeHead(200, { 'content-type': 'application/x-ndjson' })
    response.write(bytes.subarray(0, cut), () => setImmediate(() => response.end(bytes.subarray(cut))))
  })
  const events = []
  for await (const event of client().events.export({ outcome: 'error' })) events.push(event)

  expect(events).toEqual([{ id: '1', message: 'é' }, { id: '2' }])
  expect(seen[0]?.url).toBe('/api/events/export?outcome=error')
})

test('leaving an export early ends the download', async () => {
  let gone: () => void = () => undefined
  const left = new Promise<void>((resolve) => {
    gone = resolve
  })
  const { client } = await gateway((_request, response) => {
    response.on('close', gone)
    response.write('{"id":"1"}\n')
  })
  for await (const event of client().events.export()) {
    expect(event.id).toBe('1')
    break
  }
  await left
})

test('an export address holds the filter and no key', async () => {
  const api = createClient({ baseUrl: 'https://gateway.test/', apiKey: 'secret' })

  expect(api.events.exportUrl({ tool: 'A B' })).toBe('https://gateway.test/api/events/export?tool=A+B')
})

test('every item of every page comes once and in order', async () => {
  const { client, seen } = await gateway(
    json({ items: [{ id: '1' }, { id: '2' }], next_cursor: '2' }),
    json({ items: [{ id: '3' }], next_cursor: null }),
  )
  const api = client()
  const ids = []
  for await (const event of eachItem((page) => api.events.list({ limit: 2, ...page }))) ids.push(event.id)

  expect(ids).toEqual(['1', '2', '3'])
  expect(seen.map(({ url }) => url)).toEqual(['/api/events?limit=2', '/api/events?limit=2&cursor=2'])
})
