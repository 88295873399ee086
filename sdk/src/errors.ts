import type { ErrorBody } from './wire.ts'

/**
 * Why a call did not answer, in the gateway's own words where it spoke. Three codes are the client's:
 * `unreachable` (no answer came), `timeout` (it took too long) and `unreadable_answer` (something other than the
 * gateway answered, a proxy's error page for instance).
 */
export class PatchbayApiError extends Error {
  override readonly name = 'PatchbayApiError'
  /** HTTP status; 0 when no answer came. */
  readonly status: number
  readonly code: string
  readonly retryable: boolean
  /** Seconds until trying again makes sense. */
  readonly retryAfter: number | undefined
  readonly fix: { action: string; url?: string } | undefined
  readonly providerStatus: number | undefined
  readonly requestId: string | undefined
  readonly details: Record<string, unknown> | undefined

  constructor(status: number, body: ErrorBody, options?: { cause?: unknown }) {
    super(body.message, options)
    this.status = status
    this.code = body.code
    this.retryable = body.retryable
    this.retryAfter = body.retry_after
    this.fix = body.fix
    this.providerStatus = body.provider_status
    this.requestId = body.request_id
    this.details = body.details
  }

  /** The wire shape again, for showing or passing on. */
  get body(): ErrorBody {
    return {
      code: this.code,
      message: this.message,
      retryable: this.retryable,
      ...(this.retryAfter !== undefined && { retry_after: this.retryAfter }),
      ...(this.fix && { fix: this.fix }),
      ...(this.providerStatus !== undefined && { provider_status: this.providerStatus }),
      ...(this.requestId !== undefined && { request_id: this.requestId }),
      ...(this.details && { details: this.details }),
    }
  }
}
