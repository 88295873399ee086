import { type Breaker, createBreaker } from './breaker.ts'
import type { Connection, Credential, StatusReason, Token } from './connection.ts'
import { PatchbayError } from './errors.ts'
import type { Catalogue } from './gateway.ts'
import { OAuthError } from './oauth.ts'
import {
  aboutConnection,
  createRefresh,
  EXPIRY_SKEW_MS,
  openCredential,
  type RefreshOptions,
  tokenThatEndsFirst,
} from './refresh.ts'
import { createUsability } from './usability.ts'

/** How long a use waits for a refresh that another process has under way. */
const WAIT_MS = 30_000
/** Refreshes that one use asks for at most: each may turn out to have been for another token of the connection. */
const TRIES = 4
/** A refresh ahead of expiry that another process holds is asked for again no sooner than this. */
const ASK_AGAIN_MS = 1_000
const MAX_ASKED = 10_000

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

export interface UsableToken {
  accessToken: string
  name: string
  generation: number
}

export interface CredentialsOptions extends RefreshOptions {
  catalogue: Catalogue
  breaker?: Breaker
}

export function createCredentials(options: CredentialsOptions): Credentials {
  const { storage, vault, catalogue, events, now } = options
  const breaker =
    options.breaker ??
    createBreaker((error) => error instanceof OAuthError && error.failure === 'transient' && error.status !== 429, now)
  const usability = createUsability({ catalogue, now })
  const { usable, unusable, backsOff, failedJustNow, providerOf, endpointOf } = usability
  const { underLease, current, settled } = createRefresh({ ...options, breaker, usability })
  /** Connection id → the refresh this process has under way; undefined when it turned out to be another's. */
  const underWay = new Map<string, Promise<Connection | undefined>>()
  /** Connection id → when a use last asked for a refresh ahead of expiry. */
  const asked = new Map<string, number>()

  async function open(connection: Connection): Promise<Credential> {
    if (!connection.credential) throw unusable(connection)
    return openCredential(vault, connection)
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
      const done = await underLease(seen, tokenName)
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

  async function refreshIfFree(connection: Connection): Promise<'refreshed' | 'failed' | 'busy'> {
    if (underWay.has(connection.id)) return 'busy'
    if (breaker.restingFor(endpointOf(connection)) !== undefined) return 'busy'
    // A use that arrives now joins this refresh, or waits itself for whoever holds the lease.
    const refresh = underLease(connection, undefined).finally(() => underWay.delete(connection.id))
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

  function restingError(connection: Connection, seconds: number): PatchbayError {
    const { name } = providerOf(connection)
    return new PatchbayError(
      'provider_unavailable',
      `${name} has failed to refresh tokens several times in a row; the gateway waits ${seconds} s before it asks again.`,
      { retryAfter: seconds },
    )
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
      ...aboutConnection(connection),
      type: 'connection.status',
      outcome: 'error',
      code: reason.code,
      message: reason.message,
    })
    await storage.connections.setStatus(connection.id, used.generation, 'needs_reauth', reason, [event])
  }

  return { use, renew, refuse, refresh, refreshIfFree, settled }
}
