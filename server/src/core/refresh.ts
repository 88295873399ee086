import type { Breaker } from './breaker.ts'
import type { Actor } from './caller.ts'
import type { Connection, Credential, Token } from './connection.ts'
import { PatchbayError } from './errors.ts'
import type { EventLog } from './event-log.ts'
import { type ClientCredentials, type OAuthClient, OAuthError } from './oauth.ts'
import type { OAuthAppsOf } from './oauth-apps.ts'
import type { Provider } from './provider.ts'
import { refreshFailure } from './refresh-failure.ts'
import type { Storage } from './storage.ts'
import type { Usability } from './usability.ts'
import { type Vault, VaultError } from './vault.ts'

/** A token that ends within this many ms counts as ended: it has to survive the way to the service. */
export const EXPIRY_SKEW_MS = 10_000
/** One call to a token endpoint. Well under the lease, so that a holder is done before its lease ends. */
const REFRESH_TIMEOUT_MS = 12_000
export const REFRESH_LEASE_MS = 20_000
/** How long a pair that the provider has handed out is offered to a storage that fails. Longer than a failover takes. */
const COMMIT_MS = 120_000
const GATEWAY: Actor = { type: 'system', id: 'gateway' }

export interface RefreshOptions {
  storage: Pick<Storage, 'connections'>
  vault: Vault
  oauth: OAuthClient
  oauthApps: OAuthAppsOf
  events: EventLog
  now: () => number
  /** Names this process in leases. */
  owner: string
  leaseMs?: number
}

/** One refresh of one connection, under the row lease that lets no other process do the same. */
export interface Refresh {
  /**
   * Refreshes if the lease is free and the row is still as seen; undefined when somebody else is at it. Without a name
   * it is the token that ends first. Throws PatchbayError for what the provider, or the way to it, did wrong.
   */
  underLease(seen: Connection, tokenName: string | undefined): Promise<Connection | undefined>
  /** The row as it is now; throws `not_found` when it was deleted meanwhile. */
  current(connection: Connection): Promise<Connection>
  /** Resolves once no refresh is under way here. */
  settled(): Promise<void>
}

/** The lease would not outlast the call to the provider, so the call was not made. */
class LeaseSpent extends Error {
  override readonly name = 'LeaseSpent'
}

export function createRefresh(options: RefreshOptions & { breaker: Breaker; usability: Usability }): Refresh {
  const { storage, vault, events, now, breaker } = options
  const { usable, unusable, providerOf, endpointOf } = options.usability
  const leaseMs = options.leaseMs ?? REFRESH_LEASE_MS
  const callMs = Math.round(Math.min(REFRESH_TIMEOUT_MS, leaseMs * 0.6))
  /** Refreshes that hold a lease, or are about to. */
  const performing = new Set<Promise<unknown>>()

  async function underLease(seen: Connection, tokenName: string | undefined): Promise<Connection | undefined> {
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
      const credential = await openCredential(vault, connection)
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
      ...aboutConnection(connection),
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
        ...aboutConnection(connection),
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

  async function current({ id }: Connection): Promise<Connection> {
    const row = await storage.connections.getAsGateway(id)
    if (!row) throw new PatchbayError('not_found', 'The connection was deleted while its token was being refreshed.')
    return row
  }

  return {
    underLease,
    current,
    async settled() {
      while (performing.size > 0) await Promise.allSettled(performing)
    },
  }
}

/** The plain credential, for the moment of use. The connection holds one. */
export async function openCredential(vault: Vault, connection: Connection): Promise<Credential> {
  const place = { table: 'connection', row: connection.id, column: 'credential' } as const
  return JSON.parse(await vault.open(connection.projectId, place, connection.credential as string)) as Credential
}

/** Members of every event that the gateway itself writes about a connection. */
export function aboutConnection(connection: Connection) {
  return {
    projectId: connection.projectId,
    actor: GATEWAY,
    userId: connection.userId,
    connectorId: connection.connectorId,
    connectionId: connection.id,
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
export function tokenThatEndsFirst({ tokens }: Credential): string {
  const [first] = Object.entries(tokens)
    .filter(([, token]) => token.refreshToken)
    .sort(([, a], [, b]) => (a.expiresAt ?? Number.POSITIVE_INFINITY) - (b.expiresAt ?? Number.POSITIVE_INFINITY))
  return first?.[0] ?? 'default'
}
