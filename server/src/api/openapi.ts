import fastifySwagger from '@fastify/swagger'
import fastifySwaggerUi from '@fastify/swagger-ui'
import type { FastifyInstance, FastifySchema } from 'fastify'
import { createJsonSchemaTransform, createJsonSchemaTransformObject } from 'fastify-type-provider-zod'
import type { z } from 'zod'
import type { Access } from './access.ts'
import { type Api, openToAnyone } from './app-type.ts'
import { errorReply } from './schemas.ts'

/** What a route answers: its own shapes, and the one shape of every failure. */
export function answers<Success extends Record<number, z.ZodType>>(success: Success) {
  return { ...success, '4xx': errorReply, '5xx': errorReply }
}

const SECURITY: Record<Access, readonly Record<string, string[]>[]> = {
  public: [],
  self: [],
  instance: [{ instance: [] }, { apiKey: [] }, { bearer: [] }],
  user: [{ apiKey: [] }, { bearer: [] }, { session: [] }],
  app: [{ apiKey: [] }, { bearer: [] }, { session: [] }],
  admin: [{ apiKey: [] }, { bearer: [] }, { session: [] }],
}

const WHO: Record<Access, string> = {
  public: 'Anyone.',
  self: 'Whoever holds the secret in the request.',
  instance: 'The bearer of the instance, or an API key that reaches it.',
  user: 'Keys of role `user`, `app` or `admin`.',
  app: 'Keys of role `app` or `admin`.',
  admin: 'Keys of role `admin`.',
}

/** Collects the routes registered after it; the document is made when first asked for. */
export async function collectOpenApi(
  app: FastifyInstance,
  about: { publicUrl: string; version: string },
): Promise<void> {
  const toJsonSchema = createJsonSchemaTransform({})
  const withComponents = createJsonSchemaTransformObject({})
  await app.register(fastifySwagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Patchbay',
        version: about.version,
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
        description:
          'One gateway between agents and the accounts their users connected. Send your key as `X-API-Key`, or as a ' +
          'bearer token. Every failure has the shape of `ErrorReply`; its `code` is stable, its `message` says what to change.',
      },
      servers: [{ url: about.publicUrl }],
      tags: [
        { name: 'Catalogue', description: 'What can be connected' },
        { name: 'Connect', description: 'Linking a user’s account' },
        { name: 'Connections', description: 'The accounts of a user' },
        { name: 'Tools', description: 'What agents can do' },
        { name: 'Instances', description: 'MCP addresses' },
        { name: 'Events', description: 'The audit log' },
        { name: 'Session', description: 'Signing in to the web pages' },
        { name: 'Administration', description: 'Projects, keys and OAuth apps' },
        { name: 'Health', description: 'Whether the gateway works' },
      ],
      components: {
        securitySchemes: {
          apiKey: { type: 'apiKey', in: 'header', name: 'X-API-Key' },
          bearer: { type: 'http', scheme: 'bearer', description: 'An API key' },
          instance: { type: 'http', scheme: 'bearer', description: 'The bearer token of the instance' },
          session: {
            type: 'apiKey',
            in: 'cookie',
            name: 'patchbay_session',
            description: 'Set by `POST /api/session`',
          },
        },
      },
    },
    transform: (route) => {
      if (!route.schema || route.schema.hide) return { schema: { hide: true }, url: route.url }
      const { schema, url } = toJsonSchema(route)
      const role = (route.route.config as { role?: Access } | undefined)?.role ?? 'admin'
      const described = schema as FastifySchema
      return {
        url: url.replace(/\(\^[^)]*\)/g, ''),
        schema: {
          ...described,
          response: withDescriptions(described.response, route.schema.response),
          security: SECURITY[role],
          description: `${described.description ?? described.summary ?? ''}\n\nWho may: ${WHO[role]}`.trim(),
        },
      }
    },
    transformObject: (source) => onlyReferenced(withComponents(source) as Record<string, unknown>),
  })
}

/** A shape that is referenced by name keeps its description here too, where the document says what an answer means. */
function withDescriptions(response: unknown, schemas: unknown): Record<string, object> {
  const given = schemas as Record<string, z.ZodType>
  return Object.fromEntries(
    Object.entries(response as Record<string, object>).map(([status, json]) => [
      status,
      { ...json, description: given[status]?.description ?? '' },
    ]),
  )
}

/** Leaves out component schemas that no route reaches (each is generated once for requests and once for answers). */
function onlyReferenced(document: Record<string, unknown>): Record<string, unknown> {
  const components = document['components'] as { schemas?: Record<string, unknown> }
  const schemas = components.schemas ?? {}
  const kept = new Set<string>()
  const visit = (value: unknown): void => {
    for (const [, name] of JSON.stringify(value).matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g)) {
      if (name === undefined || kept.has(name)) continue
      kept.add(name)
      visit(schemas[name] ?? null)
    }
  }
  visit(document['paths'])
  return {
    ...document,
    components: {
      ...components,
      schemas: Object.fromEntries(Object.entries(schemas).filter(([name]) => kept.has(name))),
    },
  }
}

/** Swagger UI sets style attributes while it draws; it asks no other host for anything. */
const DOCS_CSP = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

/** `/api/openapi.json`, and the same to read at `/docs`. */
export async function serveDocs(app: Api): Promise<void> {
  let document: string | undefined
  app.get('/api/openapi.json', { config: { role: 'public' }, schema: { hide: true } }, async (_request, reply) => {
    document ??= JSON.stringify(app.swagger())
    return reply.type('application/json; charset=utf-8').header('cache-control', 'no-cache').send(document)
  })

  await app.register(async (scope) => {
    openToAnyone(scope)
    scope.addHook('onRequest', async (_request, reply) => {
      reply.header('content-security-policy', DOCS_CSP)
    })
    await scope.register(fastifySwaggerUi, {
      routePrefix: '/docs',
      theme: { title: 'Patchbay API' },
      uiConfig: {
        docExpansion: 'list',
        deepLinking: true,
        displayRequestDuration: true,
        persistAuthorization: false,
        // Their validator badge would ask another host.
        validatorUrl: null,
      },
    })
  })
}
