import type { Connection, StatusReason } from './connection.ts'
import type { OAuthError } from './oauth.ts'
import type { Provider } from './provider.ts'

/** First wait after a failure that may pass, ms; doubled with each further one. */
const BACKOFF_MS = 2_000
/** The longest: a provider that is back after an outage is found out this soon. Its breaker keeps the calls few. */
const MAX_BACKOFF_MS = 2 * 60_000
/** An administrator needs a while; a use in between may still try. */
const CONFIGURATION_BACKOFF_MS = 30_000

/** What a failed refresh does to its connection. */
export interface RefreshOutcome {
  status: Connection['status']
  reason: StatusReason
  /** Epoch ms of the next try; null when only the user can mend it. */
  refreshAfter: number | null
  /** The provider may have acted: the next try has to know. */
  keepIntent: boolean
}

/** `interrupted`: an earlier refresh of this generation never ended. `stillWorks`: the access token has not expired yet. */
export function refreshFailure(
  connection: Pick<Connection, 'refreshFailures'>,
  error: OAuthError,
  about: { interrupted: boolean; stillWorks: boolean; provider: Pick<Provider, 'name'>; now: number },
): RefreshOutcome {
  const { now, provider } = about
  const reason = (code: string, message: string, fix: string): StatusReason => ({ code, message, fix, at: now })
  const reconnect = `Connect ${provider.name} again`
  const backoffMs = Math.min(BACKOFF_MS * 2 ** Math.min(connection.refreshFailures, 10), MAX_BACKOFF_MS)
  const jittered = Math.round(backoffMs * (0.75 + Math.random() * 0.5))

  switch (error.failure) {
    case 'transient':
      return {
        status: 'expiring',
        reason: reason(
          'provider_unavailable',
          `${provider.name} did not answer the last refresh properly (${error.code}). The gateway keeps trying.`,
          'Wait; nothing needs to be done',
        ),
        refreshAfter: now + Math.max(jittered, (error.retryAfter ?? 0) * 1000),
        keepIntent: error.ambiguous || about.interrupted,
      }
    case 'configuration':
      return {
        status: about.stillWorks ? 'expiring' : 'error',
        reason: reason(
          error.code,
          `${provider.name} refuses the gateway's OAuth app (${error.code}): ${error.message}`,
          `An administrator has to check the ${provider.name} OAuth app (client id and secret)`,
        ),
        refreshAfter: now + Math.max(jittered, CONFIGURATION_BACKOFF_MS),
        keepIntent: about.interrupted,
      }
    case 'policy':
      return {
        status: 'needs_reauth',
        reason: reason(error.code, error.message, reconnect),
        refreshAfter: null,
        keepIntent: false,
      }
    case 'user': {
      const lost = about.interrupted
        ? reason(
            'refresh_interrupted',
            `A refresh was cut short (the gateway stopped, or ${provider.name}'s answer was lost), and ${provider.name} no longer accepts the token stored before it.`,
            reconnect,
          )
        : error.code === 'no_refresh_token'
          ? reason(error.code, error.message, reconnect)
          : reason(
              error.code,
              `${provider.name} ended this access: it was revoked, it expired, or the account's password or permissions changed (${error.code}).`,
              reconnect,
            )
      return { status: 'needs_reauth', reason: lost, refreshAfter: null, keepIntent: false }
    }
  }
}
