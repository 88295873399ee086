import type { IncomingMessage, ServerResponse } from 'node:http'
import { asPatchbayError, type ErrorCode, errorBody, PatchbayError } from '../core/errors.ts'
import type { Gateway } from '../core/gateway.ts'
import { readJson } from './body.ts'
import { PARSE_ERROR, REFUSED } from './exchange.ts'
import { allowOrigin, PREFLIGHT } from './origin.ts'
import { replyEmpty, replyJson, rpcError } from './reply.ts'

export interface McpRequestOptions {
  instanceId: string
  requestId: string
  /** The body, where the web server has read and parsed it already. */
  parsedBody?: unknown
}

export interface Door {
  gateway: Gateway
  maxBytes: number
  mayCall: (origin: string | undefined) => boolean
  isClosed: () => boolean
}

type Bearer = Awaited<ReturnType<Gateway['callers']['fromInstanceToken']>>

/**
 * Who is asking and the parsed body, or undefined when the request has been answered: refused, or a preflight.
 * The bearer is asked for before anything that only its holder should learn or spend.
 */
export async function admitted(
  door: Door,
  request: IncomingMessage,
  response: ServerResponse,
  about: McpRequestOptions,
): Promise<(Bearer & { message: unknown }) | undefined> {
  const { origin } = request.headers
  if (!door.mayCall(origin)) {
    const message = `Pages of ${origin} may not use this address. An administrator of the gateway can allow them.`
    return void refuse(response, 403, new PatchbayError('forbidden', message), about)
  }
  if (origin !== undefined) allowOrigin(response, origin)
  if (request.method === 'OPTIONS') return void replyEmpty(response, 204, PREFLIGHT)
  if (door.isClosed()) {
    const error = new PatchbayError('shutting_down', 'The gateway is stopping. Try again soon.', { retryAfter: 5 })
    return void refuse(response, 503, error, about)
  }

  const bearer = await bearerOf(door.gateway, request, response, about)
  if (!bearer) return

  if (request.method !== 'POST') {
    const message = 'This address takes POST only: it keeps no sessions and opens no streams of its own.'
    return void replyJson(response, 405, rpcError({ code: REFUSED, message }), { allow: 'POST, OPTIONS' })
  }
  if (!acceptsJson(request.headers.accept)) {
    const message = 'Answers are application/json, which the Accept header leaves out.'
    return void replyJson(response, 406, rpcError({ code: REFUSED, message }))
  }
  const body = await bodyOf(door, request, response, about)
  return body && { ...bearer, message: body.json }
}

/** HTTP status of what checking a bearer may throw. */
const STATUS: Partial<Record<ErrorCode, number>> = {
  unauthorized: 401,
  forbidden: 403,
  policy_denied: 403,
  not_found: 404,
  rate_limited: 429,
  shutting_down: 503,
  timeout: 503,
}

async function bearerOf(
  gateway: Gateway,
  request: IncomingMessage,
  response: ServerResponse,
  about: McpRequestOptions,
): Promise<Bearer | undefined> {
  const token = /^bearer +(\S+) *$/i.exec(request.headers.authorization ?? '')?.[1]
  try {
    return await gateway.callers.fromInstanceToken(about.instanceId, token)
  } catch (thrown) {
    const error = asPatchbayError(thrown)
    const status = STATUS[error.code]
    if (status === undefined) throw thrown
    refuse(response, status, error, about, status === 401 ? { 'www-authenticate': challenge(token) } : {})
    return
  }
}

/** RFC 6750 section 3: `error` only when a token was sent. */
function challenge(token: string | undefined): string {
  return token === undefined ? 'Bearer realm="Patchbay"' : 'Bearer realm="Patchbay", error="invalid_token"'
}

/** Clients must accept JSON and event streams; those that name only one, or nothing, are served as well. */
function acceptsJson(accept: string | undefined): boolean {
  return accept === undefined || /(^|[\s,])(application\/json|application\/\*|\*\/\*)\s*($|[,;])/i.test(accept)
}

async function bodyOf(
  { maxBytes }: Door,
  request: IncomingMessage,
  response: ServerResponse,
  about: McpRequestOptions,
): Promise<{ json: unknown } | undefined> {
  const type = request.headers['content-type']?.split(';', 1)[0]?.trim().toLowerCase()
  const encoding = request.headers['content-encoding']?.toLowerCase() ?? 'identity'
  if (type !== 'application/json' || encoding !== 'identity') {
    const message = 'The body must be application/json, sent without a content encoding.'
    return void refuse(response, 415, new PatchbayError('unsupported_media_type', message), about)
  }
  if (about.parsedBody !== undefined) return { json: about.parsedBody }

  const read = await readJson(request, maxBytes)
  if ('json' in read) return read
  if (read.problem === 'cut_off') return void response.destroy()
  if (read.problem === 'too_large') {
    const message = `The body is larger than ${maxBytes} bytes, the most this address takes.`
    return void refuse(response, 413, new PatchbayError('too_large', message), about)
  }
  const message = `Parse error: the body is not valid ${read.problem === 'not_utf8' ? 'UTF-8' : 'JSON'}`
  replyJson(response, 400, rpcError({ code: PARSE_ERROR, message }))
}

/** The gateway's error in JSON-RPC's clothes, so that any client finds a message where it looks for one. */
function refuse(
  response: ServerResponse,
  status: number,
  error: PatchbayError,
  about: McpRequestOptions,
  headers: Record<string, string> = {},
): void {
  const data = errorBody(error, about.requestId)
  replyJson(response, status, rpcError({ code: REFUSED, message: error.message, data }), {
    ...headers,
    ...(error.retryAfter !== undefined && { 'retry-after': String(Math.ceil(error.retryAfter)) }),
  })
}
