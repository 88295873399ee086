import { afterAll, beforeAll, expect, test } from 'vitest'
import { type HeldService, startHeldService } from '../end-to-end/held-service.ts'
import { spawnGateway } from '../gateway.ts'

/** The whole gateway, in a process of its own, under input that its OpenAPI document leads to and calls wrong. */

interface Schema {
  type?: string | string[]
  properties?: Record<string, Schema>
  required?: string[]
  items?: Schema
  enum?: unknown[]
  const?: unknown
  anyOf?: Schema[]
  additionalProperties?: boolean | Schema
  $ref?: string
}
interface Operation {
  parameters?: { name: string; in: 'path' | 'query'; schema: Schema }[]
  requestBody?: { content: Record<string, { schema: Schema }> }
}

let gateway: Awaited<ReturnType<typeof spawnGateway>>
let service: HeldService
let operations: { method: string; path: string; operation: Operation }[]
let schemas: Record<string, Schema>
/** Things that are there, so that a request gets past the first door. */
let known: Record<string, string[]>

beforeAll(async () => {
  service = await startHeldService()
  const everything = [
    'https://api.github.com',
    'https://github.com',
    'https://slack.com',
    'https://gmail.googleapis.com',
  ]
  gateway = await spawnGateway({
    EGRESS_ALLOW: 'loopback',
    SERVICE_URLS: JSON.stringify(Object.fromEntries(everything.map((address) => [address, service.url]))),
    GITHUB_CLIENT_ID: 'the-client',
    GITHUB_CLIENT_SECRET: 'the-secret',
    TRUST_PROXY: 'loopback',
  })
  const document = (await (await fetch(`${gateway.url}/api/openapi.json`)).json()) as {
    paths: Record<string, Record<string, Operation>>
    components: { schemas: Record<string, Schema> }
  }
  schemas = document.components.schemas
  operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ method: method.toUpperCase(), path, operation })),
  )
  const brought = await send(
    'POST',
    '/cache-tokens',
    JSON.stringify({ user_id: 'ann', provider: 'github', access_token: 'ghu_ann' }),
  )
  const instance = await gateway.client.instances.create({ user_id: 'ann' })
  known = {
    id: [JSON.parse(brought.text).id, instance.id, 'github', 'default'],
    instanceId: [instance.id],
    provider: ['github', 'google', 'slack'],
    user_id: ['ann'],
    connection_id: [JSON.parse(brought.text).id],
    action: ['GITHUB_GET_THE_AUTHENTICATED_USER', 'GITHUB_GET_A_REPOSITORY'],
    name: ['GITHUB_CREATE_AN_ISSUE', 'Ann'],
    connector: ['github'],
  }
})
afterAll(async () => {
  await gateway.stop()
  await service.stop()
})

let requests = 0
async function send(
  method: string,
  path: string,
  body?: string | Uint8Array<ArrayBuffer>,
  headers: Record<string, string> = {},
) {
  const response = await fetch(gateway.url + path, {
    method,
    redirect: 'manual',
    headers: {
      'x-api-key': gateway.adminKey,
      'x-forwarded-for': `198.51.${(requests >> 8) & 255}.${requests++ & 255}`,
      'x-patchbay-csrf': '1',
      origin: gateway.url,
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body !== undefined && method !== 'GET' && { body }),
  })
  return { status: response.status, text: await response.text(), type: response.headers.get('content-type') ?? '' }
}

/** mulberry32: the same run for the same seed. */
function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}

const AWKWARD: unknown[] = [
  null,
  true,
  -1,
  0,
  1.5,
  Number.MAX_SAFE_INTEGER,
  1e308,
  '',
  ' ',
  '\u0000',
  'a\u0000b',
  '\ud800',
  '\u202e\u200b',
  '💥'.repeat(100),
  'x'.repeat(199),
  'x'.repeat(5_000),
  '../../etc/passwd',
  '..',
  '%00',
  '%2e%2e%2f',
  "'; drop table connection; --",
  '$' + '{jndi:ldap://x}',
  '__proto__',
  'constructor',
  'toString',
  'GITHUB_*',
  '*',
  [],
  [null],
  [[[[]]]],
  {},
  { __proto__: 1 },
  { $ne: null },
  { toString: 1 },
  Array.from({ length: 2_000 }, (_, index) => `x${index}`),
]

function valueFor(schema: Schema | undefined, name: string, random: () => number, depth = 0): unknown {
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)] as T
  if (random() < 0.35 || !schema || depth > 5) return pick(AWKWARD)
  const own = schema.$ref ? schemas[schema.$ref.split('/').at(-1) as string] : schema
  if (!own) return pick(AWKWARD)
  if (own.const !== undefined) return own.const
  if (own.enum) return pick(own.enum)
  if (own.anyOf) return valueFor(pick(own.anyOf), name, random, depth + 1)
  const type = Array.isArray(own.type) ? pick(own.type) : own.type
  if (type === 'object') {
    const object: Record<string, unknown> = {}
    for (const [key, inner] of Object.entries(own.properties ?? {})) {
      if (own.required?.includes(key) || random() < 0.4) object[key] = valueFor(inner, key, random, depth + 1)
    }
    if (!own.properties || random() < 0.05) object[JSON.stringify(pick(AWKWARD)).slice(0, 300)] = pick(AWKWARD)
    return object
  }
  if (type === 'array')
    return Array.from({ length: Math.floor(random() * 4) }, () => valueFor(own.items, name, random, depth + 1))
  if (type === 'integer' || type === 'number') return Math.floor(random() * 10_000)
  if (type === 'boolean') return random() < 0.5
  return known[name] ? pick(known[name]) : pick(['mail', 'https://app.example/x', '2026-01-01T00:00:00Z', 'ann'])
}

test('nothing that is sent breaks it: a code and a sentence below 500, and it goes on serving', async () => {
  const random = seeded(2026)
  const seen = new Map<number, number>()
  for (let round = 0; round < 3_000; round++) {
    const { method, path, operation } = operations[round % operations.length] as (typeof operations)[number]
    const given = (name: string, schema: Schema) => {
      const value = valueFor(schema, name, random)
      return typeof value === 'string' ? value.toWellFormed() : (JSON.stringify(value) ?? '')
    }
    const parameters = operation.parameters ?? []
    let address = path.replace(
      /\{(\w+)\}/g,
      (_, name: string) => encodeURIComponent(given(name, { type: 'string' })) || 'x',
    )
    const asked = parameters.filter((one) => one.in === 'query' && random() < 0.6)
    if (asked.length > 0)
      address += `?${new URLSearchParams(asked.map(({ name, schema }) => [name, given(name, schema)]))}`
    const schema = operation.requestBody?.content['application/json']?.schema
    const body = schema ? JSON.stringify(valueFor(schema, '', random)) : undefined
    // The key that this test runs with has to live.
    if (method === 'DELETE' && path === '/api/projects/{id}') continue

    const answer = await send(method, address.slice(0, 12_000), body)

    const what = `${method} ${address.slice(0, 300)} ${body?.slice(0, 500)} → ${answer.text.slice(0, 500)}`
    seen.set(answer.status, (seen.get(answer.status) ?? 0) + 1)
    if (answer.status < 400) continue
    const { error } = JSON.parse(answer.text)
    expect(error, what).toMatchObject({
      code: expect.stringMatching(/^[a-z_]+$/),
      message: expect.stringMatching(/\w.*\.$/s),
    })
    // A service that answers nonsense is the only failure that is not the sender's.
    if (error.code !== 'provider_unavailable') expect(answer.status, what).toBeLessThan(500)
    expect(answer.text, what).not.toMatch(/\bat \S+ \(|node_modules|\.ts:\d|SQLITE|sqlite|undefined/)
  }
  // Not everything was turned away at the door.
  expect(seen.get(200) ?? 0, JSON.stringify([...seen])).toBeGreaterThan(100)
  expect(seen.get(400) ?? 0).toBeGreaterThan(500)
  expect(gateway.child.exitCode).toBeNull()
  expect((await fetch(`${gateway.url}/health`)).status).toBe(200)
}, 120_000)

test.each([
  ['broken JSON', '{"user_id": "ann"', {}, 400],
  ['no JSON', 'user_id=ann', {}, 400],
  ['a list', '[]', {}, 400],
  ['nothing', '', {}, 400],
  ['another type', '{}', { 'content-type': 'text/plain' }, 415],
  ['a huge body', `{"user_id":"${'x'.repeat(300_000)}"}`, {}, 413],
  ['deep nesting', '['.repeat(100_000) + ']'.repeat(100_000), {}, 400],
  ['a prototype', '{"__proto__":{"role":"admin"}}', {}, 400],
  ['bytes that are no text', new Uint8Array([0xff, 0xfe, 0x00]), {}, 400],
])('%s in every body is refused', async (_name, body, headers, status) => {
  known['instanceId'] = [(await gateway.client.instances.create({ user_id: 'bea' })).id]
  for (const { method, path, operation } of operations) {
    if (!operation.requestBody) continue
    // Bodies of tools may be large, for attachments.
    if (status === 413 && /\/tools\//.test(path)) continue
    const answer = await send(
      method,
      path.replace(/\{(\w+)\}/g, (_, name: string) => known[name]?.[0] ?? 'x'),
      body,
      headers,
    )
    const allowed = [status, ...(body === '' ? [200] : [])]
    expect(allowed, `${method} ${path}: ${answer.status} ${answer.text.slice(0, 300)}`).toContain(answer.status)
    if (answer.status >= 400) expect(JSON.parse(answer.text).error.message).toMatch(/\.$/)
  }
})

test('headers without end are refused', async () => {
  const answer = await send('GET', '/api/connections?user_id=ann', undefined, { 'x-long': 'x'.repeat(20_000) })

  expect(answer).toMatchObject({ status: 431 })
  expect(JSON.parse(answer.text).error.code).toBe('too_large')
})

test('none of it was an error of the gateway', () => {
  const complaints = gateway
    .output()
    .split('\n')
    .filter((line) => line.startsWith('{'))
  expect(complaints).toEqual([])
})
