import { createRequire } from 'node:module'
import type { FastifyInstance } from 'fastify'
import pino from 'pino'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { standInGateway } from '../../test/stand-in-gateway.ts'
import { createApi } from './app.ts'

interface Operation {
  operationId?: string
  summary?: string
  description?: string
  tags?: string[]
  security?: unknown[]
  responses: Record<string, { description: string; content?: Record<string, { schema: unknown }> }>
}

let app: FastifyInstance
let document: {
  openapi: string
  paths: Record<string, Record<string, Operation>>
  components: { schemas: Record<string, unknown> }
}

beforeAll(async () => {
  app = await createApi({
    gateway: standInGateway(),
    publicUrl: 'http://gateway.test',
    corsOrigins: [],
    secureCookies: false,
    logger: pino({ level: 'silent' }),
    metrics: { contentType: 'text/plain', metrics: async () => '' },
  })
  document = (await app.inject('/api/openapi.json')).json()
})
afterAll(() => app.close())

function operations(): [name: string, operation: Operation][] {
  return Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]): [string, Operation] => [
      `${method.toUpperCase()} ${path}`,
      operation,
    ]),
  )
}

test('the document is valid OpenAPI 3.1', () => {
  const load = createRequire(import.meta.url)
  const { default: Validator } = load('openapi-schema-validator')
  const { default: Ajv } = load('ajv/dist/2020.js')

  // 3.1 keeps the structure of 3.0 and makes every Schema Object plain JSON Schema 2020-12: each is checked as what it is.
  const schemas: unknown[] = []
  const structure = JSON.parse(JSON.stringify(document), (key, value) => {
    if (key !== 'schema') return value
    schemas.push(value)
    return {}
  })
  schemas.push(...Object.values(document.components.schemas))
  delete structure.components.schemas
  delete structure.info.license.identifier
  const { errors } = new Validator({ version: '3.0' }).validate({ ...structure, openapi: '3.0.3' })
  const ajv = new Ajv({ strict: true, strictRequired: false, allowUnionTypes: true, validateFormats: false })
  ajv.addKeyword('components')
  const compiled = schemas.map((schema) => ajv.compile({ ...(schema as object), components: document.components }))

  expect(document.openapi).toBe('3.1.0')
  expect(errors).toEqual([])
  expect(compiled.length).toBeGreaterThan(100)
})

test('every route says who may use it, what it does and how it fails', () => {
  const all = operations()
  expect(all.length).toBeGreaterThan(40)
  for (const [name, operation] of all) {
    expect(operation.security, name).toBeDefined()
    expect(operation.summary, name).toMatch(/\w+ \w+/)
    expect(operation.description, name).toContain('Who may:')
    expect(operation.tags, name).toHaveLength(1)
    for (const failure of ['4XX', '5XX']) {
      const schema = operation.responses[failure]?.content?.['application/json']?.schema
      expect(schema, `${name} ${failure}`).toMatchObject({
        $ref: expect.stringMatching(/(ErrorReply|ExecuteFailure)$/),
      })
    }
    for (const [status, response] of Object.entries(operation.responses)) {
      expect(response.description, `${name} ${status}`).not.toBe('Default Response')
    }
  }
  const ids = all.map(([, operation]) => operation.operationId)
  expect(new Set(ids).size).toBe(ids.length)
})

test('every reference leads somewhere', () => {
  const names = [...JSON.stringify(document).matchAll(/"#\/components\/schemas\/([^"]+)"/g)].map(
    (match) => match[1] as string,
  )
  expect(names.length).toBeGreaterThan(0)
  for (const name of names) expect(document.components.schemas).toHaveProperty(name)
})

test('only what needs no key is open', () => {
  const open = operations().filter(([, operation]) => operation.security?.length === 0)
  expect(open.map(([name]) => name).sort()).toEqual(['DELETE /api/session', 'GET /health', 'POST /api/session'])
})

test('the docs page loads from this server alone, under a policy without foreign hosts', async () => {
  const page = await app.inject('/docs')
  const sources = [...page.body.matchAll(/(?:src|href)="([^"]+)"/g)].map((match) => match[1] as string)

  expect(page.statusCode).toBe(200)
  expect(page.headers['content-security-policy']).toContain("script-src 'self';")
  expect(page.body).not.toMatch(/<script>[^<]/)
  expect(sources.length).toBeGreaterThan(3)
  for (const source of sources) {
    expect(source).toMatch(/^\/docs\//)
    expect((await app.inject(source)).statusCode, source).toBe(200)
  }
})
