import { type Connection, isUsable } from './connection.ts'
import { PatchbayError } from './errors.ts'
import type { Catalogue } from './gateway.ts'
import type { Provider } from './provider.ts'

/** What a connection's status means for whoever wants to use it now. */
export interface Usability {
  /** May be tried now. `impatient`: whatever its backoff says. */
  usable(connection: Connection, impatient?: boolean): boolean
  /** Its last refresh failed and the time of the next one has not come. */
  backsOff(connection: Connection): boolean
  /** Why it cannot be used, as the error its caller gets. */
  unusable(connection: Connection): PatchbayError
  /** Its refresh has just failed; when to come back. */
  failedJustNow(connection: Connection): PatchbayError
  /** Throws `not_configured` when its connector is gone. */
  providerOf(connection: Connection): Provider
  /** What breakers count by: where the address holds a host of the user's own, one's failures open nobody else's. */
  endpointOf(connection: Connection): string
}

export function createUsability({ catalogue, now }: { catalogue: Catalogue; now: () => number }): Usability {
  return { usable, backsOff, unusable, failedJustNow, providerOf, endpointOf }

  function usable(connection: Connection, impatient = false): boolean {
    if (isUsable(connection)) return true
    // A configuration an administrator has mended heals itself: the next use after the backoff tries again.
    return (
      connection.status === 'error' &&
      connection.credential !== null &&
      (impatient || (connection.refreshAfter ?? 0) <= now())
    )
  }

  function backsOff(connection: Connection): boolean {
    return connection.refreshFailures > 0 && (connection.refreshAfter ?? 0) > now()
  }

  function unusable(connection: Connection): PatchbayError {
    const name = catalogue.connector(connection.connectorId)?.name ?? connection.connectorId
    const reason = connection.statusReason
    const what = `The ${name} connection "${connection.label}" cannot be used`
    if (connection.status === 'error' && reason) {
      const code = reason.code === 'provider_unavailable' ? 'provider_unavailable' : 'not_configured'
      return new PatchbayError(code, `${what}: ${reason.message}`, {
        fix: { action: reason.fix },
        details: { reason: reason.code, connection_id: connection.id },
      })
    }
    if (connection.status === 'pending') {
      return new PatchbayError(
        'not_connected',
        `The ${name} connection was started but its user has not finished connecting.`,
        {
          fix: { action: `Connect ${name}` },
          details: { connection_id: connection.id },
        },
      )
    }
    return new PatchbayError('needs_reauth', `${what}: ${reason?.message ?? 'its access has ended.'}`, {
      fix: { action: reason?.fix ?? `Connect ${name} again` },
      details: { reason: reason?.code ?? connection.status, connection_id: connection.id },
    })
  }

  function failedJustNow(row: Connection): PatchbayError {
    if (!isUsable(row)) return unusable(row)
    return new PatchbayError(
      'provider_unavailable',
      row.statusReason?.message ?? `${providerOf(row).name} did not refresh the token.`,
      {
        retryAfter: Math.max(1, Math.ceil(((row.refreshAfter ?? now()) - now()) / 1000)),
      },
    )
  }

  function providerOf(connection: Connection): Provider {
    const connector = catalogue.connector(connection.connectorId)
    if (connector) return connector.provider
    throw new PatchbayError(
      'not_configured',
      `The connector "${connection.connectorId}" is not part of this gateway any more.`,
    )
  }

  function endpointOf(connection: Connection): string {
    return providerOf(connection).tokenUrl.replace(
      /\{(\w+)\}/g,
      (_, key: string) => connection.settings[key] ?? connection.captured[key] ?? '',
    )
  }
}
