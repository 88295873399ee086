import { once } from 'node:events'
import { request as httpRequest } from 'node:http'
import { SUPPORTED_PROTOCOL_VERSIONS } from '@modelcontextprotocol/server'
import { afterEach, describe, expect, test } from 'vitest'
import { PatchbayError } from '../../src/core/errors.ts'
import { LEGACY_VERSIONS, MODERN_VERSION } from '../../src/mcp/exchange.ts'
import { type StandIn, type StartedEndpoint, startEndpoint, TOKEN, TOOLS } from './stand-in.ts'

const started: StartedEndpoint[] = []
afterEach(async () => {
  for (const endpoint of started.splice(0)) await endpoint.close()
})
async function start(behaviour?: StandIn, options?: Parameters<typeof startEndpoint>[1]): Promise<StartedEndpoint> {
  const endpoint = await startEndpoint(behaviour, options)
  started.push(endpoint)
  return endpoint
}

type Headers = Record<string, string | undefined>
type Message = Record<string, unknown>

/** Posts as a client would; a header given as undefined is left out. */
async function post(url: string, body: unknown, headers: Headers = {}) {
  const all: Headers = {
    authorization: `Bearer ${TOKEN}`,
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
    ...headers,
  }
  const sent = Object.entries(all).filter((entry): entry is [string, string] => entry[1] !== undefined)
  const raw = typeof body === 'string' || body instanceof Uint8Array ? (body as string) : JSON.stringify(body)
  const response = await fetch(url, { method: 'POST', headers: sent, body: raw })
  const text = await response.text()
  return { status: response.status, headers: response.headers, json: text ? JSON.parse(text) : undefined }
}

const ENVELOPE = {
  'io.modelcontextprotocol/protocolVersion': MODERN_VERSION,
  'io.modelcontextprotocol/clientCapabilities': {},
  'io.modelcontextprotocol/clientInfo': { name: 'raw', version: '1' },
}
function modern(method: string, params: Message = {}, id: unknown = 1): Message {
  return { jsonrpc: '2.0', id, method, params: { ...params, _meta: ENVELOPE } }
}
function modernHeaders(method: string, name?: string): Headers {
  return { 'mcp-protocol-version': MODERN_VERSION, 'mcp-method': method, 'mcp-name': name }
}
function legacy(method: string, params?: Message, id: unknown = 1): Message {
  return { jsonrpc: '2.0', id, method, ...(params && { params }) }
}
const SEARCH = { name: 'MAIL_SEARCH', arguments: { query: 'x' } }
const CALL_HEADERS = modernHeaders('tools/call', 'MAIL_SEARCH')

describe('2026-07-28', () => {
  test('server/discover names the revision, and its answer is the caller’s own to keep', async () => {
    const { url } = await start()

    const { status, json } = await post(url, modern('server/discover'), modernHeaders('server/discover'))

    expect(status).toBe(200)
    expect(json.result).toMatchObject({
      resultType: 'complete',
      supportedVersions: [MODERN_VERSION],
      capabilities: { tools: {} },
      instructions: expect.any(String),
      cacheScope: 'private',
      ttlMs: expect.any(Number),
      _meta: { 'io.modelcontextprotocol/serverInfo': { name: 'patchbay', version: '1.2.3' } },
    })
    expect(json.result.capabilities.tools).not.toHaveProperty('listChanged')
  })

  test('tools/list says how long and for whom it holds', async () => {
    const { url } = await start()

    const { json } = await post(url, modern('tools/list'), modernHeaders('tools/list'))

    expect(json.result).toMatchObject({ resultType: 'complete', cacheScope: 'private', ttlMs: 30_000 })
    expect(json.result).not.toHaveProperty('nextCursor')
  })

  test('a session id of an older revision is ignored and none is given', async () => {
    const { url } = await start()
    const headers = { ...modernHeaders('server/discover'), 'mcp-session-id': 'old', 'last-event-id': '7' }

    const answer = await post(url, modern('server/discover'), headers)

    expect(answer.status).toBe(200)
    expect(answer.headers.get('mcp-session-id')).toBeNull()
  })

  test('an encoded tool name in the header is decoded before it is compared', async () => {
    const { url } = await start()
    const name = `=?base64?${Buffer.from('MAIL_SEARCH').toString('base64')}?=`

    const answer = await post(url, modern('tools/call', SEARCH), { ...CALL_HEADERS, 'mcp-name': name })

    expect(answer).toMatchObject({ status: 200, json: { result: { structuredContent: { echoed: { query: 'x' } } } } })
  })

  const without = (key: string) => {
    const { [`io.modelcontextprotocol/${key}`]: _, ...rest } = ENVELOPE as Message
    return { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { ...SEARCH, _meta: rest } }
  }
  const versioned = (version: unknown) => ({
    ...modern('tools/call'),
    params: { ...SEARCH, _meta: { ...ENVELOPE, 'io.modelcontextprotocol/protocolVersion': version } },
  })
  const call = modern('tools/call', SEARCH)

  test.each<[string, Message, Headers, number, number]>([
    ['no version header', call, { ...CALL_HEADERS, 'mcp-protocol-version': undefined }, 400, -32020],
    ['another version header', call, { ...CALL_HEADERS, 'mcp-protocol-version': '2025-11-25' }, 400, -32020],
    ['no method header', call, { ...CALL_HEADERS, 'mcp-method': undefined }, 400, -32020],
    ['another method header', call, { ...CALL_HEADERS, 'mcp-method': 'tools/list' }, 400, -32020],
    ['a method header in other case', call, { ...CALL_HEADERS, 'mcp-method': 'Tools/Call' }, 400, -32020],
    ['no name header', call, { ...CALL_HEADERS, 'mcp-name': undefined }, 400, -32020],
    ['another name header', call, { ...CALL_HEADERS, 'mcp-name': 'MAIL_TRASH' }, 400, -32020],
    ['a name header badly encoded', call, { ...CALL_HEADERS, 'mcp-name': '=?base64?%%%?=' }, 400, -32020],
    ['no _meta', { ...call, params: SEARCH }, CALL_HEADERS, 400, -32602],
    ['no params', { jsonrpc: '2.0', id: 1, method: 'tools/call' }, CALL_HEADERS, 400, -32602],
    ['no version in _meta', without('protocolVersion'), CALL_HEADERS, 400, -32602],
    ['no capabilities in _meta', without('clientCapabilities'), CALL_HEADERS, 400, -32602],
    ['a version that is not text', versioned(7), CALL_HEADERS, 400, -32602],
    [
      'an unsupported version',
      versioned('2099-01-01'),
      { ...CALL_HEADERS, 'mcp-protocol-version': '2099-01-01' },
      400,
      -32022,
    ],
    ['an unknown method', modern('tools/teleport'), modernHeaders('tools/teleport'), 404, -32601],
    ['a method this server has no use for', modern('prompts/list'), modernHeaders('prompts/list'), 404, -32601],
    ['ping, which is gone', modern('ping'), modernHeaders('ping'), 404, -32601],
    ['initialize, which is gone', modern('initialize'), modernHeaders('initialize'), 404, -32601],
    [
      'a subscription, which would never tell anything',
      modern('subscriptions/listen', { notifications: { toolsListChanged: true } }),
      modernHeaders('subscriptions/listen'),
      404,
      -32601,
    ],
    ['an unknown tool', modern('tools/call', { name: 'NOPE' }), modernHeaders('tools/call', 'NOPE'), 200, -32602],
    ['a tool without a name', modern('tools/call', {}), modernHeaders('tools/call'), 200, -32602],
    ['arguments that are a list', modern('tools/call', { ...SEARCH, arguments: [] }), CALL_HEADERS, 200, -32602],
    ['a cursor nobody gave', modern('tools/list', { cursor: 'x' }), modernHeaders('tools/list'), 200, -32602],
  ])('refuses %s', async (_what, message, headers, status, code) => {
    const { url, calls } = await start()

    const answer = await post(url, message, headers)

    expect(answer).toMatchObject({ status, json: { jsonrpc: '2.0', id: 1, error: { code } } })
    expect(calls.filter(({ name }) => name !== 'NOPE')).toEqual([])
  })

  test('an unsupported version is answered with the supported one', async () => {
    const { url } = await start()
    const headers = { ...CALL_HEADERS, 'mcp-protocol-version': '2099-01-01' }

    const { json } = await post(url, versioned('2099-01-01'), headers)

    expect(json.error.data).toMatchObject({ supported: [MODERN_VERSION], requested: '2099-01-01' })
  })
})

describe('revisions that open with initialize', () => {
  const opening = (protocolVersion: string) =>
    legacy('initialize', { protocolVersion, capabilities: {}, clientInfo: { name: 'raw', version: '1' } })

  test('are those the SDK knows', () => {
    expect(LEGACY_VERSIONS).toEqual(SUPPORTED_PROTOCOL_VERSIONS)
  })

  test.each(LEGACY_VERSIONS)('%s is agreed to as asked', async (version) => {
    const { url } = await start()

    const { status, json } = await post(url, opening(version))

    expect(status).toBe(200)
    expect(json.result).toMatchObject({
      protocolVersion: version,
      capabilities: { tools: {} },
      serverInfo: { name: 'patchbay', version: '1.2.3' },
      instructions: expect.any(String),
    })
    expect(json.result).not.toHaveProperty('resultType')
  })

  test('an unknown version is answered with the newest one', async () => {
    const { url } = await start()

    const { json } = await post(url, opening('1999-01-01'))

    expect(json.result.protocolVersion).toBe(LEGACY_VERSIONS[0])
  })

  test('a client that opens so after probing for 2026-07-28 is served', async () => {
    const { url } = await start()
    await post(url, modern('server/discover'), modernHeaders('server/discover'))

    const { status, json } = await post(url, opening('2025-11-25'), { 'mcp-protocol-version': MODERN_VERSION })

    expect(status).toBe(200)
    expect(json.result.protocolVersion).toBe('2025-11-25')
  })

  test('ping is answered and notifications are accepted without a body', async () => {
    const { url } = await start()

    const ping = await post(url, legacy('ping'), { 'mcp-protocol-version': '2025-06-18' })
    const notification = await post(url, { jsonrpc: '2.0', method: 'notifications/initialized' })

    expect(ping).toMatchObject({ status: 200, json: { jsonrpc: '2.0', id: 1, result: {} } })
    expect(notification).toMatchObject({ status: 202, json: undefined })
  })

  test('results carry nothing of the newer revision', async () => {
    const { url } = await start()

    const list = await post(url, legacy('tools/list'))
    const call = await post(url, legacy('tools/call', SEARCH))

    expect(Object.keys(list.json.result)).toEqual(['tools'])
    expect(call.json.result).not.toHaveProperty('resultType')
    expect(call.json.result._meta).not.toHaveProperty('io.modelcontextprotocol/serverInfo')
  })

  test('a batch is answered in 2025-03-26 and refused in later ones', async () => {
    const { url } = await start()
    const batch = [legacy('ping', undefined, 'a'), legacy('tools/call', SEARCH, 'b')]

    const without = await post(url, batch)
    const early = await post(url, batch, { 'mcp-protocol-version': '2025-03-26' })
    const later = await post(url, batch, { 'mcp-protocol-version': '2025-06-18' })
    const newest = await post(url, [modern('tools/list')], modernHeaders('tools/list'))

    for (const answer of [without, early]) expect(answer.json.map(({ id }: Message) => id).sort()).toEqual(['a', 'b'])
    expect(later).toMatchObject({ status: 400, json: { error: { code: -32600 } } })
    expect(later.json.error.message).toContain('send one message per POST')
    expect(newest).toMatchObject({ status: 400, json: { error: { code: -32600 } } })
  })

  test.each<[string, unknown, Headers, number, number]>([
    ['an unknown method', legacy('tools/teleport'), {}, 200, -32601],
    ['an unknown tool', legacy('tools/call', { name: 'NOPE' }), {}, 200, -32602],
    ['arguments that are text', legacy('tools/call', { ...SEARCH, arguments: 'x' }), {}, 200, -32602],
    ['a cursor nobody gave', legacy('tools/list', { cursor: 'x' }), {}, 200, -32602],
    ['a version header that never was', legacy('tools/list'), { 'mcp-protocol-version': '2025-01-01' }, 400, -32000],
    ['an empty batch', [], {}, 400, -32600],
    ['a batch past the limit', Array.from({ length: 21 }, (_, id) => legacy('ping', undefined, id)), {}, 400, -32600],
  ])('refuse %s', async (_what, message, headers, status, code) => {
    const { url } = await start()

    const answer = await post(url, message, headers)

    expect(answer).toMatchObject({ status, json: { error: { code } } })
  })
})

describe('any revision', () => {
  test.each<[string, unknown, number]>([
    ['text that is not JSON', '{"jsonrpc":', -32700],
    ['an empty body', '', -32700],
    ['bytes that are not UTF-8', new Uint8Array([0x7b, 0xff, 0xfe, 0x7d]), -32700],
    ['null', null, -32600],
    ['a number', 7, -32600],
    ['an object that is no message', { hello: 'world' }, -32600],
    ['another JSON-RPC version', { ...legacy('tools/list'), jsonrpc: '1.0' }, -32600],
    ['an id that is an object', legacy('tools/list', undefined, {}), -32600],
    ['params that are a list', { ...legacy('tools/call'), params: [] }, -32600],
  ])('refuses %s', async (_what, body, code) => {
    const { url, errors } = await start()

    const answer = await post(
      url,
      typeof body === 'object' && !(body instanceof Uint8Array) ? JSON.stringify(body) : (body as string),
    )

    expect(answer).toMatchObject({ status: 400, json: { error: { code } } })
    expect(errors).toEqual([])
  })

  test('asks for the bearer on every method, and says when the one sent is wrong', async () => {
    const { url } = await start()

    const missing = await post(url, legacy('ping'), { authorization: undefined })
    const wrong = await post(url, legacy('ping'), { authorization: 'Bearer nope' })
    const other = await post(url, legacy('ping'), { authorization: `Basic ${TOKEN}` })
    const got = await fetch(url)

    expect([missing.status, wrong.status, other.status, got.status]).toEqual([401, 401, 401, 401])
    expect(missing.headers.get('www-authenticate')).toBe('Bearer realm="Patchbay"')
    expect(wrong.headers.get('www-authenticate')).toBe('Bearer realm="Patchbay", error="invalid_token"')
    expect(missing.json.error).toMatchObject({
      message: expect.stringContaining('token'),
      data: { code: 'unauthorized' },
    })
  })

  test('takes the bearer scheme in any case', async () => {
    const { url } = await start()

    const answer = await post(url, legacy('ping'), { authorization: `bearer  ${TOKEN}` })

    expect(answer.status).toBe(200)
  })

  test('a token opens its own instance only', async () => {
    const { origin } = await start()

    const answer = await post(`${origin}/inst_bob/mcp`, legacy('ping'))

    expect(answer.status).toBe(401)
  })

  test.each(['GET', 'DELETE', 'PUT'])('answers %s with 405', async (method) => {
    const { url } = await start()

    const response = await fetch(url, { method, headers: { authorization: `Bearer ${TOKEN}` } })

    expect(response.status).toBe(405)
    expect(response.headers.get('allow')).toContain('POST')
  })

  test('serves clients that accept only one kind of answer, or say nothing of it', async () => {
    const { url } = await start()
    const accepts = [undefined, '*/*', 'application/json', 'application/*;q=0.5', 'text/event-stream, application/json']

    const statuses = []
    for (const accept of accepts) {
      for (const message of [legacy('tools/list'), legacy('ping')]) {
        statuses.push((await post(url, message, { accept })).status)
      }
    }
    const excluded = await post(url, legacy('ping'), { accept: 'text/html' })

    expect(new Set(statuses)).toEqual(new Set([200]))
    expect(excluded.status).toBe(406)
  })

  test('takes JSON only, in any way of naming it, and not compressed', async () => {
    const { url } = await start()

    const named = await post(url, legacy('ping'), { 'content-type': 'Application/JSON; charset=utf-8' })
    const form = await post(url, legacy('ping'), { 'content-type': 'application/x-www-form-urlencoded' })
    const packed = await post(url, legacy('ping'), { 'content-encoding': 'gzip' })

    expect([named.status, form.status, packed.status]).toEqual([200, 415, 415])
    expect(form.json.error.data).toMatchObject({ code: 'unsupported_media_type' })
  })

  test('refuses a body past the limit, announced or not, and serves the next request', async () => {
    const { url } = await start({}, { limits: { bodyBytes: 1000 } })
    const large = JSON.stringify(legacy('tools/call', { ...SEARCH, arguments: { query: 'x'.repeat(1000) } }))

    const announced = await post(url, large)
    const streamed = await postInPieces(url, [large.slice(0, 600), large.slice(600)])
    const next = await post(url, legacy('ping'))

    expect(announced).toMatchObject({ status: 413, json: { error: { data: { code: 'too_large' } } } })
    expect(streamed).toBe(413)
    expect(next.status).toBe(200)
  })

  test('pages of other origins are refused before anything else, listed ones are let in', async () => {
    const { url, origin } = await start({}, { allowedOrigins: ['https://inspector.example'] })
    const loopback = origin.replace('127.0.0.1', 'localhost')

    const own = await post(url, legacy('ping'), { origin })
    const alias = await post(url, legacy('ping'), { origin: loopback })
    const listed = await post(url, legacy('ping'), { origin: 'https://inspector.example' })
    const refused = []
    for (const foreign of ['https://evil.example', 'null', 'https://inspector.example.evil.example', '']) {
      refused.push((await post(url, legacy('ping'), { origin: foreign, authorization: undefined })).status)
    }

    expect([own.status, alias.status, listed.status]).toEqual([200, 200, 200])
    expect(listed.headers.get('access-control-allow-origin')).toBe('https://inspector.example')
    expect(refused).toEqual([403, 403, 403, 403])
  })

  test('a listed page’s preflight is answered without a token', async () => {
    const { url } = await start({}, { allowedOrigins: ['https://inspector.example'] })

    const response = await fetch(url, { method: 'OPTIONS', headers: { origin: 'https://inspector.example' } })

    expect(response.status).toBe(204)
    expect(response.headers.get('access-control-allow-headers')).toContain('Mcp-Method')
  })

  test('a body parsed by the web server in front is taken as it is', async () => {
    const { url } = await start({ parsesBodies: true })

    const answers = [await post(url, legacy('tools/call', SEARCH)), await post(url, legacy('ping'))]

    expect(answers[0]?.json.result.structuredContent).toEqual({ echoed: { query: 'x' } })
    expect(answers[1]?.json.result).toEqual({})
  })

  test('every answer names its request', async () => {
    const { url } = await start()

    const fine = await post(url, legacy('tools/call', SEARCH))
    const refused = await post(url, legacy('ping'), { authorization: undefined })

    expect(fine.headers.get('x-request-id')).toBe(fine.json.result._meta['patchbay/request_id'])
    expect(refused.headers.get('x-request-id')).toBe(refused.json.error.data.request_id)
  })
})

describe('what an instance shows', () => {
  test('one that names connectors or tools shows them connected or not, any other what is connected', async () => {
    const asked: unknown[] = []
    const list: NonNullable<StandIn['list']> = async (filter) => {
      asked.push(filter.all ?? false)
      return [...TOOLS]
    }

    for (const policy of [{}, { effects: ['read'] as const }, { connectors: ['mail'] }, { tools: ['MAIL_*'] }]) {
      const { url } = await start({ policy, list })
      await post(url, legacy('tools/list'))
    }

    expect(asked).toEqual([false, false, true, true])
  })

  test('a list that fails is a protocol error with the gateway’s own words', async () => {
    const list = () => Promise.reject(new PatchbayError('provider_unavailable', 'Storage is away.', { retryAfter: 2 }))
    const { url } = await start({ list })

    for (const message of [legacy('tools/list'), modern('tools/list')]) {
      const answer = await post(url, message, 'params' in message ? modernHeaders('tools/list') : {})
      const error = {
        code: -32603,
        message: 'Storage is away.',
        data: { code: 'provider_unavailable', retry_after: 2 },
      }
      expect(answer).toMatchObject({ status: 200, json: { id: 1, error } })
    }
  })

  test('what the core did not foresee stays inside, whichever way the message went', async () => {
    const fault = new Error('password=hunter2')
    const { url, errors } = await start({ list: () => Promise.reject(fault) })

    const direct = await post(url, legacy('tools/list'))
    const batch = await post(url, [legacy('tools/list')])

    expect(JSON.stringify([direct.json, batch.json])).not.toContain('hunter2')
    expect(errors).toEqual([fault, fault])
  })

  test.each([
    ['rate_limited', 429],
    ['forbidden', 403],
    ['not_found', 404],
    ['internal', 500],
  ] as const)('a bearer refused as %s is HTTP %d', async (code, status) => {
    const { url } = await start({ bearer: () => Promise.reject(new PatchbayError(code, 'No.', { retryAfter: 1.2 })) })

    const answer = await post(url, legacy('ping'))

    expect(answer).toMatchObject({ status, json: { error: { data: { code } } } })
    if (status !== 500) expect(answer.headers.get('retry-after')).toBe('2')
  })
})

describe('going away', () => {
  test.each<[string, unknown, Headers]>([
    ['a direct call', legacy('tools/call', SEARCH), {}],
    ['a call of 2026-07-28', modern('tools/call', SEARCH), CALL_HEADERS],
    ['a call in a batch', [legacy('tools/call', SEARCH)], {}],
  ])('closing the connection cancels %s', async (_what, message, headers) => {
    const held = heldCalls()
    const { url, errors } = await start({ call: held.call })
    const client = open(url, message, headers)
    await held.reached

    client.destroy()

    await held.cancelled
    expect(errors).toEqual([])
  })

  test('stopping cancels what runs, waits for it, and turns new requests away', async () => {
    const held = heldCalls()
    const { url, endpoint } = await start({ call: held.call })
    const running = post(url, legacy('tools/call', SEARCH))
    await held.reached

    await endpoint.close()
    const late = await post(url, legacy('ping'))

    expect((await running).json.result).toMatchObject({ isError: true })
    expect(late).toMatchObject({ status: 503, json: { error: { data: { code: 'shutting_down' } } } })
    expect(late.headers.get('retry-after')).toBe('5')
  })

  test('a client that leaves in the middle of its body does no harm', async () => {
    const { url, errors } = await start()
    const client = open(url, undefined, { 'content-length': '1000' })
    client.write('{"jsonrpc":')
    await once(client, 'socket')

    client.destroy()

    expect((await post(url, legacy('ping'))).status).toBe(200)
    expect(errors).toEqual([])
  })
})

/** A request whose end is left to the test. */
function open(url: string, message: unknown, headers: Headers) {
  const all = { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json', ...headers }
  const sent = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined)) as Record<
    string,
    string
  >
  const request = httpRequest(url, { method: 'POST', headers: sent })
  request.on('error', () => {})
  if (message !== undefined) request.end(JSON.stringify(message))
  return request
}

async function postInPieces(url: string, pieces: readonly string[]): Promise<number | undefined> {
  const request = open(url, undefined, {})
  for (const piece of pieces) request.write(piece)
  request.end()
  const [response] = await once(request, 'response')
  response.resume()
  return response.statusCode
}

function heldCalls() {
  const reached = Promise.withResolvers<void>()
  const cancelled = Promise.withResolvers<void>()
  const call: NonNullable<StandIn['call']> = ({ signal }) =>
    new Promise((_resolve, reject) => {
      signal.addEventListener('abort', () => {
        cancelled.resolve()
        reject(new PatchbayError('cancelled', 'The caller went away.'))
      })
      reached.resolve()
    })
  return { reached: reached.promise, cancelled: cancelled.promise, call }
}
