import { randomUUID } from 'node:crypto'
import type { Socket } from 'node:net'
import type { ErrorReply, ExecuteFailure } from '@patchbay/sdk/wire'
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import { asPatchbayError, type ErrorCode, errorBody, PatchbayError } from '../core/errors.ts'

/** Each code travels as one status. A state only a user or administrator can change is a conflict with the request. */
const STATUS: Record<ErrorCode, number> = {
  invalid_input: 400,
  oauth_failed: 400,
  unauthorized: 401,
  forbidden: 403,
  policy_denied: 403,
  egress_refused: 403,
  not_found: 404,
  conflict: 409,
  not_configured: 409,
  not_connected: 409,
  ambiguous_account: 409,
  needs_reauth: 409,
  missing_scope: 409,
  account_mismatch: 409,
  too_large: 413,
  unsupported_media_type: 415,
  provider_rejected: 422,
  rate_limited: 429,
  cancelled: 499,
  internal: 500,
  provider_unavailable: 502,
  shutting_down: 503,
  timeout: 504,
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** `execute`: failures of this route also carry `success: false`. */
    envelope?: 'execute'
  }
}

/** Answers whatever a route threw, in the one shape; the cause goes to the log and nowhere else. */
export function answerFailure(thrown: unknown, request: FastifyRequest, reply: FastifyReply): void {
  const error = fromFramework(thrown) ?? asPatchbayError(thrown)
  const status = STATUS[error.code]
  if (status === 500)
    request.log.error(
      { requestId: request.id, err: error.cause ?? error, route: request.routeOptions.url },
      'request failed',
    )
  if (error.retryAfter !== undefined) reply.header('retry-after', String(Math.max(1, Math.ceil(error.retryAfter))))
  if (status === 401) reply.header('www-authenticate', 'Bearer')
  const body: ErrorReply = { error: errorBody(error, request.id) }
  const failed: ErrorReply | ExecuteFailure =
    request.routeOptions.config.envelope === 'execute' ? { success: false, ...body } : body
  // As text, so that a route's own answer schema cannot get in the way of its failure.
  void reply.code(status).type('application/json; charset=utf-8').send(JSON.stringify(failed))
}

/** An unknown address, in the same shape. */
export function answerNotFound(request: FastifyRequest, reply: FastifyReply): void {
  answerFailure(
    new PatchbayError('not_found', `There is nothing at ${request.method} on this address. /docs lists every route.`),
    request,
    reply,
  )
}

/** What Fastify refuses before a route runs, in our words; undefined for everything else. */
function fromFramework(thrown: unknown): PatchbayError | undefined {
  if (thrown instanceof PatchbayError || !(thrown instanceof Error)) return undefined
  const { code, statusCode } = thrown as FastifyError
  if (code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE') {
    return new PatchbayError(
      'unsupported_media_type',
      'Send the body as JSON, with the header `content-type: application/json`.',
    )
  }
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE') {
    return new PatchbayError('too_large', 'The body is larger than this route accepts.')
  }
  if (code === 'FST_ERR_CTP_INVALID_JSON_BODY' || (thrown instanceof SyntaxError && statusCode === 400)) {
    return new PatchbayError('invalid_input', 'The `body` is not valid JSON.')
  }
  if (code === 'FST_ERR_CTP_INVALID_CONTENT_LENGTH') {
    return new PatchbayError('invalid_input', 'The body is not as long as its `content-length` header says.')
  }
  if (code === 'FST_ERR_BAD_URL' || code === 'FST_ERR_MAX_PARAM_LENGTH') {
    return new PatchbayError(
      'invalid_input',
      'The address is not one this server can read: check its length and percent-encoding.',
    )
  }
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500 && code?.startsWith('FST_')) {
    return new PatchbayError('invalid_input', 'The request is not one this server can read.')
  }
  return undefined
}

/** What Node's HTTP parser refuses before there is a request; the connection is closed after the answer. */
export function answerBrokenRequest(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy()
    return
  }
  const [line, failure] = brokenRequest(error.code)
  const requestId = newRequestId()
  const body = JSON.stringify({ error: errorBody(failure, requestId) } satisfies ErrorReply)
  socket.end(
    [
      `HTTP/1.1 ${line}`,
      'content-type: application/json; charset=utf-8',
      `content-length: ${Buffer.byteLength(body)}`,
      `x-request-id: ${requestId}`,
      'x-content-type-options: nosniff',
      'cache-control: no-store',
      'connection: close',
      '',
      body,
    ].join('\r\n'),
  )
}

function brokenRequest(code: string | undefined): [line: string, error: PatchbayError] {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return [
        '431 Request Header Fields Too Large',
        new PatchbayError('too_large', 'The request’s headers are larger than this server accepts.'),
      ]
    case 'HPE_CHUNK_EXTENSIONS_OVERFLOW':
      return ['413 Payload Too Large', new PatchbayError('too_large', 'The body’s chunk extensions are too large.')]
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return ['408 Request Timeout', new PatchbayError('timeout', 'The request did not arrive in time.')]
    default:
      return ['400 Bad Request', new PatchbayError('invalid_input', 'This is not a valid HTTP request.')]
  }
}

export function newRequestId(): string {
  return `req_${randomUUID().replaceAll('-', '')}`
}
