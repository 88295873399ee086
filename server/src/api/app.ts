import fastifyCookie from '@fastify/cookie'
import Fastify, {
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyPluginAsync,
  type FastifyReply,
  type FastifyRequest,
  LogController,
} from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { PatchbayError } from '../core/errors.ts'
import type { Gateway } from '../core/gateway.ts'
import { admission } from './access.ts'
import { administrationRoutes } from './administration.ts'
import type { Surroundings } from './app-type.ts'
import { catalogueRoutes } from './catalogue.ts'
import { connectRoutes } from './connect.ts'
import { connectionRoutes } from './connections.ts'
import { crossOrigin } from './cross-origin.ts'
import { eventRoutes } from './events.ts'
import { answerBrokenRequest, answerFailure, answerNotFound, newRequestId } from './failures.ts'
import { healthRoutes, type MetricsSource } from './health.ts'
import { INSTANCE_PATH, instanceRoutes } from './instances.ts'
import { type ApiLimits, DEFAULT_LIMITS, rateLimits } from './limits.ts'
import { collectOpenApi, serveDocs } from './openapi.ts'
import { sessionRoutes } from './session.ts'
import { toolRoutes } from './tools.ts'
import { requestValidator } from './validation.ts'
import { serveWebApp } from './web-app.ts'

export interface ApiOptions {
  gateway: Gateway
  /** Where browsers and agents reach this server. */
  publicUrl: string
  /** Origins whose pages may call the API with a key; `*` for any. */
  corsOrigins: readonly string[]
  /** The server is reached over TLS: cookies get `Secure` and the `__Host-` prefix. */
  secureCookies: boolean
  /** Which proxies may say who the client is (`X-Forwarded-For`, `-Proto`): Fastify's `trustProxy`. */
  trustProxy?: boolean | string | string[] | undefined
  logger: FastifyBaseLogger
  /** A prom-client Registry; without it there is no `/metrics`. */
  metrics?: MetricsSource | undefined
  /** Folder of the built web app. */
  webRoot?: string | undefined
  /** Shown in the OpenAPI document. */
  version?: string
  /** The server-rendered pages (`createPages`). */
  pages?: FastifyPluginAsync | undefined
  /**
   * Answers `/:instanceId/mcp` for every method and checks the bearer itself. It reads `request.raw`, whose body is
   * untouched, and writes `reply.raw`, which already carries the CORS and security headers.
   */
  mountMcp?: ((request: FastifyRequest, reply: FastifyReply) => Promise<void>) | undefined
  limits?: Partial<ApiLimits> | undefined
}

const REQUEST_ID = /^[A-Za-z0-9._-]{8,128}$/

/**
 * The core as REST: every route with its access rule, one shape of failure, the OpenAPI document and docs, and the
 * web app. Does not listen; `close()` lets running requests finish and turns new ones away.
 */
export async function createApi(options: ApiOptions): Promise<FastifyInstance> {
  const limits = { ...DEFAULT_LIMITS, ...options.limits }
  const publicUrl = options.publicUrl.replace(/\/+$/, '')
  const surroundings: Surroundings = {
    gateway: options.gateway,
    publicUrl,
    publicOrigin: new URL(publicUrl).origin,
    secureCookies: options.secureCookies,
    limits,
    rates: rateLimits(limits),
  }

  const base = Fastify({
    loggerInstance: options.logger,
    // Its lines hold whole addresses, and ours carry states and one-time tokens; see the onResponse hook.
    logController: new LogController({ disableRequestLogging: true }),
    trustProxy: options.trustProxy ?? false,
    bodyLimit: limits.bodyBytes,
    requestTimeout: limits.requestTimeoutMs,
    // Longer than the idle time of common load balancers (60 s), so that they never reuse a connection we just closed.
    keepAliveTimeout: 72_000,
    return503OnClosing: false,
    requestIdHeader: false,
    genReqId: (raw) => {
      const given = raw.headers['x-request-id']
      return typeof given === 'string' && REQUEST_ID.test(given) ? given : newRequestId()
    },
    routerOptions: { maxParamLength: 512 },
    http: { maxHeaderSize: limits.headerBytes },
    clientErrorHandler: answerBrokenRequest,
    frameworkErrors: (error, request, reply) => {
      guardAnswer(reply as unknown as FastifyReply, request.id, surroundings)
      answerFailure(error, request as unknown as FastifyRequest, reply as unknown as FastifyReply)
    },
  })
  const app = base.withTypeProvider<ZodTypeProvider>()

  app.setValidatorCompiler(requestValidator)
  // Answers are checked against the wire types when this compiles; checking them again per request would cost twice.
  app.setSerializerCompiler(() => JSON.stringify)
  readJson(base)
  app.setErrorHandler(answerFailure)
  refuseUngated(base)

  const ownPaths = crossOrigin(options.corsOrigins)
  let closing = false
  app.addHook('preClose', async () => {
    closing = true
  })
  app.decorateRequest('caller', null)
  app.decorateRequest('instance', null)
  app.addHook('onRequest', (request, reply, done) => {
    guardAnswer(reply, request.id, surroundings)
    if (ownPaths(request, reply)) return
    if (closing && request.routeOptions.url !== '/health') {
      done(
        new PatchbayError('shutting_down', 'The gateway is shutting down. Try again in a moment.', { retryAfter: 2 }),
      )
      return
    }
    done()
  })
  await app.register(fastifyCookie)
  const web = options.webRoot === undefined ? undefined : await serveWebApp(base, options.webRoot)
  if (web) {
    app.addHook('onRequest', async (request, reply) => {
      if (!web.isNavigation(request)) return
      return web.send(reply)
    })
  }
  app.addHook('onRequest', admission(surroundings))
  app.addHook('onResponse', (request, reply, done) => {
    request.log.debug(
      {
        requestId: request.id,
        route: request.routeOptions.url,
        method: request.method,
        status: reply.statusCode,
        ms: Math.round(reply.elapsedTime),
      },
      'answered',
    )
    done()
  })
  app.setNotFoundHandler(async (request, reply) => {
    if (web?.isPage(request)) return web.send(reply)
    return answerNotFound(request, reply)
  })

  await collectOpenApi(base, { publicUrl, version: options.version ?? '0.0.0' })
  await serveDocs(app)
  healthRoutes(app, { gateway: options.gateway, metrics: options.metrics })
  catalogueRoutes(app, surroundings)
  connectRoutes(app, surroundings)
  connectionRoutes(app, surroundings)
  toolRoutes(app, surroundings)
  instanceRoutes(app, surroundings)
  eventRoutes(app, surroundings)
  sessionRoutes(app, surroundings)
  administrationRoutes(app, surroundings)
  if (options.pages) await app.register(options.pages)
  if (options.mountMcp) await base.register(mcpRoute(options.mountMcp))
  return base
}

const API_CSP = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

/** Headers of every answer; a page replaces the ones it needs differently. */
function guardAnswer(reply: FastifyReply, requestId: string, { secureCookies }: Surroundings): void {
  reply.headers({
    'x-request-id': requestId,
    'content-security-policy': API_CSP,
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'DENY',
    'referrer-policy': 'no-referrer',
    'cache-control': 'no-store',
  })
  if (secureCookies) reply.header('strict-transport-security', 'max-age=31536000')
}

/** JSON bodies only; an empty one is no body, since many clients name a content type whether they send one or not. */
function readJson(app: FastifyInstance): void {
  const parse = app.getDefaultJsonParser('error', 'error')
  app.removeAllContentTypeParsers()
  app.addContentTypeParser<string>('application/json', { parseAs: 'string' }, (request, body, done) => {
    if (body.trim() === '') done(null, undefined)
    else void parse(request, body, done)
  })
}

/** Stops the start when a route does not say who may use it. */
function refuseUngated(app: FastifyInstance): void {
  const routes: { url: string; method: string | string[]; config?: { role?: unknown } }[] = []
  app.addHook('onRoute', (route) => {
    routes.push(route)
  })
  app.addHook('onReady', async () => {
    const open = routes.filter((route) => route.config?.role === undefined)
    if (open.length === 0) return
    throw new Error(
      `these routes do not say who may use them: ${open.map(({ method, url }) => `${method} ${url}`).join(', ')}`,
    )
  })
}

function mcpRoute(answer: NonNullable<ApiOptions['mountMcp']>): FastifyPluginAsync {
  return async (scope) => {
    scope.removeAllContentTypeParsers()
    // The endpoint reads bodies itself: broken JSON is answered in the words of JSON-RPC there.
    scope.addContentTypeParser('*', (_request, _payload, done) => done(null))
    scope.route({
      method: ['GET', 'POST', 'DELETE', 'OPTIONS', 'PUT', 'PATCH'],
      url: `${INSTANCE_PATH}/mcp`,
      config: { role: 'self' },
      schema: { hide: true },
      handler: async (request, reply) => {
        for (const [name, value] of Object.entries(reply.getHeaders())) {
          if (value !== undefined) reply.raw.setHeader(name, value)
        }
        reply.hijack()
        await answer(request, reply)
      },
    })
  }
}
