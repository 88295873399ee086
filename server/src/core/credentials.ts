import { type Breaker, createBreaker } from './breaker.ts'
import type { Actor } from './caller.ts'
import { type Connection, type Credential, isUsable, type StatusReason, type Token } from './connection.ts'
import { PatchbayError } from './errors.ts'
import type { EventLog } from './event-log.ts'
import type { Catalogue } from './gateway.ts'
import { type ClientCredentials, type OAuthClient, OAuthError } from './oauth.ts'
import type { OAuthAppsOf } from './oauth-apps.ts'
import type { Provider } from './provider.ts'
import { refreshFailure } from './refresh-failure.ts'
import type { Storage } from './storage.ts'
import { type Vault, VaultError } from './vault.ts'

/** A token that ends within this many ms counts as ended: it has to survive the way to the service. */
const EXPIRY_SKEW_MS = 10_000
/** One call to a token endpoint. Well under the lease, so that a holder is done before its lease ends. */
const REFRESH_TIMEOUT_MS = 12_000
export const REFRESH_LEASE_MS = 20_000
/** How long a use waits for a refresh that another process has under way. */
const WAIT_MS = 30_000
/** How long a pair that the provider has handed out is offered to a storage that fails. Longer than a failover takes. */
const COMMIT_MS = 120_000
/** Refreshes that one use asks for at most: each may turn out to have been for another token of the connection. */
const TRIES = 4
/** A refresh ahead of expiry that another process holds is asked for again no sooner than this. */
const ASK_AGAIN_MS = 1_000
const MAX_ASKED = 10_000
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
  /** Resolves once no refresh is under way here: what a provider has handed out is stored. For shutdown. */
  settled(): Promise<void>
}

/** The lease would not outlast the call to the provider, so the call was not made. */
class LeaseSpent extends Error {
  override readonly name = 'LeaseSpent'
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
  const callMs = Math.round(Math.min(REFRESH_TIMEOUT_MS, leaseMs * 0.6))
  const breaker =
    options.breaker ??
    createBreaker((error) => error instanceof OAuthError && error.failure === 'transient' && error.status !== 429, now)
  /** Connection id → the refresh this process has under way; undefined when it turned out to be another's. */
  const underWay = new Map<string, Promise<Connection | undefined>>()
  /** Refreshes that hold a lease, or are about to. */
  const performing = new Set<Promise<unknown>>()
  /** Connection id → when a use last asked for a refresh ahead of expiry. */
  const asked = new Map<string, number>()

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

  /** `impatient`: whatever the backoff says. */
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

  async function use(connection: Connection, names: readonly string[]): Promise<UsableToken> {
    if (!usable(connection)) throw unusable(connection)
    const { name, token } = await pick(connection, names)
    const left = token.expiresAt === undefined ? Number.POSITIVE_INFINITY : token.expiresAt - now()
    const found = { accessToken: token.accessToken, name, generation: connection.generation }
    if (left > EXPIRY_SKEW_MS) {
      const due = connection.refreshAfter !== null && connection.refreshAfter <= now()
      if (due && token.refreshToken && left < Number.POSITIVE_INFINITY) refreshSoon(connection)
      return found
    }
    // Without a refresh token the last seconds of an access token are still worth using.
    if (!token.refreshToken && left > 0) return found
    try {
      return await newer(connection, name, (fresh) => fresh.expiresAt === undefined || fresh.expiresAt > now())
    } catch (error) {
      // A provider that is away for a moment: the token's last seconds are better than nothing.
      if (error instanceof PatchbayError && error.retryable && (token.expiresAt as number) > now()) return found
      throw error
    }
  }

  async function renew(connection: Connection, used: UsableToken): Promise<UsableToken> {
    const current = (await storage.connections.getAsGateway(connection.id)) ?? connection
    if (!usable(current)) throw unusable(current)
    const changed = (token: Token) => token.accessToken !== used.accessToken
    if (current.generation > used.generation) {
      const { token } = await pick(current, [used.name])
      if (changed(token)) return { accessToken: token.accessToken, name: used.name, generation: current.generation }
    }
    return newer(current, used.name, changed)
  }

  /** The named token of a later generation. What was under way may have renewed another token: then one more is due. */
  async function newer(connection: Connection, name: string, good: (token: Token) => boolean): Promise<UsableToken> {
    let row = connection
    for (let tries = 1; ; tries++) {
      row = await refreshed(row, name)
      const { token } = await pick(row, [name])
      if (good(token) || tries === TRIES) return { accessToken: token.accessToken, name, generation: row.generation }
    }
  }

  /** Ahead of expiry, without holding up the use that noticed. */
  function refreshSoon(connection: Connection): void {
    // While another process refreshes, each of many uses a second would try to write the lease.
    if ((asked.get(connection.id) ?? 0) > now() - ASK_AGAIN_MS) return
    if (asked.size >= MAX_ASKED) asked.clear()
    asked.set(connection.id, now())
    refreshIfFree(connection).catch(() => {})
  }

  /** A row of a later generation than the one given, by our own refresh or someone else's. */
  async function refreshed(connection: Connection, tokenName: string, force = false): Promise<Connection> {
    for (let running = underWay.get(connection.id); running; running = underWay.get(connection.id)) {
      const row = await running
      // What was under way may have begun for an older row than ours and answer the very generation that was refused.
      if (row && row.generation > connection.generation) return row
    }
    const refresh = refreshOrWait(connection, tokenName, force).finally(() => underWay.delete(connection.id))
    underWay.set(connection.id, refresh)
    return refresh
  }

  async function refreshOrWait(connection: Connection, tokenName: string, force: boolean): Promise<Connection> {
    const deadline = now() + WAIT_MS
    let seen = connection
    // The row at hand may come from a cache: before refusing by what it says, look whether it has healed.
    if (backsOff(seen) && !force) seen = await current(connection)
    for (let pause = 15; ; pause = Math.min(pause * 1.6, 250)) {
      if (seen.generation !== connection.generation) {
        if (!usable(seen)) throw unusable(seen)
        return seen
      }
      if (!usable(seen, force)) throw unusable(seen)
      if (backsOff(seen) && !force) throw failedJustNow(seen)
      const resting = breaker.restingFor(endpointOf(connection))
      if (resting !== undefined) throw restingError(connection, resting)
      const done = await refreshUnderLease(seen, tokenName)
      if (done) return done
      const row = await current(connection)
      // Whoever held the lease has failed, or the row at hand was old: judge again by this one.
      const failedMeanwhile = row.refreshFailures !== seen.refreshFailures && row.leaseUntil === null
      seen = row
      if (failedMeanwhile) continue
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

  async function current({ id }: Connection): Promise<Connection> {
    const row = await storage.connections.getAsGateway(id)
    if (!row) throw new PatchbayError('not_found', 'The connection was deleted while its token was being refreshed.')
    return row
  }

  /**
   * Refreshes if the lease is free and the row is still as seen; undefined when somebody else is at it. Without a name
   * it is the token that ends first.
   */
  async function refreshUnderLease(seen: Connection, tokenName: string | undefined): Promise<Connection | undefined> {
    const work = (async () => {
      const callBefore = now() + leaseMs - callMs
      const { id, generation, refreshFailures } = seen
      const lease = await storage.connections.beginRefresh(id, generation, options.owner, leaseMs, refreshFailures)
      return lease && perform(lease.connection, lease.interrupted !== null, callBefore, tokenName)
    })()
    performing.add(work)
    try {
      return await work
    } finally {
      performing.delete(work)
    }
  }

  /**
   * Calls the provider under the lease and commits the new pair before anyone uses it. Answers undefined when the lease
   * passed to somebody else before there was an outcome: theirs is the one that counts.
   */
  async function perform(
    connection: Connection,
    interrupted: boolean,
    callBefore: number,
    tokenName: string | undefined,
  ): Promise<Connection | undefined> {
    const started = now()
    let token: Token | undefined
    let called = false
    try {
      const provider = providerOf(connection)
      const credential = await open(connection)
      const name = tokenName ?? tokenThatEndsFirst(credential)
      token = credential.tokens[name]
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
      const grant = await breaker.run(endpointOf(connection), () => {
        // A process that was stopped for a while (or waited behind the breaker's test call) may have lost its lease, and
        // presenting a refresh token that somebody else has spent ends the whole grant at a strict provider.
        if (now() > callBefore) throw new LeaseSpent()
        called = true
        return options.oauth.refresh({
          provider,
          client,
          tokenName: name,
          refreshToken,
          params: connection.settings,
          captured: connection.captured,
          signal: AbortSignal.timeout(callMs),
        })
      })
      const fresh = grant.tokens[name]
      if (!fresh)
        throw new OAuthError('no_token', `${provider.name} answered without the token that was asked for.`, {
          failure: 'transient',
          ambiguous: true,
        })
      const kept = { ...fresh, refreshToken: fresh.refreshToken ?? refreshToken }
      return await commit(
        connection,
        { ...credential.tokens, [name]: kept },
        { ...connection.scopes, ...grant.scopes },
        {
          interrupted,
          durationMs: now() - started,
          rotated: kept.refreshToken !== refreshToken,
          giveBack: () => giveBack(provider, client, connection, { [name]: kept }),
        },
      )
    } catch (error) {
      if (error instanceof LeaseSpent) return undefined
      return await failed(connection, error, { interrupted, called, expiresAt: token?.expiresAt })
    }
  }

  async function commit(
    connection: Connection,
    tokens: Record<string, Token>,
    scopes: Connection['scopes'],
    about: { interrupted: boolean; durationMs: number; rotated: boolean; giveBack: () => Promise<void> },
  ): Promise<Connection> {
    const { id, generation, fence, projectId } = connection
    const place = { table: 'connection', row: id, column: 'credential' } as const
    const event = events.event({
      ...refreshEvent(connection),
      type: 'connection.refreshed',
      durationMs: about.durationMs,
      details: { generation: generation + 1, rotated: about.rotated, ...(about.interrupted && { interrupted: true }) },
    })
    const times = schedule(tokens, now())
    let granted: Pick<Connection, 'credential' | 'scopes' | 'expiresAt' | 'refreshAfter'>
    // The provider may have ended the old pair already: what it gave must not be lost to a storage hiccup. Sealing is
    // part of it, since the same hiccup may have emptied the vault's cache of data keys.
    const giveUpAt = performance.now() + COMMIT_MS
    for (let pause = 50; ; pause = Math.min(pause * 2, 2_000)) {
      try {
        granted = {
          credential: await vault.seal(projectId, place, JSON.stringify({ tokens } satisfies Credential)),
          scopes,
          ...times,
        }
        if (await storage.connections.commitRefresh(id, generation, fence, granted, [event])) break
        // Our lease ran out. If nobody has stored a newer pair, ours is the only good one left.
        if (await storage.connections.commitRefresh(id, generation, null, granted, [event])) break
        const row = await storage.connections.getAsGateway(id)
        // Disconnected meanwhile: what the provider has just handed out would live on with nobody to end it.
        if (!row?.credential) await about.giveBack()
        if (!row)
          throw new PatchbayError('not_found', 'The connection was deleted while its token was being refreshed.')
        if (!usable(row)) throw unusable(row)
        return row
      } catch (error) {
        if (error instanceof PatchbayError || error instanceof VaultError || performance.now() > giveUpAt) throw error
        await new Promise((resolve) => setTimeout(resolve, pause))
      }
    }
    return {
      ...connection,
      ...granted,
      generation: generation + 1,
      status: 'active',
      statusReason: null,
      refreshFailures: 0,
      refreshIntent: null,
      leaseUntil: null,
    }
  }

  /** Ends a grant that no connection holds any more, best effort. */
  async function giveBack(
    provider: Provider,
    client: ClientCredentials,
    connection: Connection,
    tokens: Record<string, Token>,
  ) {
    // Such a revoke would end other connections of the account with it.
    if (!provider.revoke || provider.revoke.endsWholeGrant) return
    const { settings: params, captured } = connection
    await options.oauth.revoke({ provider, client, tokens, params, captured }).catch(() => {})
  }

  /**
   * Records a failed refresh by its class and throws. Answers the row when someone else's refresh won meanwhile, and
   * undefined when someone else holds the lease by now.
   */
  async function failed(
    connection: Connection,
    error: unknown,
    about: { interrupted: boolean; called: boolean; expiresAt: number | undefined },
  ): Promise<Connection | undefined> {
    const { id, generation, fence } = connection
    if (!(error instanceof OAuthError)) {
      if (error instanceof PatchbayError && error.code === 'not_found') throw error
      // Not the provider's doing (storage, a sealed value that does not open, its breaker): free the lease and come back,
      // change nothing else.
      const waitMs = error instanceof PatchbayError && error.retryAfter !== undefined ? error.retryAfter * 1000 : 30_000
      await storage.connections
        .failRefresh(
          id,
          generation,
          fence,
          {
            status: connection.status,
            reason: connection.statusReason,
            refreshAfter: now() + waitMs,
            keepIntent: about.called || about.interrupted,
          },
          [],
        )
        .catch(() => {})
      throw error
    }
    const row = await storage.connections.getAsGateway(id)
    if (row && row.generation !== generation && usable(row)) return row

    const provider = providerOf(connection)
    const stillWorks = about.expiresAt !== undefined && about.expiresAt - now() > EXPIRY_SKEW_MS
    const outcome = refreshFailure(connection, error, {
      interrupted: about.interrupted,
      stillWorks,
      provider,
      now: now(),
    })
    const recorded = await storage.connections.failRefresh(id, generation, fence, outcome, [
      events.event({
        ...refreshEvent(connection),
        type: 'connection.refresh_failed',
        outcome: 'error',
        code: error.code,
        message: outcome.reason.message,
        details: {
          class: error.failure,
          status: outcome.status,
          ...(error.status && { provider_status: error.status }),
        },
      }),
    ])
    if (!recorded) {
      const moved = await current(connection)
      if (moved.generation === generation) return undefined
      if (!usable(moved)) throw unusable(moved)
      return moved
    }
    throw outcome.status === 'needs_reauth' || outcome.status === 'error'
      ? unusable({ ...connection, status: outcome.status, statusReason: outcome.reason })
      : new PatchbayError(
          'provider_unavailable',
          `${provider.name} did not refresh the access of "${connection.label}": ${error.message}`,
          {
            retryAfter: Math.max(1, Math.ceil(((outcome.refreshAfter ?? now()) - now()) / 1000)),
            ...(error.status && { providerStatus: error.status }),
            cause: error,
          },
        )
  }

  async function refreshIfFree(connection: Connection): Promise<'refreshed' | 'failed' | 'busy'> {
    if (underWay.has(connection.id)) return 'busy'
    if (breaker.restingFor(endpointOf(connection)) !== undefined) return 'busy'
    // A use that arrives now joins this refresh, or waits itself for whoever holds the lease.
    const refresh = refreshUnderLease(connection, undefined).finally(() => underWay.delete(connection.id))
    refresh.catch(() => {})
    underWay.set(connection.id, refresh)
    try {
      return (await refresh) ? 'refreshed' : 'busy'
    } catch {
      return 'failed'
    }
  }

  async function refresh(connection: Connection): Promise<Connection> {
    if (!usable(connection, true)) throw unusable(connection)
    const credential = await open(connection)
    const name = tokenThatEndsFirst(credential)
    if (!credential.tokens[name]?.refreshToken) {
      // Trying would end in `needs_reauth`, and the connection works.
      throw new PatchbayError(
        'conflict',
        `${providerOf(connection).name} gave no refresh token for "${connection.label}": there is nothing to trade, its access lasts until it ends or is revoked.`,
      )
    }
    return refreshed(connection, name, true)
  }

  /** What the breaker counts by: where the address holds a host of the user's own, one's failures open nobody else's. */
  function endpointOf(connection: Connection): string {
    return providerOf(connection).tokenUrl.replace(
      /\{(\w+)\}/g,
      (_, key: string) => connection.settings[key] ?? connection.captured[key] ?? '',
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
    refresh,
    refreshIfFree,
    async settled() {
      while (performing.size > 0) await Promise.allSettled(performing)
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

/** Name of the token to refresh next; `default` when none can be. */
function tokenThatEndsFirst({ tokens }: Credential): string {
  const [first] = Object.entries(tokens)
    .filter(([, token]) => token.refreshToken)
    .sort(([, a], [, b]) => (a.expiresAt ?? Number.POSITIVE_INFINITY) - (b.expiresAt ?? Number.POSITIVE_INFINITY))
  return first?.[0] ?? 'default'
}
