import { type Breaker, createBreaker } from './breaker.ts'
import type { Actor } from './caller.ts'
import { type Connection, type Credential, isUsable, type StatusReason, type Token } from './connection.ts'
import { PatchbayError } from './errors.ts'
import type { EventLog } from './event-log.ts'
import type { Catalogue } from './gateway.ts'
import { type OAuthClient, OAuthError } from './oauth.ts'
import type { OAuthAppsOf } from './oauth-apps.ts'
import type { Provider } from './provider.ts'
import type { Storage } from './storage.ts'
import type { Vault } from './vault.ts'

/** A token that ends within this many ms counts as ended: it has to survive the way to the service. */
const EXPIRY_SKEW_MS = 10_000
/** One call to a token endpoint. Well under the lease, so that a holder is done before its lease ends. */
const REFRESH_TIMEOUT_MS = 12_000
export const REFRESH_LEASE_MS = 20_000
/** How long a use waits for a refresh that another process has under way. */
const WAIT_MS = 30_000
const GATEWAY: Actor = { type: 'system', id: 'gateway' }

/** Answers one question: a usable credential for this connection, now. */
export interface Credentials {
  /**
   * The first token held of `names`. Refreshes when it has ended, in the background when it soon will.
   * Throws `needs_reauth`, `not_configured` or `provider_unavailable`, each saying what to do.
   */
  use(connection: Connection, names: readonly string[]): Promise<UsableToken>
  /** The service answered 401 to a token of this generation: a newer one, or the connection's status says why not. */
  renew(connection: Connection, used: UsableToken): Promise<UsableToken>
  /** A token fresh from the provider is still refused by the service: the connection is dead. */
  refuse(connection: Connection, used: UsableToken, said: string): Promise<void>
  /** Trades the refresh token now, whatever its age. */
  refresh(connection: Connection): Promise<Connection>
  /** For the background: refreshes if nobody else is at it; never throws for what a provider does. */
  refreshIfFree(connection: Connection): Promise<'refreshed' | 'failed' | 'busy'>
}

export interface UsableToken {
  accessToken: string
  name: string
  generation: number
}

export interface CredentialsOptions {
  storage: Pick<Storage, 'connections'>
  vault: Vault
  catalogue: Catalogue
  oauth: OAuthClient
  oauthApps: OAuthAppsOf
  events: EventLog
  now: () => number
  /** Names this process in leases. */
  owner: string
  leaseMs?: number
  breaker?: Breaker
}

export function createCredentials(options: CredentialsOptions): Credentials {
  const { storage, vault, catalogue, events, now } = options
  const leaseMs = options.leaseMs ?? REFRESH_LEASE_MS
  const breaker =
    options.breaker ??
    createBreaker((error) => error instanceof OAuthError && error.failure === 'transient' && error.status !== 429, now)
  /** Connection id → the refresh this process has under way; undefined when it turned out to be another's. */
  const underWay = new Map<string, Promise<Connection | undefined>>()

  async function open(connection: Connection): Promise<Credential> {
    if (!connection.credential) throw unusable(connection)
    const place = { table: 'connection', row: connection.id, column: 'credential' } as const
    return JSON.parse(await vault.open(connection.projectId, place, connection.credential)) as Credential
  }

  async function pick(connection: Connection, names: readonly string[]): Promise<{ name: string; token: Token }> {
    const { tokens } = await open(connection)
    for (const name of names) {
      const token = tokens[name]
      if (token) return { name, token }
    }
    const [wanted = 'default'] = names
    throw new PatchbayError(
      'missing_scope',
      `The connection "${connection.label}" holds no ${wanted} token; it was connected without those permissions.`,
      {
        fix: { action: 'Connect again and grant the permissions this tool needs' },
      },
    )
  }

  /** Why this connection cannot be used, as the error its caller gets. */
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

  function usable(connection: Connection): boolean {
    if (isUsable(connection)) return true
    // A configuration an administrator has mended heals itself: the next use after the backoff tries again.
    return connection.status === 'error' && connection.credential !== null && (connection.refreshAfter ?? 0) <= now()
  }

  async function use(connection: Connection, names: readonly string[]): Promise<UsableToken> {
    if (!usable(connection)) throw unusable(connection)
    const { name, token } = await pick(connection, names)
    const left = token.expiresAt === undefined ? Number.POSITIVE_INFINITY : token.expiresAt - now()
    const found = { accessToken: token.accessToken, name, generation: connection.generation }
    if (left > EXPIRY_SKEW_MS) {
      const due = connection.refreshAfter !== null && connection.refreshAfter <= now()
      if (due && token.refreshToken && left < Number.POSITIVE_INFINITY) refreshIfFree(connection).catch(() => {})
      return found
    }
    // Without a refresh token the last seconds of an access token are still worth using.
    if (!token.refreshToken && left > 0) return found
    // A refresh that was under way may have been for another token of the same connection: then one more is due.
    let renewed = await refreshed(connection, name)
    let fresh = await pick(renewed, [name])
    if (fresh.token.expiresAt !== undefined && fresh.token.expiresAt <= now()) {
      renewed = await refreshed(renewed, name)
      fresh = await pick(renewed, [name])
    }
    return { accessToken: fresh.token.accessToken, name, generation: renewed.generation }
  }

  async function renew(connection: Connection, used: UsableToken): Promise<UsableToken> {
    const current = (await storage.connections.getAsGateway(connection.id)) ?? connection
    const row = current.generation > used.generation ? current : await refreshed(current, used.name)
    if (!usable(row)) throw unusable(row)
    const { token } = await pick(row, [used.name])
    return { accessToken: token.accessToken, name: used.name, generation: row.generation }
  }

  /** A row of a newer generation, by our own refresh or someone else's. */
  async function refreshed(connection: Connection, tokenName: string, force = false): Promise<Connection> {
    for (let running = underWay.get(connection.id); running; running = underWay.get(connection.id)) {
      const row = await running
      if (row) return row
    }
    const refresh = refreshOrWait(connection, tokenName, force).finally(() => underWay.delete(connection.id))
    underWay.set(connection.id, refresh)
    return refresh
  }

  async function refreshOrWait(connection: Connection, tokenName: string, force: boolean): Promise<Connection> {
    const backingOff = connection.refreshFailures > 0 && (connection.refreshAfter ?? 0) > now()
    if (backingOff && !force) throw failedJustNow(connection)
    const deadline = now() + WAIT_MS
    for (let pause = 15; ; pause = Math.min(pause * 1.6, 250)) {
      const resting = breaker.restingFor(providerOf(connection).tokenUrl)
      if (resting !== undefined) throw restingError(connection, resting)
      const lease = await storage.connections.beginRefresh(connection.id, connection.generation, options.owner, leaseMs)
      if (lease) return perform(lease.connection, lease.interrupted !== null, tokenName)
      const row = await storage.connections.getAsGateway(connection.id)
      if (!row) throw new PatchbayError('not_found', 'The connection was deleted while its token was being refreshed.')
      if (row.generation !== connection.generation) {
        if (!usable(row)) throw unusable(row)
        return row
      }
      if (!usable(row)) throw unusable(row)
      // The holder has failed and backs off: waiting for the generation to move would be in vain.
      if (row.leaseUntil === null && row.refreshFailures > connection.refreshFailures) throw failedJustNow(row)
      if (now() > deadline) {
        throw new PatchbayError(
          'timeout',
          `Waited ${WAIT_MS / 1000} s for another process to refresh "${connection.label}".`,
          {
            retryAfter: 5,
          },
        )
      }
      await new Promise((resolve) => setTimeout(resolve, pause * (0.5 + Math.random())))
    }
  }

  /** Calls the provider under the lease and commits the new pair before anyone uses it. */
  async function perform(connection: Connection, interrupted: boolean, tokenName: string): Promise<Connection> {
    const provider = providerOf(connection)
    const started = now()
    let credential: Credential
    let token: Token | undefined
    let asked = false
    try {
      credential = await open(connection)
      token = credential.tokens[tokenName] ?? tokenToRefresh(credential)
      if (!token?.refreshToken)
        throw new OAuthError(
          'no_refresh_token',
          `${provider.name} no longer accepts this access (it was revoked or has ended), and gave no refresh token to renew it with.`,
          { failure: 'user' },
        )
      const client = await options.oauthApps.forConnection(connection.projectId, provider.id, connection.oauthAppId)
      if (!client)
        throw new OAuthError('no_oauth_app', `No OAuth app for ${provider.name} is set up any more.`, {
          failure: 'configuration',
        })
      const { refreshToken } = token
      const grant = await breaker.run(provider.tokenUrl, () => {
        asked = true
        return options.oauth.refresh({
          provider,
          client,
          tokenName,
          refreshToken,
          params: connection.settings,
          captured: connection.captured,
          signal: AbortSignal.timeout(REFRESH_TIMEOUT_MS),
        })
      })
      const fresh = grant.tokens[tokenName] ?? (Object.values(grant.tokens)[0] as Token)
      const tokens = {
        ...credential.tokens,
        [tokenName]: { ...fresh, refreshToken: fresh.refreshToken ?? refreshToken },
      }
      return await commit(
        connection,
        tokens,
        { ...connection.scopes, ...grant.scopes },
        {
          interrupted,
          tokenName,
          durationMs: now() - started,
          rotated: fresh.refreshToken !== undefined && fresh.refreshToken !== refreshToken,
        },
      )
    } catch (error) {
      return await failed(connection, error, interrupted, token?.expiresAt, asked)
    }
  }

  async function commit(
    connection: Connection,
    tokens: Record<string, Token>,
    scopes: Connection['scopes'],
    about: { interrupted: boolean; tokenName: string; durationMs: number; rotated: boolean },
  ): Promise<Connection> {
    const place = { table: 'connection', row: connection.id, column: 'credential' } as const
    const credential = await vault.seal(connection.projectId, place, JSON.stringify({ tokens } satisfies Credential))
    const granted = { credential, scopes, ...schedule(tokens, now()) }
    const event = events.event({
      ...refreshEvent(connection),
      type: 'connection.refreshed',
      durationMs: about.durationMs,
      details: {
        generation: connection.generation + 1,
        rotated: about.rotated,
        ...(about.interrupted && { interrupted: true }),
      },
    })
    // The provider may have ended the old pair already: what it gave must not be lost to a storage hiccup.
    for (let attempt = 0; ; attempt++) {
      try {
        const { id, generation, fence } = connection
        if (await storage.connections.commitRefresh(id, generation, fence, granted, [event])) break
        // Our lease ran out. If nobody has stored a newer pair, ours is the only good one left.
        if (await storage.connections.commitRefresh(id, generation, null, granted, [event])) break
        const row = await storage.connections.getAsGateway(id)
        if (!row)
          throw new PatchbayError('not_found', 'The connection was deleted while its token was being refreshed.')
        if (!usable(row)) throw unusable(row)
        return row
      } catch (error) {
        if (error instanceof PatchbayError || attempt >= 8) throw error
        await new Promise((resolve) => setTimeout(resolve, 50 * 2 ** attempt))
      }
    }
    return {
      ...connection,
      ...granted,
      generation: connection.generation + 1,
      status: 'active',
      statusReason: null,
      refreshFailures: 0,
      refreshIntent: null,
      leaseUntil: null,
    }
  }

  /** Records a failed refresh by its class. Answers the row when someone else's refresh won meanwhile; throws else. */
  async function failed(
    connection: Connection,
    error: unknown,
    interrupted: boolean,
    expiresAt: number | undefined,
    asked: boolean,
  ): Promise<Connection> {
    if (!(error instanceof OAuthError)) {
      if (error instanceof PatchbayError && error.code === 'not_found') throw error
      // Not the provider's doing (storage, a sealed value that does not open): free the lease, change nothing else.
      await storage.connections
        .failRefresh(
          connection.id,
          connection.generation,
          connection.fence,
          {
            status: connection.status,
            reason: connection.statusReason,
            refreshAfter: now() + 30_000,
            keepIntent: asked || interrupted,
          },
          [],
        )
        .catch(() => {})
      throw error
    }
    const row = await storage.connections.getAsGateway(connection.id)
    if (row && row.generation !== connection.generation && usable(row)) return row

    const stillWorks = expiresAt !== undefined && expiresAt - now() > EXPIRY_SKEW_MS
    const outcome = failureOutcome(connection, error, {
      interrupted,
      stillWorks,
      provider: providerOf(connection),
      now: now(),
    })
    const recorded = await storage.connections.failRefresh(
      connection.id,
      connection.generation,
      connection.fence,
      outcome,
      [
        events.event({
          ...refreshEvent(connection),
          type: 'connection.refresh_failed',
          outcome: 'error',
          code: error.code,
          message: outcome.reason?.message ?? error.message,
          details: {
            class: error.failure,
            status: outcome.status,
            ...(error.status && { provider_status: error.status }),
          },
        }),
      ],
    )
    if (!recorded) {
      const moved = await storage.connections.getAsGateway(connection.id)
      if (moved && moved.generation !== connection.generation && usable(moved)) return moved
    }
    throw outcome.status === 'needs_reauth' || outcome.status === 'error'
      ? unusable({ ...connection, status: outcome.status, statusReason: outcome.reason })
      : new PatchbayError(
          'provider_unavailable',
          `${providerOf(connection).name} did not refresh the access of "${connection.label}": ${error.message}`,
          {
            retryAfter: Math.max(1, Math.ceil(((outcome.refreshAfter ?? now()) - now()) / 1000)),
            ...(error.status && { providerStatus: error.status }),
            cause: error,
          },
        )
  }

  async function refreshIfFree(connection: Connection): Promise<'refreshed' | 'failed' | 'busy'> {
    if (underWay.has(connection.id)) return 'busy'
    if (breaker.restingFor(providerOf(connection).tokenUrl) !== undefined) return 'busy'
    const attempt = (async () => {
      const lease = await storage.connections.beginRefresh(connection.id, connection.generation, options.owner, leaseMs)
      if (!lease) return undefined
      const name = await nameOfTokenToRefresh(lease.connection)
      return perform(lease.connection, lease.interrupted !== null, name)
    })()
    // A use that arrives now joins this refresh, or waits itself for whoever holds the lease.
    const joined = attempt.finally(() => underWay.delete(connection.id))
    joined.catch(() => {})
    underWay.set(connection.id, joined)
    try {
      return (await attempt) ? 'refreshed' : 'busy'
    } catch {
      return 'failed'
    }
  }

  async function nameOfTokenToRefresh(connection: Connection): Promise<string> {
    const { tokens } = await open(connection)
    const soonest = Object.entries(tokens)
      .filter(([, token]) => token.refreshToken)
      .sort(([, a], [, b]) => (a.expiresAt ?? Number.POSITIVE_INFINITY) - (b.expiresAt ?? Number.POSITIVE_INFINITY))[0]
    return soonest?.[0] ?? 'default'
  }

  function providerOf(connection: Connection): Provider {
    const connector = catalogue.connector(connection.connectorId)
    if (connector) return connector.provider
    throw new PatchbayError(
      'not_configured',
      `The connector "${connection.connectorId}" is not part of this gateway any more.`,
    )
  }

  function restingError(connection: Connection, seconds: number): PatchbayError {
    const { name } = providerOf(connection)
    return new PatchbayError(
      'provider_unavailable',
      `${name} has failed to refresh tokens several times in a row; the gateway waits ${seconds} s before it asks again.`,
      { retryAfter: seconds },
    )
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

  function refreshEvent(connection: Connection) {
    return {
      projectId: connection.projectId,
      actor: GATEWAY,
      userId: connection.userId,
      connectorId: connection.connectorId,
      connectionId: connection.id,
    }
  }

  async function refuse(connection: Connection, used: UsableToken, said: string): Promise<void> {
    const { name } = providerOf(connection)
    const reason: StatusReason = {
      code: 'token_refused',
      message: `${name} refuses even a newly issued token of this account: ${said}`,
      fix: `Connect ${name} again`,
      at: now(),
    }
    const event = events.event({
      ...refreshEvent(connection),
      type: 'connection.status',
      outcome: 'error',
      code: reason.code,
      message: reason.message,
    })
    await storage.connections.setStatus(connection.id, used.generation, 'needs_reauth', reason, [event])
  }

  return {
    use,
    renew,
    refuse,
    refreshIfFree,
    async refresh(connection) {
      if (!usable(connection)) throw unusable(connection)
      return refreshed(connection, await nameOfTokenToRefresh(connection), true)
    },
  }
}

/**
 * When a credential next needs care: earliest expiry, and the time of the background refresh at 80% of the life that
 * is left, jittered so that connections made together do not refresh together.
 */
export function schedule(
  tokens: Readonly<Record<string, Token>>,
  now: number,
): { expiresAt: number | null; refreshAfter: number | null } {
  const ends = Object.values(tokens).flatMap((token) => token.expiresAt ?? [])
  const refreshable = Object.values(tokens).filter((token) => token.refreshToken && token.expiresAt !== undefined)
  const next = refreshable.map(
    (token) => now + Math.max(0, (token.expiresAt as number) - now) * (0.75 + Math.random() * 0.1),
  )
  return {
    expiresAt: ends.length > 0 ? Math.min(...ends) : null,
    refreshAfter: next.length > 0 ? Math.round(Math.min(...next)) : null,
  }
}

/** What a failed refresh does to its connection. */
function failureOutcome(
  connection: Connection,
  error: OAuthError,
  about: { interrupted: boolean; stillWorks: boolean; provider: Provider; now: number },
): {
  status: Connection['status']
  reason: StatusReason
  refreshAfter: number | null
  keepIntent: boolean
} {
  const { now, provider } = about
  const reason = (code: string, message: string, fix: string): StatusReason => ({ code, message, fix, at: now })
  const backoffMs = Math.min(2 ** Math.min(connection.refreshFailures, 10) * 2_000, 15 * 60_000)
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
        refreshAfter: now + Math.max(jittered, 30_000),
        keepIntent: false,
      }
    case 'policy':
      return {
        status: 'needs_reauth',
        reason: reason(error.code, error.message, `Connect ${provider.name} again`),
        refreshAfter: null,
        keepIntent: false,
      }
    case 'user': {
      const lost = about.interrupted
        ? reason(
            'refresh_interrupted',
            `A refresh was cut short (the gateway stopped, or ${provider.name}'s answer was lost), and ${provider.name} no longer accepts the token stored before it.`,
            `Connect ${provider.name} again`,
          )
        : error.code === 'no_refresh_token'
          ? reason(error.code, error.message, `Connect ${provider.name} again`)
          : reason(
              error.code,
              `${provider.name} ended this access: it was revoked, it expired, or the account's password or permissions changed (${error.code}).`,
              `Connect ${provider.name} again`,
            )
      return { status: 'needs_reauth', reason: lost, refreshAfter: null, keepIntent: false }
    }
  }
}

function tokenToRefresh(credential: Credential): Token | undefined {
  return Object.values(credential.tokens).find((token) => token.refreshToken)
}
