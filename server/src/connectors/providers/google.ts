import type { Failure } from '../../core/connector.ts'
import type { Provider } from '../../core/provider.ts'

/** Google accounts, for every Google connector. https://developers.google.com/identity/protocols/oauth2/web-server */
export const googleProvider: Provider = {
  id: 'google',
  name: 'Google',
  issuer: 'https://accounts.google.com',
  authorizeUrl: 'https://accounts.google.com/o/oauth2/v2/auth',
  tokenUrl: 'https://oauth2.googleapis.com/token',
  revoke: {
    method: 'POST',
    url: 'https://oauth2.googleapis.com/revoke',
    auth: 'none',
    token: { in: 'form', name: 'token' },
    order: ['refresh', 'access'],
    endsWholeGrant: true,
  },
  clientAuth: 'post',
  pkce: 'S256',
  // A refresh token comes only with offline access, and again only when consent is asked again. Without the account
  // chooser a person signed in to one account could never connect a second one.
  authorizeParams: { access_type: 'offline', prompt: 'select_account consent' },
  refresh: { rotates: false, graceSeconds: 0, defaultExpiresIn: 3599 },
  identity: {
    url: 'https://openidconnect.googleapis.com/v1/userinfo',
    account: (person) => ({
      id: String(person.sub),
      label: String(person.email ?? person.name ?? person.sub),
      ...(person.email && { email: String(person.email) }),
      ...(person.hd && { organisation: String(person.hd) }),
      ...(person.picture && { avatarUrl: String(person.picture) }),
    }),
  },
  errors: {
    admin_policy_enforced: 'policy',
    org_internal: 'policy',
    disabled_client: 'configuration',
    deleted_client: 'configuration',
    internal_failure: 'transient',
    rate_limit_exceeded: 'transient',
  },
  setup: {
    url: 'https://console.cloud.google.com/auth/clients',
    steps: [
      'Choose or make a project, and enable the APIs you want to connect (for Gmail: “Gmail API”) under APIs & Services → Library.',
      'Fill in the consent screen. Audience “Internal” suits a Workspace organisation. With “External”, add yourself as a test user; while it is in Testing, Google ends every connection after 7 days.',
      'Create an OAuth client of type “Web application” and paste the redirect address shown here into “Authorised redirect URIs”.',
      'Copy Client ID and Client secret into this form.',
    ],
  },
}

/** Reasons of a 403 that are about how often, not about whether. */
const RATE_REASONS = new Set(['rateLimitExceeded', 'userRateLimitExceeded', 'RATE_LIMIT_EXCEEDED'])

/**
 * The error body all Google APIs share: `{error: {code, message, status, errors: [{reason}], details: [{reason}]}}`.
 * https://developers.google.com/workspace/gmail/api/guides/handle-errors
 */
export function googleFailure(body: any): Failure | undefined {
  const error = body?.error
  if (typeof error !== 'object' || error === null) return undefined
  const reasons: string[] = [...(error.errors ?? []), ...(error.details ?? [])]
    .map((one) => one?.reason)
    .filter(Boolean)
  const code = reasons[0] ?? error.status ?? `http_${error.code}`
  const message = typeof error.message === 'string' ? error.message : undefined
  return { code: String(code), ...(message && { message }), as: meaning(Number(error.code), error.status, reasons) }
}

function meaning(status: number, name: unknown, reasons: readonly string[]): NonNullable<Failure['as']> {
  if (status === 401 || name === 'UNAUTHENTICATED') return 'unauthorized'
  if (reasons.some((reason) => reason === 'insufficientPermissions' || reason === 'ACCESS_TOKEN_SCOPE_INSUFFICIENT')) {
    return 'missing_scope'
  }
  if (status === 429 || reasons.some((reason) => RATE_REASONS.has(reason))) return 'rate_limited'
  if (status === 404) return 'not_found'
  return status >= 500 ? 'unavailable' : 'rejected'
}
