import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { appCaller, createSmallGateway, notes, type SmallGateway } from '../../test/small-gateway.ts'
import type { Connection } from './connection.ts'
import type { Connector, Service, Tool } from './connector.ts'
import { PatchbayError } from './errors.ts'
import { addressBelow, baseAddress } from './service.ts'

/** A connector whose one read and one write tool run what a test gives. */
let act: (service: Service) => Promise<unknown>
const acting = (effect: Tool['effect']): Tool => ({
  ...(notes.tools['NOTES_SEARCH'] as Tool),
  effect,
  input: (notes.tools['NOTES_SHARE_NOTE'] as Tool).input.partial(),
  run: async (_input, service) => act(service),
})
const connector = { ...notes, tools: { NOTES_READ: acting('read'), NOTES_WRITE: acting('write') } } as Connector

let world: SmallGateway
let connection: Connection
beforeEach(async () => {
  world = await createSmallGateway({ connectors: [connector] })
  connection = await world.connect('ann')
})
afterEach(async () => {
  vi.restoreAllMocks()
  await world.remove()
})

function run(name: string, what: (service: Service) => Promise<unknown>, signal = new AbortController().signal) {
  act = what
  return world.gateway.tools
    .call(appCaller(), { userId: 'ann', name, arguments: {}, requestId: 'r1', signal, via: 'rest' })
    .then(({ data }) => data)
}
const read = (what: (service: Service) => Promise<unknown>, signal?: AbortSignal) => run('NOTES_READ', what, signal)
const write = (what: (service: Service) => Promise<unknown>) => run('NOTES_WRITE', what)
const status = async () => (await world.storage.connections.getAsGateway(connection.id))?.status

/** Lets timers pass at once; answers how long was waited, ms. */
function fastTimers(): number[] {
  const waits: number[] = []
  const real = globalThis.setTimeout
  vi.spyOn(globalThis, 'setTimeout').mockImplementation(((go: () => void, ms = 0) => {
    // The limits of whole calls are not waited for; nor are timers of the database.
    if (ms >= 30_000 || ms <= 50) return real(go, ms)
    waits.push(ms)
    return real(go, 0)
  }) as typeof setTimeout)
  return waits
}
describe('a request', () => {
  test('goes below the base address with the token, the connector’s headers and what it carries', async () => {
    await write(async (service) => {
      await service.get('/notes', { q: 'a&b', tag: ['x', 'y'], page: 2, deep: true, none: undefined, nil: null })
      await service.post('/notes', { text: 'ä' })
      await service.put('/notes/1', { a: 'b c', list: [1], none: undefined }, { as: 'form', query: { v: 1 } })
      await service.patch('/raw', Uint8Array.of(1, 2), { headers: { 'content-type': 'image/png', authorization: 'x' } })
      await service.delete('/notes/1')
    })

    const told = world.requests.map(({ method, url, headers, body }) => [
      `${method} ${url}`,
      headers?.['content-type'],
      body,
      headers?.['authorization'],
      headers?.['x-notes-version'],
    ])
    expect(told).toEqual([
      [
        'GET https://api.notes.test/v1/notes?q=a%26b&tag=x&tag=y&page=2&deep=true',
        undefined,
        undefined,
        'Bearer access',
        '2',
      ],
      ['POST https://api.notes.test/v1/notes', 'application/json; charset=utf-8', '{"text":"ä"}', 'Bearer access', '2'],
      [
        'PUT https://api.notes.test/v1/notes/1?v=1',
        'application/x-www-form-urlencoded',
        'a=b+c&list=%5B1%5D',
        'Bearer access',
        '2',
      ],
      ['PATCH https://api.notes.test/v1/raw', 'image/png', Uint8Array.of(1, 2), 'Bearer access', '2'],
      ['DELETE https://api.notes.test/v1/notes/1', undefined, undefined, 'Bearer access', '2'],
    ])
    for (const request of world.requests)
      expect(request).toMatchObject({ timeoutMs: 30_000, maxBytes: 20 * 1024 * 1024 })
  })

  test.each([
    '/../admin',
    '/a/..',
    '/a/./b',
    '/.',
    '/a/%2e%2e/b',
    '/a/.%2E/b',
    '/a/%2e/b',
    '/a\\..\\b',
    '/a/.\t./b',
    '/a/.\n./.\r./b',
    '/a?b=c',
    '/a#b',
    'a',
    '',
    'https://evil.test/',
  ])('to %j is refused, and nothing is sent', async (path) => {
    await expect(read((service) => service.get(path as '/a'))).rejects.toMatchObject({ code: 'invalid_input' })
    expect(world.requests).toEqual([])
  })

  test.each(['//evil.test/a', '/@evil.test', '/a..b', '/...', '/a/%2f..%2fb', '/:80'])(
    'to %j stays on its host',
    (path) => {
      const { origin, pathname } = new URL(addressBelow('https://api.notes.test/v1', path))

      expect(origin).toBe('https://api.notes.test')
      expect(pathname.startsWith('/v1')).toBe(true)
    },
  )

  test('goes to the address of the connection, and is not sent where that is not known', () => {
    const shop = { ...connector, api: 'https://{shop}.notes.test/{version}' }
    const about = { label: 'Shop', settings: { shop: 'a', version: '1' }, captured: { version: '2' } }

    expect(baseAddress(shop, about)).toBe('https://a.notes.test/2')
    expect(() => baseAddress(shop, { ...about, settings: {} })).toThrow(
      expect.objectContaining({ code: 'not_configured', message: expect.stringContaining('"shop"') }),
    )
  })
})

describe('a service that fails for a moment', () => {
  test.each<[string, string, (service: Service) => Promise<unknown>]>([
    ['a GET', 'NOTES_READ', (service) => service.get('/notes')],
    ['a GET of a write', 'NOTES_WRITE', (service) => service.get('/notes')],
    ['a POST of a read', 'NOTES_READ', (service) => service.post('/search')],
  ])('is asked again for %s, three times in all', async (_, name, what) => {
    fastTimers()
    world.answers.push({ status: 503 }, { status: 502 }, { body: { here: true } })
    expect(await run(name, what)).toEqual({ here: true })
    expect(world.requests).toHaveLength(3)

    world.answers.push({ status: 500 }, { status: 500 }, { status: 500, body: { message: 'Broken.' } })
    await expect(run(name, what)).rejects.toMatchObject({
      code: 'provider_unavailable',
      message: 'Notes failed: Broken.',
      providerStatus: 500,
    })
    expect(world.requests).toHaveLength(6)
  })

  test.each<[string, { status: number; headers?: Record<string, string> }]>([
    ['with 500', { status: 500 }],
    ['with 503 and a short wait', { status: 503, headers: { 'retry-after': '1' } }],
    ['with 429 and a short wait', { status: 429, headers: { 'retry-after': '1' } }],
  ])('%s is never asked again for a write', async (_, answer) => {
    fastTimers()
    for (const method of ['post', 'put', 'patch', 'delete'] as const) {
      world.answers.push(answer)
      await expect(write((service) => service[method]('/notes/1', { text: 'x' }))).rejects.toBeInstanceOf(PatchbayError)
    }

    expect(world.requests).toHaveLength(4)
  })

  test('or cannot be reached is asked again for a read, never for a write', async () => {
    fastTimers()
    const unreachable = () => {
      throw new PatchbayError('provider_unavailable', 'Nobody answered.')
    }
    world.answers.push(unreachable, { body: 1 })
    expect(await read((service) => service.get('/a'))).toBe(1)
    world.answers.push(unreachable)
    await expect(write((service) => service.post('/a'))).rejects.toMatchObject({ code: 'provider_unavailable' })

    expect(world.requests).toHaveLength(3)
  })

  test.each(['timeout', 'too_large', 'egress_refused'] as const)('by %s is not asked again', async (code) => {
    world.answers.push(() => {
      throw new PatchbayError(code, 'No.')
    })

    await expect(read((service) => service.get('/a'))).rejects.toMatchObject({ code })
    expect(world.requests).toHaveLength(1)
  })
})

describe('a service that limits how often', () => {
  const inSeconds = (seconds: number) => new Date(Date.now() + seconds * 1000).toUTCString()
  const epoch = (seconds: number) => String(Math.floor(Date.now() / 1000) + seconds)

  test.each<[string, number, () => Record<string, string>, number, number]>([
    ['seconds', 429, () => ({ 'retry-after': '2' }), 2_000, 2_000],
    ['zero seconds', 429, () => ({ 'retry-after': '0' }), 1_000, 1_000],
    ['a date', 429, () => ({ 'retry-after': inSeconds(3) }), 2_000, 3_000],
    ['a date that has passed', 429, () => ({ 'retry-after': inSeconds(-60) }), 1_000, 1_000],
    ['nothing', 429, () => ({}), 1_000, 1_000],
    ['nonsense', 429, () => ({ 'retry-after': 'soon' }), 1_000, 1_000],
    [
      'the time of the reset',
      403,
      () => ({ 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': epoch(3) }),
      2_000,
      3_000,
    ],
    ['seconds, with 403', 403, () => ({ 'retry-after': '4' }), 4_000, 4_000],
    ['seconds, with 503', 503, () => ({ 'retry-after': '4' }), 4_000, 4_000],
  ])('and says %s is waited for', async (_, code, headers, least, most) => {
    const waits = fastTimers()
    world.answers.push({ status: code, headers: headers() }, { body: 'here' })

    expect(await read((service) => service.get('/a'))).toBe('here')
    expect(waits).toHaveLength(1)
    expect(waits[0]).toBeGreaterThanOrEqual(least)
    expect(waits[0]).toBeLessThanOrEqual(most)
  })

  test.each<[string, number, () => Record<string, string>, number, string]>([
    ['seconds', 429, () => ({ 'retry-after': '120' }), 120, 'rate_limited'],
    ['a date', 429, () => ({ 'retry-after': inSeconds(300) }), 300, 'rate_limited'],
    [
      'the time of the reset',
      403,
      () => ({ 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': epoch(900) }),
      900,
      'rate_limited',
    ],
    ['seconds, while it is down', 503, () => ({ 'retry-after': '60' }), 60, 'provider_unavailable'],
  ])('for long, and says %s, is told to the caller at once', async (_, code, headers, seconds, error) => {
    world.answers.push({ status: code, headers: headers(), body: { message: 'Slow down.' } })

    const refused = await read((service) => service.get('/a')).catch((thrown: PatchbayError) => thrown)

    expect(refused).toMatchObject({ code: error, retryable: true, providerStatus: code })
    expect(Math.abs(((refused as PatchbayError).retryAfter as number) - seconds)).toBeLessThanOrEqual(1)
    expect(world.requests).toHaveLength(1)
  })

  test('is left as soon as the caller goes away', async () => {
    const caller = new AbortController()
    world.answers.push(() => {
      setImmediate(() => caller.abort())
      return { status: 429, headers: { 'retry-after': '5' } }
    })
    const started = performance.now()

    await expect(read((service) => service.get('/a'), caller.signal)).rejects.toMatchObject({ code: 'cancelled' })
    expect(performance.now() - started).toBeLessThan(4_000)
    expect(world.requests).toHaveLength(1)
  })
})

describe('a token that is refused', () => {
  const refusals = [
    ['with 401', { status: 401 }],
    ['with 200 and the service’s own word', { body: { failed: { code: 'token_revoked', as: 'unauthorized' } } }],
  ] as const

  test.each(refusals)('%s is renewed once, for writes too, and the call goes on', async (_, refusal) => {
    world.answers.push(refusal, { body: { done: true } })

    expect(await write((service) => service.post('/notes', { text: 'x' }))).toEqual({ done: true })

    expect(world.refreshes).toHaveLength(1)
    expect(world.requests.map((request) => request.headers?.['authorization'])).toEqual([
      'Bearer access',
      'Bearer fresh_1',
    ])
    expect(world.requests.map(({ body }) => body)).toEqual(['{"text":"x"}', '{"text":"x"}'])
    expect(await status()).toBe('active')
  })

  test.each(refusals)('%s again after it was renewed ends the connection, and says why', async (_, refusal) => {
    world.answers.push(refusal, refusal)

    await expect(read((service) => service.get('/a'))).rejects.toMatchObject({
      code: 'needs_reauth',
      fix: { action: expect.any(String), url: expect.stringContaining('/connect/cl_') },
    })

    expect(world.refreshes).toHaveLength(1)
    expect(world.requests).toHaveLength(2)
    expect(await status()).toBe('needs_reauth')
  })
})

describe('failures of one connection', () => {
  test('let only that connection rest', async () => {
    const other = await world.connect('bob')
    const ask = (userId: string) => {
      act = (service) => service.post('/a')
      return world.gateway.tools
        .call(appCaller(), {
          userId,
          name: 'NOTES_WRITE',
          arguments: {},
          requestId: 'r',
          signal: new AbortController().signal,
          via: 'rest',
        })
        .catch((error) => error)
    }
    for (let failure = 0; failure < 8; failure++) {
      world.answers.push({ status: 500 })
      await ask('ann')
    }

    const resting = await ask('ann')
    const well = await ask('bob')

    expect(resting).toMatchObject({ code: 'provider_unavailable', message: expect.stringContaining('in a row') })
    expect(resting.retryAfter).toBeGreaterThan(0)
    expect(well).toMatchObject({ connectionId: other.id, data: {} })
    expect(world.requests).toHaveLength(9)
  })

  test('that are no fault of the service let nothing rest', async () => {
    for (const status of [400, 403, 404, 409, 422]) {
      for (let round = 0; round < 8; round++) {
        world.answers.push({ status })
        await expect(write((service) => service.post('/a'))).rejects.toMatchObject({ code: 'provider_rejected' })
      }
    }

    await expect(write((service) => service.post('/a'))).resolves.toEqual({})
  })
})

describe('an answer', () => {
  test.each<[string, Buffer]>([
    ['plainly', Buffer.from('{"echo":"Bearer to/ken+1="}')],
    ['with escaped slashes', Buffer.from('{"echo":"Bearer to\\/ken+1="}')],
    ['in an address', Buffer.from('{"echo":"https://x.test/?t=to%2Fken%2B1%3D"}')],
  ])('that repeats the token %s is passed on without it', async (_, body) => {
    await world.storage.connections.remove('default', 'ann', connection.id, [])
    await world.connect('ann', {}, { default: { accessToken: 'to/ken+1=' } })
    world.answers.push({ body }, { body, status: 400 })

    const data = await read((service) => service.get('/a'))
    const error = await read((service) => service.get('/a')).catch((thrown: Error) => thrown)

    expect(JSON.stringify(data)).toContain('[redacted]')
    expect(`${JSON.stringify(data)} ${error} ${JSON.stringify(await world.events())}`).not.toMatch(/ken(\+|%2B)1/)
  })

  test.each([
    ['is empty', { body: Buffer.alloc(0) }, undefined],
    ['is empty with 204', { status: 204, body: Buffer.alloc(0) }, undefined],
    ['is a list', { body: [1] }, [1]],
  ])('that %s', async (_, answer, data) => {
    world.answers.push(answer)

    expect(await read((service) => service.get('/a'))).toEqual(data)
  })

  test.each<[object, object]>([
    [
      { body: Buffer.from('<html>') },
      { code: 'provider_unavailable', message: 'Notes answered something that is not JSON (HTTP 200).' },
    ],
    [
      { status: 404, body: Buffer.from('<html>') },
      { code: 'provider_rejected', message: 'Notes: http_404' },
    ],
    [
      { status: 302, headers: { location: 'https://evil.test' } },
      { code: 'provider_rejected', message: 'Notes: http_302' },
    ],
    [{ status: 400, body: { error: { message: 'Bad.' } } }, { message: 'Notes: Bad.' }],
    [{ status: 400, body: { error: 'bad', error_description: 'Worse.' } }, { message: 'Notes: Worse.' }],
    [{ status: 422, body: { message: 'No.', errors: [{ message: 'a' }, 'b', 7] } }, { message: 'Notes: No.: a; b' }],
    [
      { status: 400, body: { message: `a\nb\u202e\u200bc${String.fromCodePoint(0xe0041)}` } },
      { message: 'Notes: a bc' },
    ],
    [
      { body: { failed: { code: 'x', as: 'missing_scope', scope: 'notes.all' } } },
      { code: 'missing_scope', details: { service: 'notes', error: 'x', scope: 'notes.all' } },
    ],
    [{ body: { failed: { code: 'busy', as: 'rate_limited' } } }, { code: 'rate_limited', retryAfter: 30 }],
    [{ body: { failed: { code: 'down', as: 'unavailable' } } }, { code: 'provider_unavailable' }],
    [{ body: { failed: { code: 'odd', message: 'Odd.' } } }, { code: 'provider_rejected', message: 'Notes: Odd.' }],
  ])('%j of a service is the error %j', async (answer, error) => {
    world.answers.push(answer)

    await expect(write((service) => service.post('/a'))).rejects.toMatchObject(error)
  })

  test('of bytes keeps its type, and its failures are failures', async () => {
    world.answers.push(
      { body: Buffer.from([0, 255]), headers: { 'content-type': 'image/png' } },
      { status: 404, body: { message: 'Gone.' } },
    )
    let found: { data: Uint8Array; contentType: string } | undefined
    await read(async (service) => {
      found = await service.bytes('/file', { v: 1 })
    })

    expect(found).toEqual({ data: Buffer.from([0, 255]), contentType: 'image/png' })
    await expect(read((service) => service.bytes('/file'))).rejects.toMatchObject({ message: 'Notes: Gone.' })
  })
})

describe('an upload', () => {
  test('goes to a declared host without the credential', async () => {
    await write((service) => service.upload('https://files.notes.test/up?sig=1', Uint8Array.of(1), 'image/png'))

    expect(world.requests).toMatchObject([
      { method: 'POST', url: 'https://files.notes.test/up?sig=1', headers: { 'content-type': 'image/png' } },
    ])
    expect(JSON.stringify(world.requests[0]?.headers)).not.toContain('access')
  })

  test.each([
    'https://evil.test/up',
    'https://files.notes.test.evil.test/up',
    'https://files.notes.test@evil.test/up',
    'https://files.notes.test:8443/up',
    'https://api.notes.test/up',
    'http://files.notes.test/up',
    'ftp://files.notes.test/up',
    '/up',
    'no address',
  ])('to %s is refused, and nothing is sent', async (url) => {
    await expect(write((service) => service.upload(url, Uint8Array.of(1), 'image/png'))).rejects.toMatchObject({
      code: 'egress_refused',
    })
    expect(world.requests).toEqual([])
  })

  test('that the service does not take is told', async () => {
    world.answers.push({ status: 413 })

    await expect(
      write((service) => service.upload('https://files.notes.test/up', Uint8Array.of(1), 'image/png')),
    ).rejects.toMatchObject({ code: 'provider_unavailable', providerStatus: 413 })
    expect(world.requests).toHaveLength(1)
  })
})

test('a connector sees whose connection it is and never its token', async () => {
  const seen = await read(async (service) => ({ ...service, signal: undefined, all: JSON.stringify(service) }))

  expect(seen).toMatchObject({ account: connection.account, tokens: ['default'] })
  expect(JSON.stringify(seen)).not.toContain('"access"')
})
