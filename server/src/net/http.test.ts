import { createServer, type RequestListener, type Server } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { type AddressInfo, createServer as createTcpServer, type Server as TcpServer } from 'node:net'
import { brotliCompressSync, gzipSync, zstdCompressSync } from 'node:zlib'
import { afterEach, describe, expect, it } from 'vitest'
import { PatchbayError } from '../core/errors.ts'
import type { HttpRequest } from '../core/http.ts'
import { createHttp, type HttpOptions } from './http.ts'

const closing: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

function door(options: Partial<HttpOptions> = {}) {
  const { http, close } = createHttp({ allow: ['loopback'], ...options })
  closing.push(close)
  return (request: Partial<HttpRequest> & { url: string }) =>
    http({ method: 'GET', timeoutMs: 5_000, maxBytes: 1_000_000, ...request })
}

async function listen(server: Server | TcpServer): Promise<number> {
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready))
  closing.push(() => {
    if ('closeAllConnections' in server) server.closeAllConnections()
    return new Promise((done) => server.close(done))
  })
  return (server.address() as AddressInfo).port
}

async function service(handler: RequestListener): Promise<string> {
  return `http://127.0.0.1:${await listen(createServer(handler))}`
}

/** A server that reads a request and then does what it is told with the bare socket. */
async function rawService(answer: string | null): Promise<string> {
  const server = createTcpServer((socket) => {
    socket.on('error', () => {})
    socket.once('data', () => (answer === null ? socket.destroy() : socket.end(answer)))
  })
  return `http://127.0.0.1:${await listen(server)}`
}

async function failure(call: Promise<unknown>): Promise<PatchbayError> {
  const error = await call.then(
    () => undefined,
    (reason) => reason,
  )
  expect(error).toBeInstanceOf(PatchbayError)
  return error as PatchbayError
}

const public4 = { address: '93.184.215.14', family: 4 }
const inside4 = { address: '127.0.0.1', family: 4 }

describe('an exchange', () => {
  it('sends method, path, query, headers and body, and hands the answer back whole', async () => {
    const base = await service((request, response) => {
      let body = ''
      request.on('data', (chunk) => {
        body += chunk
      })
      request.on('end', () => {
        response.writeHead(201, { 'X-Kind': 'a', 'Set-Cookie': ['a=1', 'b=2'], Vary: 'accept' })
        response.end(JSON.stringify({ method: request.method, url: request.url, headers: request.headers, body }))
      })
    })

    const answer = await door()({
      method: 'POST',
      url: `${base}/a%2Fb?q=1&r=%20`,
      headers: { 'Content-Type': 'text/plain' },
      body: 'grüße',
    })

    expect(answer.status).toBe(201)
    expect(answer.headers).toMatchObject({ 'x-kind': 'a', 'set-cookie': 'a=1\nb=2', vary: 'accept' })
    expect(JSON.parse(answer.body.toString())).toMatchObject({
      method: 'POST',
      url: '/a%2Fb?q=1&r=%20',
      headers: { 'content-type': 'text/plain', 'accept-encoding': 'gzip, br, zstd', 'user-agent': 'Patchbay' },
      body: 'grüße',
    })
  })

  it('hands a redirect back instead of following it', async () => {
    let calls = 0
    const base = await service((_request, response) => {
      calls++
      response.writeHead(302, { location: '/elsewhere' }).end()
    })

    const answer = await door()({ url: base })

    expect(answer).toMatchObject({ status: 302, headers: { location: '/elsewhere' } })
    expect(calls).toBe(1)
  })

  it('reuses connections for requests that follow each other', async () => {
    const ports = new Set<number | undefined>()
    const base = await service((request, response) => {
      ports.add(request.socket.remotePort)
      response.end('ok')
    })
    const http = door()

    for (let i = 0; i < 20; i++) await http({ url: `${base}/${i}` })

    // A connection rests for one turn of the event loop after an answer, so a second one may take over meanwhile.
    expect(ports.size).toBeLessThanOrEqual(2)
  })

  it('never opens more connections to an origin than allowed', async () => {
    let open = 0
    let most = 0
    const base = await service((_request, response) => {
      most = Math.max(most, ++open)
      setImmediate(() => {
        open--
        response.end('ok')
      })
    })
    const http = door({ connectionsPerOrigin: 3 })

    await Promise.all(Array.from({ length: 30 }, () => http({ url: base })))

    expect(most).toBeLessThanOrEqual(3)
  })

  it('keeps a bounded number of origins and lets what runs on an evicted one finish', async () => {
    let answerFirst = () => {}
    let firstArrived = () => {}
    const arrived = new Promise<void>((resolve) => {
      firstArrived = resolve
    })
    const slow = await service((_request, response) => {
      answerFirst = () => response.end('slow')
      firstArrived()
    })
    const others = await Promise.all([1, 2, 3].map((n) => service((_request, response) => response.end(`${n}`))))
    const http = door({ maxOrigins: 2 })

    const first = http({ url: slow })
    await arrived
    for (const other of others) await http({ url: other })
    answerFirst()

    expect((await first).body.toString()).toBe('slow')
  })

  it.each([
    ['gzip', gzipSync],
    ['br', brotliCompressSync],
    ['zstd', zstdCompressSync],
  ])('decodes %s', async (encoding, compress) => {
    const text = 'Ein längerer Text. '.repeat(20_000)
    const base = await service((_request, response) => {
      response.setHeader('content-encoding', encoding)
      response.end(compress(Buffer.from(text)))
    })

    const answer = await door()({ url: base })

    expect(answer.body.toString()).toBe(text)
    expect(answer.headers['content-encoding']).toBeUndefined()
    expect(answer.headers['content-length']).toBeUndefined()
  })

  it('takes an encoded answer without a body', async () => {
    const base = await service((_request, response) => response.writeHead(204, { 'content-encoding': 'gzip' }).end())

    expect(await door()({ url: base })).toMatchObject({ status: 204, body: Buffer.alloc(0) })
  })
})

describe('limits', () => {
  it('stops reading an answer that announces too much', async () => {
    const base = await service((_request, response) => {
      response.writeHead(200, { 'content-length': '5000000' })
      response.write('x')
    })

    const error = await failure(door()({ url: base, maxBytes: 1_000 }))

    expect(error).toMatchObject({ code: 'too_large', details: { limit: 1_000, sent: true } })
  })

  it('stops an endless answer at the limit and closes its connection', async () => {
    let closed = () => {}
    const ended = new Promise<void>((resolve) => {
      closed = resolve
    })
    const base = await service((_request, response) => {
      const pour = () => {
        while (response.write(Buffer.alloc(16_384)));
      }
      response.on('drain', pour).on('close', closed)
      pour()
    })

    const error = await failure(door()({ url: base, maxBytes: 100_000 }))

    expect(error.code).toBe('too_large')
    await ended
  })

  it('counts bytes after decompression, so that a bomb is stopped early', async () => {
    const bomb = gzipSync(Buffer.alloc(50_000_000))
    expect(bomb.length).toBeLessThan(100_000)
    const base = await service((_request, response) => {
      response.setHeader('content-encoding', 'gzip')
      response.end(bomb)
    })

    expect(await failure(door()({ url: base, maxBytes: 200_000 }))).toMatchObject({ code: 'too_large' })
  })

  it.each([
    ['a cut off encoding', 'gzip', gzipSync(Buffer.from('hello world')).subarray(0, 15)],
    ['bytes that are not what they say', 'br', Buffer.from('not brotli at all')],
    ['an encoding that was not asked for', 'compress', Buffer.from('x')],
    ['an encoding named like an object member', 'constructor', Buffer.from('x')],
  ])('reports %s as the service failing', async (_what, encoding, body) => {
    const base = await service((_request, response) => {
      response.setHeader('content-encoding', encoding)
      response.end(body)
    })

    expect(await failure(door()({ url: base }))).toMatchObject({
      code: 'provider_unavailable',
      details: { sent: true, reason: 'content_encoding' },
    })
  })

  it('bounds the headers of an answer', async () => {
    const base = await rawService(`HTTP/1.1 200 OK\r\nx: ${'y'.repeat(100_000)}\r\ncontent-length: 0\r\n\r\n`)

    expect(await failure(door()({ url: base }))).toMatchObject({ code: 'too_large', details: { sent: true } })
  })

  it('bounds the whole exchange in time, body included', async () => {
    const base = await service((_request, response) => {
      response.writeHead(200)
      response.write('begun')
    })

    expect(await failure(door()({ url: `${base}/p?secret=1`, timeoutMs: 300 }))).toMatchObject({
      code: 'timeout',
      message: '127.0.0.1 did not answer within 0.3 s.',
      details: { sent: true },
    })
  })

  it('says that a request still waiting for a connection was not sent', async () => {
    let arrivals = 0
    let firstArrived = () => {}
    const arrived = new Promise<void>((resolve) => {
      firstArrived = resolve
    })
    const base = await service(() => {
      arrivals++
      firstArrived()
    })
    const http = door({ connectionsPerOrigin: 1 })
    const caller = new AbortController()

    const blocking = failure(http({ url: base, signal: caller.signal }))
    await arrived
    const waiting = await failure(http({ url: base, timeoutMs: 50 }))
    caller.abort()

    expect(waiting).toMatchObject({ code: 'timeout', details: { sent: false } })
    expect((await blocking).details).toMatchObject({ sent: true })
    expect(arrivals).toBe(1)
  })
})

describe('cancelling', () => {
  it('ends the call and its connection', async () => {
    const caller = new AbortController()
    let closed = () => {}
    const ended = new Promise<void>((resolve) => {
      closed = resolve
    })
    const base = await service((_request, response) => {
      response.on('close', closed)
      caller.abort()
    })

    expect(await failure(door()({ url: base, signal: caller.signal }))).toMatchObject({
      code: 'cancelled',
      details: { sent: true },
    })
    await ended
  })

  it('sends nothing for a caller who has already gone', async () => {
    let calls = 0
    const base = await service((_request, response) => {
      calls++
      response.end()
    })
    const http = door()

    const error = await failure(http({ url: base, signal: AbortSignal.abort() }))
    await http({ url: base })

    expect(error).toMatchObject({ code: 'cancelled', details: { sent: false } })
    expect(calls).toBe(1)
  })

  it('refuses requests after close', async () => {
    const { http, close } = createHttp({ allow: [] })
    await close()

    expect(
      await failure(http({ method: 'GET', url: 'https://service.test', timeoutMs: 100, maxBytes: 1 })),
    ).toMatchObject({
      code: 'shutting_down',
    })
  })
})

describe('refusals', () => {
  it.each([
    'https://127.0.0.1',
    'https://2130706433',
    'https://0x7f000001',
    'https://0177.0.0.1',
    'https://0x7f.1',
    'https://127.1',
    'https://127。0。0。1',
    'https://[::1]',
    'https://[::ffff:127.0.0.1]',
    'https://[0:0:0:0:0:ffff:7f00:1]',
    'https://169.254.169.254/latest/meta-data',
    'https://[fd00:ec2::254]',
    'https://10.0.0.1',
    'https://0.0.0.0',
    'https://[::]',
    'https://[64:ff9b::7f00:1]',
    'https://[2002:7f00:1::]',
    'http://93.184.215.14',
  ])('refuses %s', async (url) => {
    const error = await failure(door({ allow: [] })({ url }))

    expect(error).toMatchObject({ code: 'egress_refused', details: { setting: 'EGRESS_ALLOW', sent: false } })
    expect(error.message).toContain('EGRESS_ALLOW')
  })

  it.each(['ftp://service.test/x', 'file:///etc/passwd', 'data:text/plain,x', 'ws://service.test'])(
    'refuses the scheme of %s',
    async (url) => {
      expect(await failure(door({ allow: ['*'] })({ url }))).toMatchObject({
        code: 'egress_refused',
        details: { reason: 'scheme' },
      })
    },
  )

  it('refuses credentials in an address without repeating them', async () => {
    const error = await failure(door({ allow: ['*'] })({ url: 'https://ann:hunter2@service.test/x' }))

    expect(error).toMatchObject({ code: 'egress_refused', details: { host: 'service.test' } })
    expect(JSON.stringify([error.message, error.details])).not.toContain('hunter2')
  })

  it('refuses a name when any of its addresses is out of bounds', async () => {
    const http = door({ allow: [], resolve: async () => [public4, { address: '10.0.0.7', family: 4 }] })

    const error = await failure(http({ url: 'https://mixed.test/x?secret=1' }))

    expect(error.message).toBe(
      'Connecting to mixed.test is refused: its name leads to a private address. To allow it, add mixed.test to the setting EGRESS_ALLOW.',
    )
  })

  it('refuses a name that first leads where it may and then inside', async () => {
    const port = new URL(await service((_request, response) => response.setHeader('connection', 'close').end())).port
    const answers = [inside4, { address: '127.0.0.2', family: 4 }]
    const http = door({ allow: ['127.0.0.1'], resolve: async () => answers.splice(0, 1) })

    const first = await http({ url: `http://rebind.test:${port}` })
    const second = await failure(http({ url: `http://rebind.test:${port}` }))

    expect(first.status).toBe(200)
    expect(second).toMatchObject({ code: 'egress_refused', details: { reason: 'loopback', sent: false } })
    expect(answers).toEqual([])
  })

  it('connects to the address that was checked, resolving once per connection', async () => {
    const port = new URL(await service((request, response) => response.end(request.headers.host))).port
    const asked: string[] = []
    const http = door({
      resolve: async (host) => {
        asked.push(host)
        return asked.length === 1 ? [inside4] : [{ address: '10.0.0.1', family: 4 }]
      },
    })

    const answer = await http({ url: `http://pinned.test:${port}/` })

    expect(answer.body.toString()).toBe(`pinned.test:${port}`)
    expect(asked).toEqual(['pinned.test'])
  })

  it.each(['Host', 'connection', 'Transfer-Encoding', 'content-length', 'upgrade'])(
    'does not let a caller set the header %s',
    async (name) => {
      expect(await failure(door()({ url: 'https://service.test', headers: { [name]: 'x' } }))).toMatchObject({
        code: 'invalid_input',
        details: { sent: false },
      })
    },
  )

  it('refuses what is no valid HTTP without quoting it', async () => {
    const base = await service((_request, response) => response.end())

    for (const request of [
      { headers: { authorization: 'Bearer hunter2\r\nx: y' } },
      { headers: { 'bad name': 'hunter2' } },
      { method: 'GET hunter2' },
      { method: 'CONNECT' },
    ]) {
      const error = await failure(door()({ url: base, ...request }))
      expect(error.code).toBe('invalid_input')
      expect(error.message).not.toContain('hunter2')
    }
    expect((await failure(door()({ url: 'not an address' }))).code).toBe('invalid_input')
  })
})

describe('TLS', () => {
  async function tlsService(): Promise<number> {
    return listen(
      createTlsServer({ key: TEST_KEY, cert: TEST_CERT }, (request, response) => response.end(request.headers.host)),
    )
  }

  it('proves the host that was asked for, at the pinned address', async () => {
    const port = await tlsService()
    const http = door({ ca: TEST_CERT, resolve: async () => [inside4] })

    expect((await http({ url: `https://service.test:${port}/` })).body.toString()).toBe(`service.test:${port}`)
  })

  it('refuses a certificate of another name', async () => {
    const port = await tlsService()
    const http = door({ ca: TEST_CERT, resolve: async () => [inside4] })

    expect(await failure(http({ url: `https://other.test:${port}/` }))).toMatchObject({
      code: 'provider_unavailable',
      details: { sent: false, reason: 'ERR_TLS_CERT_ALTNAME_INVALID' },
    })
  })

  it('refuses a certificate nobody vouches for', async () => {
    const port = await tlsService()

    expect(
      await failure(door({ resolve: async () => [inside4] })({ url: `https://service.test:${port}/` })),
    ).toMatchObject({
      code: 'provider_unavailable',
      details: { sent: false },
    })
  })
})

describe('failures of the other side', () => {
  it('says that nothing was sent when nobody listens', async () => {
    const server = createTcpServer()
    const port = await listen(server)
    await new Promise((done) => server.close(done))

    expect(await failure(door()({ url: `http://127.0.0.1:${port}/?secret=1` }))).toMatchObject({
      code: 'provider_unavailable',
      message: '127.0.0.1 could not be reached (ECONNREFUSED).',
      details: { sent: false },
    })
  })

  it('says that nothing was sent when the name does not exist', async () => {
    const resolve = () => Promise.reject(Object.assign(new Error('getaddrinfo'), { code: 'ENOTFOUND' }))

    expect(await failure(door({ resolve })({ url: 'https://nowhere.test' }))).toMatchObject({
      code: 'provider_unavailable',
      message: 'The host nowhere.test could not be found.',
      details: { sent: false, reason: 'ENOTFOUND' },
    })
  })

  it.each<[string, string | null]>([
    ['a connection closed without an answer', null],
    ['an answer cut off in its body', 'HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nshort'],
    ['bytes that are no HTTP', 'xoxb-secret-token says hello\r\n\r\n'],
  ])('says that the request may have arrived after %s', async (_what, bytes) => {
    const error = await failure(door()({ url: await rawService(bytes), method: 'POST', body: 'x' }))

    expect(error).toMatchObject({ code: 'provider_unavailable', details: { sent: true } })
    expect(error.cause).toBeUndefined()
    expect(JSON.stringify([error.message, error.details])).not.toContain('xoxb')
  })
})

// Made for these tests; trusted by nothing else.
const TEST_KEY = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgPN4YbzHasF2zk2jw
DgkgdySjcE5Dd8Wc0x6wDLvL6QyhRANCAAQIJhPgTA7iaqclKA2qzYTSk8BqOZNu
u2eNQbFIbWOoRPsUweVjYc3trBgrHCQIxUf2U8Jqa3kd9fXt1KGtth2g
-----END PRIVATE KEY-----`

const TEST_CERT = `-----BEGIN CERTIFICATE-----
MIIBnzCCAUSgAwIBAgIUfU9WXUbYnR1kW3Be+oM6e9hLmTEwCgYIKoZIzj0EAwIw
FzEVMBMGA1UEAwwMc2VydmljZS50ZXN0MCAXDTI2MTEyMDIzNDQ0MFoYDzIxMjYx
MDI3MjM0NDQwWjAXMRUwEwYDVQQDDAxzZXJ2aWNlLnRlc3QwWTATBgcqhkjOPQIB
BggqhkjOPQMBBwNCAAQIJhPgTA7iaqclKA2qzYTSk8BqOZNuu2eNQbFIbWOoRPsU
weVjYc3trBgrHCQIxUf2U8Jqa3kd9fXt1KGtth2go2wwajAdBgNVHQ4EFgQUFLit
ZbOCY6iOyNSMq2Sdt2r7MoowHwYDVR0jBBgwFoAUFLitZbOCY6iOyNSMq2Sdt2r7
MoowDwYDVR0TAQH/BAUwAwEB/zAXBgNVHREEEDAOggxzZXJ2aWNlLnRlc3QwCgYI
KoZIzj0EAwIDSQAwRgIhAL5Iq7I0Z+AoN83EBxZ7szR4ASIoXlMXVDkvNPIR2gvb
AiEAoFpTamkQeRbvUqI4GXAZkBOijdxjthRtFXrg8BNYAsY=
-----END CERTIFICATE-----`
