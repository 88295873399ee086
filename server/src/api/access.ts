import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Caller, Role } from '../core/caller.ts'
import { PatchbayError } from '../core/errors.ts'
import type { Gateway } from '../core/gateway.ts'
import type { Instance } from '../core/storage.ts'
import type { RateLimits } from './limits.ts'

/**
 * Who may use a route, said in its config and enforced in one hook; a route that says nothing stops the start.
 * `user` < `app` < `admin`. `instance`: the bearer of the instance in the path, or an API key that reaches it.
 * `self`: the route checks a secret of its own (a one-time token, a state, an MCP bearer). `public`: anyone.
 */
export type Access = Role | 'instance' | 'self' | 'public'

declare module 'fastify' {
  interface FastifyContextConfig {
    role?: Access
    /** Needs the CSRF proof from cookie callers although its method is safe. */
    changesState?: boolean
  }
  interface FastifyRequest {
    caller: Caller | null
    instance: Instance | null
  }
}

const RANK: Record<Role, number> = { user: 0, app: 1, admin: 2 }
const SAFE_METHODS = new Set(['GET', 'HEAD', 'OPTIONS'])

/** `__Host-` binds the cookie to this host over TLS; browsers refuse that prefix on plain http. */
export function sessionCookieName(secure: boolean): string {
  return secure ? '__Host-patchbay_session' : 'patchbay_session'
}

/** The hook that finds out who is calling and refuses who may not. */
export function admission(options: {
  gateway: Gateway
  rates: RateLimits
  secureCookies: boolean
  publicOrigin: string
}) {
  const { gateway, rates } = options
  const cookieName = sessionCookieName(options.secureCookies)

  return async (request: FastifyRequest): Promise<void> => {
    const { role, changesState } = request.routeOptions.config
    if (role === undefined || role === 'public' || role === 'self') return

    const key = presentedKey(request)
    const cookie = request.cookies[cookieName]
    try {
      if (key !== undefined && role === 'instance') await identifyInstance(request, key)
      else if (key !== undefined || cookie === undefined) request.caller = await gateway.callers.fromApiKey(key)
      else {
        if (changesState || !SAFE_METHODS.has(request.method)) assertSameOrigin(request, options.publicOrigin)
        request.caller = (await gateway.callers.fromSession(cookie)) ?? null
      }
      if (!request.caller) throw new PatchbayError('unauthorized', 'The session has ended. Sign in again.')
    } catch (error) {
      // A wrong key is counted, a missing one is not; a right one is never held up by what its neighbours send.
      if (key !== undefined && error instanceof PatchbayError && error.code === 'unauthorized') {
        await rates.failedSignIn(request.ip)
      }
      throw error
    }

    await rates.request(request.caller.actor.id)
    if (role === 'instance') {
      request.instance ??= await instanceOf(request.caller, request)
      return
    }
    if (RANK[request.caller.role] < RANK[role]) {
      throw new PatchbayError(
        'forbidden',
        `This needs a key of role "${role}"${role === 'app' ? ' or "admin"' : ''}; yours has the role "${request.caller.role}".`,
      )
    }
  }

  async function identifyInstance(request: FastifyRequest, key: string): Promise<void> {
    try {
      const { caller, instance } = await gateway.callers.fromInstanceToken(instanceIdOf(request), key)
      request.caller = caller
      request.instance = instance
    } catch (error) {
      if (!(error instanceof PatchbayError) || (error.code !== 'unauthorized' && error.code !== 'not_found'))
        throw error
      request.caller = await gateway.callers.fromApiKey(key)
    }
  }

  async function instanceOf(caller: Caller, request: FastifyRequest): Promise<Instance> {
    const id = instanceIdOf(request)
    const instances = await gateway.instances.list(caller, caller.userId ?? undefined)
    const found = instances.find((instance) => instance.id === id)
    if (!found) throw new PatchbayError('not_found', 'There is no such instance.')
    return found
  }
}

/** `X-API-Key`, or a bearer token. */
function presentedKey(request: FastifyRequest): string | undefined {
  const header = request.headers['x-api-key']
  if (typeof header === 'string' && header !== '') return header
  const [, bearer] = /^Bearer +(\S+) *$/i.exec(request.headers.authorization ?? '') ?? []
  if (bearer === undefined && request.headers.authorization) {
    throw new PatchbayError('unauthorized', 'The Authorization header must read `Bearer <key>`.')
  }
  return bearer
}

function instanceIdOf(request: FastifyRequest): string {
  return (request.params as { instanceId: string }).instanceId
}

/**
 * Throws unless the request comes from a page of this gateway. The custom header forces a CORS preflight, which never
 * allows it; `Sec-Fetch-Site` and `Origin` are set by the browser itself.
 */
export function assertSameOrigin(request: FastifyRequest, publicOrigin: string): void {
  const site = request.headers['sec-fetch-site']
  const { origin } = request.headers
  const ownPage =
    (site === undefined || site === 'same-origin') &&
    (origin === undefined || origin === publicOrigin || origin === `${request.protocol}://${request.host}`) &&
    (site !== undefined || origin !== undefined)
  if (!ownPage || request.headers['x-patchbay-csrf'] !== '1') {
    throw new PatchbayError(
      'forbidden',
      'A signed-in browser must send this from a page of this gateway, with the header `x-patchbay-csrf: 1`. Programs use an API key.',
    )
  }
}

/** Who is calling, on a route that is not public. */
export function callerOf(request: FastifyRequest): Caller {
  if (!request.caller) throw new Error(`${request.routeOptions.url} reads its caller but admits anyone`)
  return request.caller
}

/** The user a request is about: named, or the one that the caller is bound to. */
export function subjectOf(caller: Caller, userId: string | undefined): string {
  if (caller.userId !== null) {
    if (userId === undefined || userId === caller.userId) return caller.userId
    // As if it did not exist: whether it does is none of this caller's business.
    throw new PatchbayError(
      'not_found',
      'There is no such user for this key. It acts for one user; leave `user_id` out.',
    )
  }
  if (userId === undefined) {
    throw new PatchbayError('invalid_input', '`user_id` is missing; it says which of your users this is for.', {
      details: { fields: [{ path: 'user_id', problem: 'is missing' }] },
    })
  }
  return userId
}

/** Ends with the caller: aborts when the connection closes before the answer was written. */
export function callerGone(reply: FastifyReply): AbortSignal {
  const gone = new AbortController()
  reply.raw.once('close', () => {
    if (!reply.raw.writableFinished) gone.abort()
  })
  return gone.signal
}
