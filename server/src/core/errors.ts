/**
 * Every failure a caller can act on. One class, a closed list of codes, one wire shape on every surface.
 * The edges decide how it travels: `api` maps codes to HTTP status, `mcp` to `isError` results.
 */
const CODES = {
  /** The request itself is wrong; the message names the field and what was expected. */
  invalid_input: { retryable: false },
  unauthorized: { retryable: false },
  /** The caller is known but its role does not reach this. */
  forbidden: { retryable: false },
  /** A policy rule of the key or instance refused the call; `details.rule` names it. */
  policy_denied: { retryable: false },
  not_found: { retryable: false },
  conflict: { retryable: false },
  /** An administrator has to set something up first (an OAuth app, a redirect address). */
  not_configured: { retryable: false },
  /** The user has no connection to this connector yet; `fix` carries the connect link. */
  not_connected: { retryable: false },
  /** Several connections fit; the caller must say which account. */
  ambiguous_account: { retryable: false },
  /** The connection is dead until its user connects again; `fix` carries the link. */
  needs_reauth: { retryable: false },
  /** The account never granted a scope that this tool needs; `fix` asks for exactly that scope. */
  missing_scope: { retryable: false },
  /** Reconnecting was finished with another account than the one connected before. */
  account_mismatch: { retryable: false },
  /** An OAuth step failed: wrong, reused or expired state, denied consent, issuer mismatch. */
  oauth_failed: { retryable: false },
  too_large: { retryable: false },
  unsupported_media_type: { retryable: false },
  /** A limit of this gateway or of the service; `retry_after` says when to come back. */
  rate_limited: { retryable: true },
  /** The address is outside what outgoing traffic may reach. */
  egress_refused: { retryable: false },
  /** The service understood the request and refused it (a 4xx of its own). */
  provider_rejected: { retryable: false },
  /** The service failed, could not be reached or answered nonsense. */
  provider_unavailable: { retryable: true },
  timeout: { retryable: true },
  cancelled: { retryable: true },
  shutting_down: { retryable: true },
  internal: { retryable: false },
} as const

export type ErrorCode = keyof typeof CODES
export const ERROR_CODES = Object.keys(CODES) as readonly ErrorCode[]

/** What the reader of an error should do next; `url` is present where a click does it. */
export interface Fix {
  action: string
  url?: string
}

export interface ErrorOptions {
  cause?: unknown
  retryable?: boolean
  /** Seconds until trying again makes sense. */
  retryAfter?: number
  fix?: Fix
  /** HTTP status the service answered with, where there was one. */
  providerStatus?: number
  /** Safe to show: never a token, an address with a secret in it, or a raw body of a service. */
  details?: Record<string, unknown>
}

/** The shape every surface shows. */
export interface ErrorBody {
  code: ErrorCode
  message: string
  retryable: boolean
  retry_after?: number
  fix?: Fix
  provider_status?: number
  request_id?: string
  details?: Record<string, unknown>
}

export class PatchbayError extends Error {
  override readonly name = 'PatchbayError'
  readonly code: ErrorCode
  readonly retryable: boolean
  readonly retryAfter: number | undefined
  readonly fix: Fix | undefined
  readonly providerStatus: number | undefined
  readonly details: Record<string, unknown> | undefined

  constructor(code: ErrorCode, message: string, options: ErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.retryable = options.retryable ?? CODES[code].retryable
    this.retryAfter = options.retryAfter
    this.fix = options.fix
    this.providerStatus = options.providerStatus
    this.details = options.details
  }
}

/** Any thrown value as one of ours. What we did not foresee becomes `internal` and says nothing of its cause. */
export function asPatchbayError(error: unknown): PatchbayError {
  if (error instanceof PatchbayError) return error
  return new PatchbayError(
    'internal',
    'Something went wrong inside the gateway. The log has the cause under this request id.',
    {
      cause: error,
    },
  )
}

/** The wire shape of an error; absent members are left out. */
export function errorBody(error: PatchbayError, requestId?: string): ErrorBody {
  return {
    code: error.code,
    message: error.message,
    retryable: error.retryable,
    ...(error.retryAfter !== undefined && { retry_after: error.retryAfter }),
    ...(error.fix && { fix: error.fix }),
    ...(error.providerStatus !== undefined && { provider_status: error.providerStatus }),
    ...(requestId && { request_id: requestId }),
    ...(error.details && { details: error.details }),
  }
}
