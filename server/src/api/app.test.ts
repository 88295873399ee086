import { once } from 'node:events'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { request as httpRequest } from 'node:http'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { FastifyInstance } from 'fastify'
import pino from 'pino'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { KEYS, type StandIn, standInGateway } from '../../test/stand-in-gateway.ts'
import { ERROR_CODES, PatchbayError } from '../core/errors.ts'
import type { ToolCall } from '../core/gateway.ts'
import { type ApiOptions, createApi } from './app.ts'

let gateway: StandIn
let logged: string[]
let open: FastifyInstance[]

beforeEach(() => {
  gateway = standInGateway()
  logged = []
  open = []
})
afterEach(async () => {
  await Promise.all(open.map((app) => app.close()))
})

async function start(options: Partial<ApiOptions> = {}): Promise<FastifyInstance> {
  const app = await createApi({
    gateway,
    publicUrl: 'http://gateway.test',
    corsOrigins: [],
    secureCookies: false,
    logger: pino({ level: 'debug' }, { write: (line) => void logged.push(line) }),
    ...options,
  })
  open.push(app)
  return app
}

const execute = (app: FastifyInstance, payload: object = { user_id: 'ann', action: 'MAIL_SEND' }) =>
  app.inject({ method: 'POST', url: '/api/tools/execute', headers: { 'x-api-key': KEYS.app }, payload })

describe('failures', () => {
  test('every code has one status, the one shape, and says nothing of its cause', async () => {
    const app = await start()
    const statuses: Record<string, number> = {}
    for (const code of ERROR_CODES) {
      gateway.onCall = async () => {
        throw new PatchbayError(code, 'What went wrong.', {
          cause: new Error('token=hunter2'),
          fix: { action: 'Connect again', url: 'http://gateway.test/connect/x' },
          ...(code === 'rate_limited' && { retryAfter: 2.4 }),
        })
      }
      const reply = await execute(app)
      statuses[code] = reply.statusCode
      expect(reply.json()).toMatchObject({
        success: false,
        error: {
          code,
          message: 'What went wrong.',
          request_id: reply.headers['x-request-id'],
          fix: { action: 'Connect again' },
        },
      })
      expect(reply.body).not.toContain('hunter2')
      expect(reply.headers['retry-after']).toBe(code === 'rate_limited' ? '3' : undefined)
    }
    expect(statuses).toEqual({
      invalid_input: 400,
      oauth_failed: 400,
      unauthorized: 401,
      forbidden: 403,
      policy_denied: 403,
      egress_refused: 403,
      not_found: 404,
      conflict: 409,
      not_configured: 409,
      not_connected: 409,
      ambiguous_account: 409,
      needs_reauth: 409,
      missing_scope: 409,
      account_mismatch: 409,
      too_large: 413,
      unsupported_media_type: 415,
      provider_rejected: 422,
      rate_limited: 429,
      cancelled: 499,
      internal: 500,
      provider_unavailable: 502,
      shutting_down: 503,
      timeout: 504,
    })
  })

  test('what nobody foresaw is internal to the caller and a line with its cause in the log', async () => {
    const app = await start()
    gateway.onCall = async () => {
      throw new TypeError('undefined is not a mailbox')
    }
    const reply = await execute(app)

    expect(reply.statusCode).toBe(500)
    expect(reply.body).not.toContain('mailbox')
    const line = logged.map((text) => JSON.parse(text)).find((one) => one.level === 50)
    expect(line).toMatchObject({ err: { message: 'undefined is not a mailbox' }, reqId: reply.headers['x-request-id'] })
  })

  test('a wrong field is named with what was expected, and its value is not repeated', async () => {
    const app = await start()
    const wrong = await execute(app, { user_id: 'ann', action: 7, params: 'SECRET-VALUE', extra: 1 })
    const { error, success } = wrong.json()

    expect(success).toBe(false)
    expect(error.message).toContain('`action` must be a string, not a number')
    expect(error.message).toContain('`params` must be an object, not a string')
    expect(error.message).toContain('has no field `extra`; it knows `user_id`, `action`, `params`, `account`')
    expect(wrong.body).not.toContain('SECRET-VALUE')
  })

  test('unknown addresses are JSON, and so are methods a route does not have', async () => {
    const app = await start()
    for (const [method, url] of [
      ['GET', '/api/nothing'],
      ['DELETE', '/health'],
      ['GET', '/inst_a/other'],
      ['GET', '/'],
      ['POST', '/x'],
    ] as const) {
      const reply = await app.inject({ method, url })
      expect(reply.statusCode).toBe(404)
      expect(reply.json().error.code).toBe('not_found')
    }
  })
})

describe('request ids', () => {
  test('a safe one is kept and reaches the core, any other is replaced', async () => {
    const app = await start()
    const kept = await app.inject({
      method: 'POST',
      url: '/api/tools/execute',
      headers: { 'x-api-key': KEYS.app, 'x-request-id': 'trace-1234.abc' },
      payload: { user_id: 'ann', action: 'MAIL_SEND' },
    })
    const replaced = await app.inject({ url: '/health', headers: { 'x-request-id': 'a"b\\nnewline' } })

    expect(kept.headers['x-request-id']).toBe('trace-1234.abc')
    expect(gateway.calls[0]?.requestId).toBe('trace-1234.abc')
    expect(replaced.headers['x-request-id']).toMatch(/^req_[0-9a-f]{32}$/)
  })
})

describe('sessions', () => {
  const page = { origin: 'http://gateway.test', 'sec-fetch-site': 'same-origin', 'x-patchbay-csrf': '1' }

  async function signedIn(app: FastifyInstance) {
    const reply = await app.inject({
      method: 'POST',
      url: '/api/session',
      headers: page,
      payload: { api_key: KEYS.admin },
    })
    return { reply, cookies: { patchbay_session: reply.cookies[0]?.value as string } }
  }

  test('an admin key becomes an HttpOnly cookie that reads without further proof', async () => {
    const app = await start()
    const { reply, cookies } = await signedIn(app)

    expect(reply.json()).toMatchObject({ signed_in: true, role: 'admin', project: { id: 'default' } })
    expect(reply.cookies[0]).toMatchObject({ name: 'patchbay_session', httpOnly: true, sameSite: 'Lax', path: '/' })
    expect((await app.inject({ url: '/api/session', cookies })).json().signed_in).toBe(true)
  })

  test('over TLS the cookie is bound to the host', async () => {
    const app = await start({ secureCookies: true, publicUrl: 'https://gateway.test' })
    const reply = await app.inject({
      method: 'POST',
      url: '/api/session',
      headers: { ...page, origin: 'https://gateway.test' },
      payload: { api_key: KEYS.admin },
    })
    expect(reply.cookies[0]).toMatchObject({ name: '__Host-patchbay_session', secure: true })
    expect(reply.headers['strict-transport-security']).toContain('max-age=')
  })

  test.each([
    ['without the header', { origin: 'http://gateway.test' }],
    ['from another origin', { ...page, origin: 'http://evil.test', 'sec-fetch-site': 'cross-site' }],
    ['from a sibling origin', { ...page, origin: 'http://sub.gateway.test', 'sec-fetch-site': 'same-site' }],
    ['with a hidden origin', { ...page, origin: 'null' }],
    ['with no sign of a browser', { 'x-patchbay-csrf': '1' }],
  ])('a change by cookie %s is refused', async (_name, headers) => {
    const app = await start()
    const { cookies } = await signedIn(app)
    const change = { method: 'POST', url: '/api/projects', cookies, payload: { name: 'x' } } as const

    const refused = await app.inject({ ...change, headers })
    const allowed = await app.inject({ ...change, headers: page })

    expect(refused.statusCode).toBe(403)
    expect(refused.json().error.message).toContain('x-patchbay-csrf')
    expect(allowed.statusCode).toBe(201)
  })

  test('nobody can be signed in, signed out or sent to connect by another page', async () => {
    const app = await start()
    const { cookies } = await signedIn(app)
    const foreign = { origin: 'http://evil.test', 'sec-fetch-site': 'cross-site' }

    const signIn = await app.inject({
      method: 'POST',
      url: '/api/session',
      headers: foreign,
      payload: { api_key: KEYS.admin },
    })
    const signOut = await app.inject({ method: 'DELETE', url: '/api/session', headers: foreign, cookies })
    const connect = await app.inject({
      url: '/oauth/authorize/mail?user_id=eve',
      cookies,
      headers: { 'sec-fetch-mode': 'navigate' },
    })

    expect([signIn.statusCode, signOut.statusCode, connect.statusCode]).toEqual([403, 403, 403])
    expect(gateway.started).toEqual([])
  })

  test('signing out ends it, twice if need be', async () => {
    const app = await start()
    const { cookies } = await signedIn(app)
    const out = await app.inject({ method: 'DELETE', url: '/api/session', headers: page, cookies })
    const again = await app.inject({ method: 'DELETE', url: '/api/session', headers: page, cookies })

    expect([out.statusCode, again.statusCode]).toEqual([204, 204])
    expect(out.cookies[0]).toMatchObject({ name: 'patchbay_session', value: '' })
    expect((await app.inject({ url: '/api/session', cookies })).json().error.code).toBe('unauthorized')
  })
})

describe('limits', () => {
  test('wrong keys from one address are slowed down, right ones never', async () => {
    const app = await start({ limits: { failedSignIns: 3 } })
    const attempt = (key: string) => app.inject({ url: '/connectors', headers: { 'x-api-key': key } })
    for (let count = 0; count < 3; count += 1) expect((await attempt('pb_wrong')).statusCode).toBe(401)

    const fourth = await attempt('pb_wrong')
    const right = await attempt(KEYS.app)

    expect(fourth.statusCode).toBe(429)
    expect(Number(fourth.headers['retry-after'])).toBeGreaterThan(0)
    expect(fourth.json().error).toMatchObject({ code: 'rate_limited', retryable: true })
    expect(right.statusCode).toBe(200)
  })

  test('sign-in with a key is refused outright beyond the limit', async () => {
    const app = await start({ limits: { failedSignIns: 2 } })
    const headers = { origin: 'http://gateway.test', 'x-patchbay-csrf': '1' }
    const attempt = (key: string) =>
      app.inject({ method: 'POST', url: '/api/session', headers, payload: { api_key: key } })
    for (let count = 0; count < 2; count += 1) expect((await attempt('wrong')).statusCode).toBe(401)
    expect((await attempt(KEYS.admin)).statusCode).toBe(429)
  })

  test('one key beyond its rate does not slow another', async () => {
    const app = await start({ limits: { requestsPerSecond: 2 } })
    const ask = (key: string) => app.inject({ url: '/connectors', headers: { 'x-api-key': key } })
    const replies = await Promise.all([ask(KEYS.app), ask(KEYS.app), ask(KEYS.app), ask(KEYS.ann)])
    expect(replies.map((reply) => reply.statusCode)).toEqual([200, 200, 429, 200])
    expect(replies[2]?.headers['retry-after']).toBe('1')
  })

  test('who the client is, a proxy may say only where it is trusted', async () => {
    const attempt = (app: FastifyInstance, ip: string) =>
      app.inject({ url: '/connectors', headers: { 'x-api-key': 'wrong', 'x-forwarded-for': ip } })
    const alone = await start({ limits: { failedSignIns: 1 } })
    const behind = await start({ limits: { failedSignIns: 1 }, trustProxy: true })

    await attempt(alone, '10.0.0.1')
    await attempt(behind, '10.0.0.1')
    expect((await attempt(alone, '10.0.0.2')).statusCode).toBe(429)
    expect((await attempt(behind, '10.0.0.2')).statusCode).toBe(401)
  })
})

describe('other origins', () => {
  const preflight = (origin: string) =>
    ({ method: 'OPTIONS', url: '/api/tools', headers: { origin, 'access-control-request-method': 'GET' } }) as const

  test('a configured one may call with a key and never with a cookie', async () => {
    const app = await start({ corsOrigins: ['https://app.example'] })
    const allowed = await app.inject(preflight('https://app.example'))
    const reply = await app.inject({
      url: '/connectors',
      headers: { origin: 'https://app.example', 'x-api-key': KEYS.ann },
    })
    const failed = await app.inject({ url: '/connectors', headers: { origin: 'https://app.example' } })

    expect(allowed.statusCode).toBe(204)
    expect(allowed.headers['access-control-allow-origin']).toBe('https://app.example')
    expect(allowed.headers['access-control-allow-headers']).toContain('x-api-key')
    expect(allowed.headers['access-control-allow-headers']).not.toContain('csrf')
    expect(allowed.headers['access-control-allow-methods']).toContain('DELETE')
    expect(allowed.headers['vary']).toBe('Origin')
    for (const one of [reply, failed]) {
      expect(one.headers['access-control-allow-origin']).toBe('https://app.example')
      expect(one.headers['access-control-expose-headers']).toContain('x-request-id')
      expect(one.headers['access-control-allow-credentials']).toBeUndefined()
    }
  })

  test('any other gets no permission', async () => {
    const app = await start({ corsOrigins: ['https://app.example'] })
    for (const origin of ['https://app.example.evil.test', 'http://app.example', 'null']) {
      const reply = await app.inject(preflight(origin))
      expect(reply.headers['access-control-allow-origin']).toBeUndefined()
      expect(reply.statusCode).toBe(404)
    }
  })

  test('a star allows any origin, still without credentials', async () => {
    const app = await start({ corsOrigins: ['*'] })
    const reply = await app.inject({ url: '/health', headers: { origin: 'https://any.example' } })
    expect(reply.headers['access-control-allow-origin']).toBe('*')
    expect(reply.headers['access-control-allow-credentials']).toBeUndefined()
  })
})

describe('the web app', () => {
  let webRoot: string

  beforeEach(async () => {
    webRoot = await mkdtemp(join(tmpdir(), 'web-'))
    await mkdir(join(webRoot, 'assets'))
    await writeFile(join(webRoot, 'index.html'), '<!doctype html><title>App</title>')
    await writeFile(join(webRoot, 'assets', 'app-3f2a.js'), 'run()')
    await writeFile(join(webRoot, 'icon.svg'), '<svg/>')
    return () => rm(webRoot, { recursive: true })
  })

  test('pages come fresh under their policy, hashed assets stay for ever', async () => {
    const app = await start({ webRoot })
    for (const url of ['/', '/events', '/agents/claude', '/index.html']) {
      const reply = await app.inject(url)
      expect(reply.body, url).toContain('<title>App')
      expect(reply.headers['cache-control']).toBe('no-store')
      expect(reply.headers['content-security-policy']).toContain("script-src 'self'")
      expect(reply.headers['x-frame-options']).toBe('DENY')
    }
    expect((await app.inject('/')).headers['cross-origin-opener-policy']).toBe('same-origin-allow-popups')
    const asset = await app.inject('/assets/app-3f2a.js')
    expect(asset.body).toBe('run()')
    expect(asset.headers['cache-control']).toBe('public, max-age=31536000, immutable')
    expect((await app.inject('/icon.svg')).headers['cache-control']).toBe('no-cache')
  })

  test('a browser that opens an address it shares with the API gets the page, a program the answer', async () => {
    const app = await start({ webRoot })
    const page = await app.inject({ url: '/connectors', headers: { 'sec-fetch-mode': 'navigate' } })
    const data = await app.inject({ url: '/connectors', headers: { 'x-api-key': KEYS.app, 'sec-fetch-mode': 'cors' } })
    expect(page.body).toContain('<title>App')
    expect(data.json().items[0].id).toBe('mail')
  })

  test('missing files, unknown API addresses and paths out of the folder are not pages', async () => {
    const app = await start({ webRoot })
    for (const url of [
      '/assets/old-1234.js',
      '/api/nothing',
      '/oauth/nothing',
      '/..%2f..%2fetc%2fpasswd.txt',
      '/logo.png',
    ]) {
      const reply = await app.inject(url)
      expect(reply.statusCode, url).toBeGreaterThanOrEqual(400)
      expect(reply.json().error.code).toMatch(/not_found|invalid_input|forbidden/)
    }
    expect((await app.inject({ method: 'POST', url: '/events' })).statusCode).toBe(404)
  })
})

test('every answer of the API forbids framing, sniffing, scripts and caching', async () => {
  const app = await start()
  for (const url of ['/health', '/connectors', '/api/nothing']) {
    expect((await app.inject(url)).headers).toMatchObject({
      'content-security-policy': expect.stringContaining("default-src 'none'"),
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      'referrer-policy': 'no-referrer',
      'cache-control': 'no-store',
    })
  }
})

test('a route that does not say who may use it stops the start', async () => {
  const app = await start()
  app.get('/forgotten', async () => 'anyone')
  await expect(app.ready()).rejects.toThrow('GET /forgotten')
})

test('the log names routes, never addresses with their tokens', async () => {
  const app = await start()
  await app.inject('/oauth/callback/google?code=SECRETCODE&state=SECRETSTATE')
  await app.inject('/api/connections/SECRETID?user_id=SECRETUSER')
  expect(logged.length).toBeGreaterThan(0)
  expect(logged.join('')).not.toContain('SECRET')
})

test('a caller that goes away cancels its tool call', async () => {
  const app = await start()
  await app.listen({ port: 0, host: '127.0.0.1' })
  const { port } = app.server.address() as { port: number }
  const called = Promise.withResolvers<ToolCall>()
  const cancelled = Promise.withResolvers<void>()
  gateway.onCall = async (call) => {
    call.signal.addEventListener('abort', () => cancelled.resolve())
    called.resolve(call)
    await cancelled.promise
    throw new PatchbayError('cancelled', 'The caller went away.')
  }

  const request = httpRequest({
    port,
    method: 'POST',
    path: '/api/tools/execute',
    headers: { 'x-api-key': KEYS.app, 'content-type': 'application/json' },
  })
  request.on('error', () => undefined)
  request.end(JSON.stringify({ user_id: 'ann', action: 'MAIL_SEND' }))
  const call = await called.promise
  expect(call.signal.aborted).toBe(false)
  request.destroy()

  await cancelled.promise
  expect(call.signal.aborted).toBe(true)
})

test('a finished call is never told that its caller went away', async () => {
  const app = await start()
  await app.listen({ port: 0, host: '127.0.0.1' })
  const { port } = app.server.address() as { port: number }
  const reply = await fetch(`http://127.0.0.1:${port}/api/tools/execute`, {
    method: 'POST',
    headers: { 'x-api-key': KEYS.app, 'content-type': 'application/json', connection: 'close' },
    body: JSON.stringify({ user_id: 'ann', action: 'MAIL_SEND' }),
  })
  await reply.json()
  await app.close()
  expect(gateway.calls[0]?.signal.aborted).toBe(false)
})

test('closing lets a running call finish and turns new ones away', async () => {
  const app = await start()
  const closingBegan = Promise.withResolvers<void>()
  app.addHook('preClose', async () => closingBegan.resolve())
  await app.listen({ port: 0, host: '127.0.0.1' })
  const { port } = app.server.address() as { port: number }
  const called = Promise.withResolvers<void>()
  const release = Promise.withResolvers<string>()
  gateway.onCall = async () => {
    called.resolve()
    return release.promise
  }
  const body = JSON.stringify({ user_id: 'ann', action: 'MAIL_SEND' })
  const head = `POST /api/tools/execute HTTP/1.1\r\nhost: x\r\nx-api-key: ${KEYS.app}\r\ncontent-type: application/json`
  const socket = connect(port, '127.0.0.1').setEncoding('utf8')
  let answers = ''
  socket.on('data', (chunk) => {
    answers += chunk
  })
  socket.write(`${head}\r\ncontent-length: ${body.length}\r\n\r\n${body}`)
  await called.promise

  const closed = app.close()
  await closingBegan.promise
  const late = once(app.server, 'request')
  socket.write('GET /connectors HTTP/1.1\r\nhost: x\r\n\r\n')
  await late
  release.resolve('done')
  await closed
  if (!socket.closed) await once(socket, 'close')

  const [first, second] = answers.split(/(?<=})(?=HTTP)/) as [string, string]
  expect(first).toMatch(/^HTTP\/1.1 200 [\s\S]*"result":"done"/)
  expect(second).toMatch(/^HTTP\/1.1 503 [\s\S]*retry-after: 2\r\n[\s\S]*"code":"shutting_down"/)
  await expect(fetch(`http://127.0.0.1:${port}/health`)).rejects.toThrow()
})

test('the MCP hook gets an unread request for every method, with headers set and nothing parsed', async () => {
  const seen: unknown[] = []
  const app = await start({
    corsOrigins: ['https://app.example'],
    mountMcp: async (request, reply) => {
      let body = ''
      for await (const chunk of request.raw) body += chunk
      seen.push([request.method, (request.params as { instanceId: string }).instanceId, body, request.id])
      reply.raw.writeHead(202).end('ok')
    },
  })
  const reply = await app.inject({
    method: 'POST',
    url: '/inst_ann/mcp',
    headers: { origin: 'https://app.example', 'content-type': 'application/json', 'x-request-id': 'trace-12345' },
    payload: '{broken',
  })
  const got = await app.inject('/inst_ann/mcp')
  const other = await app.inject('/somewhere/mcp')

  expect(reply.statusCode).toBe(202)
  expect(reply.headers).toMatchObject({
    'access-control-allow-origin': 'https://app.example',
    'x-request-id': 'trace-12345',
  })
  expect(seen[0]).toEqual(['POST', 'inst_ann', '{broken', 'trace-12345'])
  expect(got.statusCode).toBe(202)
  expect(other.statusCode).toBe(404)
})

test('an export that is read slowly is made slowly, and ends when its reader leaves', async () => {
  const app = await start()
  await app.listen({ port: 0, host: '127.0.0.1' })
  const { port } = app.server.address() as { port: number }
  const [sample] = gateway.eventLog
  const left = Promise.withResolvers<void>()
  let made = 0
  gateway.events.stream = async function* () {
    try {
      for (; made < 1_000_000; made += 1) {
        yield { ...(sample as NonNullable<typeof sample>), details: { filler: 'x'.repeat(1000) } }
      }
    } finally {
      left.resolve()
    }
  }

  const reader = await new Promise<import('node:http').IncomingMessage>((resolve) => {
    httpRequest({ port, path: '/api/events/export', headers: { 'x-api-key': KEYS.app } }, resolve).end()
  })
  reader.on('error', () => undefined)
  await new Promise<void>((resolve) => reader.once('data', () => resolve()))
  reader.pause()
  reader.destroy()

  await left.promise
  expect(made).toBeLessThan(100_000)
})
