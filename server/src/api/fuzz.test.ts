import { createRequire } from 'node:module'
import { connect } from 'node:net'
import type { FastifyInstance } from 'fastify'
import pino from 'pino'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { KEYS, standInGateway } from '../../test/stand-in-gateway.ts'
import { createApi } from './app.ts'

/** Every operation of the OpenAPI document against every kind of bad input, the same each run. */

interface Schema {
  type?: string | string[]
  properties?: Record<string, Schema>
  required?: string[]
  items?: Schema
  enum?: unknown[]
  const?: unknown
  pattern?: string
  maxLength?: number
  anyOf?: Schema[]
  $ref?: string
}
interface Operation {
  parameters?: { name: string; in: 'path' | 'query'; required?: boolean; schema: Schema }[]
  requestBody?: { content: Record<string, { schema: Schema }> }
}
interface Document {
  paths: Record<string, Record<string, Operation>>
  components: { schemas: Record<string, Schema> }
}

let app: FastifyInstance
let document: Document
const logged: string[] = []

beforeAll(async () => {
  app = await createApi({
    gateway: standInGateway(),
    publicUrl: 'http://gateway.test',
    corsOrigins: ['https://app.example'],
    secureCookies: false,
    logger: pino({ level: 'error' }, { write: (line) => void logged.push(line) }),
    metrics: { contentType: 'text/plain', metrics: async () => '' },
  })
  await app.listen({ port: 0, host: '127.0.0.1' })
  document = (await app.inject('/api/openapi.json')).json()
})
afterAll(() => app.close())

const HEADERS = { 'x-api-key': KEYS.admin, 'x-patchbay-csrf': '1', origin: 'http://gateway.test' }

function operations() {
  return Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method: method.toUpperCase(), operation })),
  )
}

/** A path whose ids are of the right form. */
function goodPath(path: string): string {
  return path
    .replace('{instanceId}', 'inst_ann')
    .replace('{provider}', 'mail')
    .replace(/\{\w+\}/g, 'some_id')
}

async function send(method: string, url: string, payload?: string, headers: Record<string, string> = {}) {
  return app.inject({
    method: method as 'GET',
    url,
    ...(payload !== undefined && { payload }),
    headers: { ...HEADERS, ...(payload !== undefined && { 'content-type': 'application/json' }), ...headers },
  })
}

function expectRefusal(
  reply: { statusCode: number; body: string; headers: Record<string, unknown> },
  what: string,
): void {
  expect(reply.statusCode, `${what}: ${reply.body.slice(0, 300)}`).toBeGreaterThanOrEqual(400)
  expect(reply.statusCode, `${what}: ${reply.body.slice(0, 300)}`).toBeLessThan(500)
  const { error } = JSON.parse(reply.body)
  expect(error.code, what).toMatch(/^[a-z_]+$/)
  expect(error.message, what).toMatch(/^[A-Z`].* .*\.$/s)
  expect(error.request_id, what).toBe(reply.headers['x-request-id'])
  expect(reply.body, what).not.toMatch(/\bat \S+ \(|node_modules|\.ts:\d/)
}

const VALUES: unknown[] = [
  null,
  true,
  0,
  -1,
  1.5,
  1e308,
  '',
  'x'.repeat(5000),
  '\u0000',
  '../../etc/passwd',
  "' OR 1=1 --",
  [],
  [[]],
  {},
  { $ne: null },
  Array.from({ length: 3000 }, () => 'x'),
]

function resolved(schema: Schema): Schema {
  if (schema.$ref) return document.components.schemas[schema.$ref.split('/').at(-1) as string] as Schema
  return schema
}

function bodyOf(operation: Operation): Schema | undefined {
  const schema = operation.requestBody?.content['application/json']?.schema
  return schema && resolved(schema)
}

/** A value that the schema accepts, so that exactly one thing is wrong at a time. */
function sample(given: Schema): unknown {
  const schema = resolved(given)
  if (schema.const !== undefined) return schema.const
  if (schema.enum) return schema.enum[0]
  if (schema.anyOf) return sample(schema.anyOf[0] as Schema)
  const type = Array.isArray(schema.type) ? schema.type[0] : schema.type
  if (type === 'object') {
    // Where nothing is required, one thing must be given all the same.
    const given = schema.required ?? Object.keys(schema.properties ?? {}).slice(0, 1)
    return Object.fromEntries(given.map((name) => [name, sample(schema.properties?.[name] ?? {})]))
  }
  if (type === 'array') return schema.items ? [sample(schema.items)] : []
  if (type === 'integer' || type === 'number') return 60
  if (type === 'boolean') return true
  return schema.pattern?.includes('T') ? '2026-01-01T00:00:00Z' : 'mail'
}

test('wrong values in every field of every body are refused by name, or accepted on purpose', async () => {
  const { default: Ajv } = createRequire(import.meta.url)('ajv/dist/2020.js')
  let refused = 0
  let sent = 0
  for (const { path, method, operation } of operations()) {
    const schema = bodyOf(operation)
    if (!schema) continue
    const ajv = new Ajv({ strict: false, validateFormats: false })
    const validate = ajv.compile({ ...schema, components: document.components })
    for (const field of Object.keys(schema.properties ?? {})) {
      for (const value of VALUES) {
        const body = { ...(sample(schema) as object), [field]: value }
        const reply = await send(method, goodPath(path), JSON.stringify(body))
        const what = `${method} ${path} ${field}=${JSON.stringify(value)?.slice(0, 60)}`
        sent += 1
        expect(reply.statusCode, `${what}: ${reply.body.slice(0, 300)}`).toBeLessThan(500)
        // The document is the judge: what it calls wrong must be refused.
        if (validate(body)) continue
        refused += 1
        expectRefusal(reply, what)
        if (reply.json().error.code === 'invalid_input')
          expect(reply.json().error.message, what).toContain(`\`${field}`)
      }
    }
  }
  expect(sent).toBeGreaterThan(800)
  expect(refused).toBeGreaterThan(600)
})

test('bodies that are missing, of the wrong shape, broken or with unknown fields are refused', async () => {
  for (const { path, method, operation } of operations()) {
    const schema = bodyOf(operation)
    if (!schema) continue
    const url = goodPath(path)
    const needsBody = (schema.required ?? []).length > 0
    const what = `${method} ${path}`
    const nested = '['.repeat(50_000) + ']'.repeat(50_000)
    for (const body of [
      '[]',
      '"text"',
      '42',
      '{',
      '{"a":}',
      "{'a':1}",
      '{"__proto__":{"x":1}}',
      '{"constructor":{"prototype":{}}}',
      nested,
      '\u0000',
    ]) {
      expectRefusal(await send(method, url, body), `${what} ${body.slice(0, 40)}`)
    }
    expectRefusal(
      await send(method, url, JSON.stringify({ ...(sample(schema) as object), no_such_field: 1 })),
      `${what} unknown`,
    )
    if (needsBody) expectRefusal(await send(method, url), `${what} no body`)
    if (needsBody) expectRefusal(await send(method, url, 'null'), `${what} null`)
    for (const name of schema.required ?? []) {
      const { [name]: _left, ...rest } = sample(schema) as Record<string, unknown>
      expectRefusal(await send(method, url, JSON.stringify(rest)), `${what} without ${name}`)
    }
  }
})

test('other content types are 415 and oversized bodies 413', async () => {
  for (const { path, method, operation } of operations()) {
    if (!bodyOf(operation)) continue
    const url = goodPath(path)
    for (const type of [
      'text/plain',
      'application/xml',
      'application/x-www-form-urlencoded',
      'multipart/form-data',
      'nonsense',
      'application/json2',
    ]) {
      const reply = await send(method, url, '{}', { 'content-type': type })
      expectRefusal(reply, `${method} ${path} ${type}`)
      expect(reply.statusCode).toBe(415)
    }
    const big = /tools\/|tools$/.test(path) ? 37 * 1024 * 1024 : 300 * 1024
    const reply = await send(method, url, undefined, {
      'content-type': 'application/json',
      'content-length': String(big),
    })
    expectRefusal(reply, `${method} ${path} oversized`)
    expect(reply.statusCode, path).toBe(413)
  }
})

test('bad ids in every path are refused', async () => {
  const bad = ['%00', '%2e%2e%2f', 'a%20b', '%F0%9F%92%A9', 'x'.repeat(600), "'", '%3Cscript%3E', '%', '%E0%A4%A']
  for (const { path, method, operation } of operations()) {
    if (!path.includes('{')) continue
    const schema = bodyOf(operation)
    const body = schema ? JSON.stringify(sample(schema)) : undefined
    for (const id of bad) {
      expectRefusal(await send(method, path.replace(/\{\w+\}/g, id), body), `${method} ${path} ${id.slice(0, 20)}`)
    }
  }
})

test('wrong query parameters are refused', async () => {
  for (const { path, method, operation } of operations()) {
    const parameters = (operation.parameters ?? []).filter((parameter) => parameter.in === 'query')
    const schema = bodyOf(operation)
    const body = schema ? JSON.stringify(sample(schema)) : undefined
    for (const { name } of parameters) {
      const twice = await send(method, `${goodPath(path)}?${name}=a&${name}=b`, body)
      expectRefusal(twice, `${method} ${path} ${name} twice`)
      expectRefusal(
        await send(method, `${goodPath(path)}?${name}=${'x'.repeat(4000)}`, body),
        `${method} ${path} ${name} long`,
      )
      expectRefusal(await send(method, `${goodPath(path)}?${name}=%00`, body), `${method} ${path} ${name} NUL`)
    }
    if (parameters.length > 0) {
      const reply = await send(method, `${goodPath(path)}?no_such_parameter=1`, body)
      expectRefusal(reply, `${method} ${path} unknown parameter`)
      expect(reply.json().error.message).toContain('no_such_parameter')
    }
  }
})

test('seeded noise in bodies, paths and headers never breaks the server', async () => {
  const random = seeded(20261120)
  const all = operations()
  for (let round = 0; round < 600; round += 1) {
    const { path, method } = all[Math.floor(random() * all.length)] as (typeof all)[number]
    const noise = Array.from({ length: Math.floor(random() * 60) }, () =>
      String.fromCharCode(Math.floor(random() * 0x250)),
    ).join('')
    const url = path.replace(/\{\w+\}/g, encodeURIComponent(noise.slice(0, 20)) || 'x')
    const body = random() < 0.5 ? JSON.stringify({ [noise]: noise, user_id: noise }) : noise
    const reply = await send(method, url, method === 'GET' ? undefined : body, {
      'x-request-id': encodeURIComponent(noise).slice(0, 200),
    })
    expect(reply.statusCode, `${method} ${url} ${body}: ${reply.body.slice(0, 200)}`).toBeLessThan(500)
  }
  expect((await app.inject('/health')).statusCode).toBe(200)
})

test.each([
  [
    'headers without end',
    (port: number) => `GET /health HTTP/1.1\r\nhost: x:${port}\r\nx-big: ${'a'.repeat(40_000)}\r\n\r\n`,
    431,
    'too_large',
  ],
  ['no HTTP at all', () => '\u0001\u0002\r\n\r\n', 400, 'invalid_input'],
  ['a method nobody knows', () => 'BREW /health HTTP/1.1\r\nhost: x\r\n\r\n', 400, 'invalid_input'],
  [
    'two lengths',
    () => 'POST /api/session HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\na',
    400,
    'invalid_input',
  ],
  [
    'a length and chunks',
    () => 'POST /api/session HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
    400,
    'invalid_input',
  ],
  [
    'a broken percent sign',
    () => 'GET /api/connections/%zz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n',
    400,
    'invalid_input',
  ],
  [
    'an address that is none',
    () => 'GET http:// HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n',
    400,
    'invalid_input',
  ],
])('%s are answered in the same shape, and the server goes on', async (_name, request, status, code) => {
  const { port } = app.server.address() as { port: number }

  const answer = await raw(port, request(port))

  expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `))
  const { error } = JSON.parse(answer.slice(answer.indexOf('\r\n\r\n') + 4))
  expect(error).toMatchObject({ code, message: expect.stringMatching(/\.$/), request_id: expect.any(String) })
  expect((await fetch(`http://127.0.0.1:${port}/health`)).status).toBe(200)
})

test('nothing of all this was an error of the server', () => {
  expect(logged).toEqual([])
})

function raw(port: number, request: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = ''
    const socket = connect(port, '127.0.0.1', () => socket.write(request))
    socket.setEncoding('utf8')
    socket.on('data', (chunk) => {
      answer += chunk
    })
    socket.on('error', (error) => (answer ? resolve(answer) : reject(error)))
    socket.on('close', () => resolve(answer))
  })
}

/** mulberry32: a small generator whose run is the same for the same seed. */
function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}
