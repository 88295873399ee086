import { PatchbayError } from '../../core/errors.ts'
import { OAuthError } from '../../core/oauth.ts'
import type { Provider, RefreshFailureClass } from '../../core/provider.ts'

/** Which conversation failed; the same code means different things to the person reading. */
export type Step = 'callback' | 'exchange' | 'refresh'

/**
 * What error codes mean, standard (RFC 6749 §4.1.2.1, §5.2) and of services that many people connect. A provider's
 * own `errors` come first.
 */
const MEANING: Readonly<Record<string, RefreshFailureClass>> = {
  invalid_grant: 'user',
  access_denied: 'user',
  consent_required: 'user',
  login_required: 'user',
  interaction_required: 'user',
  account_selection_required: 'user',
  invalid_token: 'user',
  expired_token: 'user',
  token_expired: 'user',
  token_revoked: 'user',
  account_inactive: 'user',
  user_cancelled_login: 'user',
  user_cancelled_authorize: 'user',
  user_denied: 'user',
  bad_verification_code: 'user', // GitHub
  bad_refresh_token: 'user', // GitHub
  unverified_user_email: 'user', // GitHub
  invalid_code: 'user', // Slack
  code_already_used: 'user', // Slack
  invalid_refresh_token: 'user', // Slack

  invalid_client: 'configuration',
  unauthorized_client: 'configuration',
  unsupported_grant_type: 'configuration',
  unsupported_response_type: 'configuration',
  invalid_request: 'configuration',
  invalid_scope: 'configuration',
  invalid_target: 'configuration',
  redirect_uri_mismatch: 'configuration',
  invalid_redirect_uri: 'configuration',
  bad_redirect_uri: 'configuration', // Slack
  bad_client_secret: 'configuration', // Slack
  invalid_client_id: 'configuration', // Slack
  incorrect_client_credentials: 'configuration', // GitHub
  application_suspended: 'configuration', // GitHub
  deleted_client: 'configuration', // Google
  disabled_client: 'configuration', // Google

  admin_policy_enforced: 'policy', // Google
  org_internal: 'policy', // Google
  access_not_configured: 'policy', // Google

  server_error: 'transient',
  temporarily_unavailable: 'transient',
  slow_down: 'transient',
  ratelimited: 'transient',
  rate_limited: 'transient',
  rate_limit_exceeded: 'transient',
  internal_error: 'transient',
  fatal_error: 'transient', // Slack
  service_unavailable: 'transient',
  request_timeout: 'transient',
}

const TRANSIENT_STATUS = new Set([408, 425, 429])

/** The code in the words of the person who can do something about it. */
const SENTENCES: Readonly<Record<string, string | ((name: string, step: Step) => string)>> = {
  access_denied: (name) => `Access to ${name} was not granted: the request was declined.`,
  invalid_grant: (name, step) =>
    step === 'refresh'
      ? `${name} no longer accepts this connection: access was revoked, has expired, or the password was changed.`
      : `${name} did not accept the authorization code. Start connecting again.`,
  invalid_client: (name) => `${name} did not accept the client id or secret of its OAuth app.`,
  unauthorized_client: (name) => `${name} does not allow its OAuth app this way of connecting.`,
  redirect_uri_mismatch: (name) => `The redirect address is not among those registered with the OAuth app at ${name}.`,
  invalid_scope: (name) => `${name} does not let its OAuth app ask for one of these permissions.`,
}

const SAME_AS: Readonly<Record<string, string>> = {
  user_denied: 'access_denied',
  user_cancelled_login: 'access_denied',
  user_cancelled_authorize: 'access_denied',
  bad_verification_code: 'invalid_grant',
  bad_refresh_token: 'invalid_grant',
  invalid_code: 'invalid_grant',
  code_already_used: 'invalid_grant',
  invalid_refresh_token: 'invalid_grant',
  token_revoked: 'invalid_grant',
  token_expired: 'invalid_grant',
  incorrect_client_credentials: 'invalid_client',
  bad_client_secret: 'invalid_client',
  invalid_client_id: 'invalid_client',
  bad_redirect_uri: 'redirect_uri_mismatch',
  invalid_redirect_uri: 'redirect_uri_mismatch',
}

/** An error the provider named. `description` has been cleaned. */
export function providerFailure(
  provider: Provider,
  step: Step,
  said: { code: string; description?: string | undefined; status?: number; retryAfter?: number | undefined },
): OAuthError {
  const { code, description, status } = said
  const sentence = SENTENCES[SAME_AS[code] ?? code]
  const known = typeof sentence === 'function' ? sentence(provider.name, step) : sentence
  const message = known ?? `${provider.name} refused the request (${code}).`
  return new OAuthError(code, description ? `${message} It said: ${description}` : message, {
    failure: failureClass(provider, code, status, description),
    status,
    retryAfter: said.retryAfter,
    // A server that failed half way may have spent the code or rotated the token.
    ambiguous: status !== undefined && status >= 500,
  })
}

function failureClass(
  provider: Provider,
  code: string,
  status: number | undefined,
  description: string | undefined,
): RefreshFailureClass {
  if (status !== undefined && (status >= 500 || TRANSIENT_STATUS.has(status))) return 'transient'
  const own = ownMeaning(provider, code) ?? (status === undefined ? undefined : ownMeaning(provider, `http_${status}`))
  if (own) return own
  // Atlassian answers `unauthorized_client` about a dead refresh token; only its sentence tells.
  if (description && /refresh[ _-]?token\W+(?:\w+\W+){0,3}(?:invalid|expired|revoked)/i.test(description)) return 'user'
  return Object.hasOwn(MEANING, code) ? (MEANING[code] as RefreshFailureClass) : 'configuration'
}

function ownMeaning(provider: Provider, code: string): RefreshFailureClass | undefined {
  return provider.errors && Object.hasOwn(provider.errors, code) ? provider.errors[code] : undefined
}

/** A reply that is neither tokens nor an error this client can read: a page, garbage, a redirect, an empty body. */
export function unreadableReply(
  provider: Provider,
  status: number,
  retryAfter: number | undefined,
  what: 'garbage' | 'no_token',
): OAuthError {
  const success = status >= 200 && status < 300
  const message =
    what === 'no_token'
      ? `${provider.name} answered without a token.`
      : `${provider.name} answered with something that is no OAuth reply (HTTP ${status}).`
  return new OAuthError(what === 'no_token' ? 'no_token' : `http_${status}`, message, {
    failure: 'transient',
    status,
    retryAfter,
    // Behind a success or a crash the provider may have acted; behind a refusal it has not.
    ambiguous: success || status >= 500,
  })
}

/** The exchange itself broke: nothing was heard that could be judged. */
export function transportFailure(provider: Provider, error: unknown): OAuthError {
  const known = error instanceof PatchbayError ? error : undefined
  // Without word on it, assume the worse: that the provider may have acted.
  const ambiguous = known?.details?.['sent'] !== false
  switch (known?.code) {
    case 'egress_refused':
      return new OAuthError('egress_refused', known.message, { failure: 'configuration' })
    case 'invalid_input':
      return new OAuthError('bad_request', `The request to ${provider.name} could not be built: ${known.message}`, {
        failure: 'configuration',
      })
    case 'timeout':
      return new OAuthError('timeout', `${provider.name} did not answer in time.`, { failure: 'transient', ambiguous })
    case 'cancelled':
    case 'shutting_down':
      return new OAuthError('cancelled', `The request to ${provider.name} was cancelled.`, {
        failure: 'transient',
        ambiguous,
      })
    case 'too_large':
      return new OAuthError('too_large', `The answer of ${provider.name} was too large to be an OAuth reply.`, {
        failure: 'transient',
        ambiguous,
      })
    default:
      return new OAuthError('network', `${provider.name} could not be reached, or the connection was lost.`, {
        failure: 'transient',
        ambiguous,
      })
  }
}

/** Seconds of a Retry-After header (RFC 9110 §10.2.3), at most a day. */
export function retryAfterSeconds(header: string | undefined, now: number): number | undefined {
  if (header === undefined) return undefined
  const seconds = /^\d+$/.test(header.trim()) ? Number(header) : (Date.parse(header) - now) / 1000
  return Number.isFinite(seconds) ? Math.min(Math.max(Math.ceil(seconds), 0), 86_400) : undefined
}
