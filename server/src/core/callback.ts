import { noOAuthApp } from './connect-request.ts'
import type { Connection } from './connection.ts'
import type { Connector } from './connector.ts'
import { asPatchbayError, errorBody, PatchbayError } from './errors.ts'
import type { EventInput, EventLog } from './event-log.ts'
import type { CallbackOutcome, Catalogue, Connect } from './gateway.ts'
import type { Grants } from './grants.ts'
import { type Grant, type OAuthClient, OAuthError } from './oauth.ts'
import type { OAuthAppsOf } from './oauth-apps.ts'
import { secretHash } from './secrets.ts'
import type { Authorization, Storage } from './storage.ts'
import type { Strangers } from './strangers.ts'
import type { Vault } from './vault.ts'

const EXCHANGE_TIMEOUT_MS = 20_000

export interface CallbackOptions {
  storage: Storage
  vault: Vault
  catalogue: Catalogue
  oauth: OAuthClient
  oauthApps: OAuthAppsOf
  grants: Grants
  events: EventLog
  strangers: Strangers
  publicUrl: string
  now: () => number
  /** Told when a flow that a connect link started has stored its connection. */
  linkFinished: (connectLinkId: string) => Promise<void>
}

/** The provider sent the browser back: checks that it is the one we sent, redeems the code, stores the connection. */
export function createCallback(options: CallbackOptions): Connect['callback'] {
  const { storage, vault, catalogue, events, grants, now, publicUrl } = options

  return async ({ providerId, query, browserSecret, requestId }) => {
    const state = query.get('state')
    const found = state ? await storage.authorizations.consume(secretHash(state), now()) : undefined
    if (!found) {
      const why = 'This sign-in was not started here, or has expired. Start connecting again.'
      const error = options.strangers.refused('connection.callback', startAgain(why), requestId)
      return { status: 'failed', error: errorBody(error, requestId) }
    }
    const flow = found.authorization
    const connector = catalogue.connector(flow.connectorId)
    const about: EventInput = {
      projectId: flow.projectId,
      actor: flow.actor,
      type: 'connection.callback',
      userId: flow.userId,
      connectorId: flow.connectorId,
      connectionId: flow.connectionId,
      requestId,
    }
    const outcome: CallbackOutcome = {
      status: 'failed',
      connectorId: flow.connectorId,
      connectionId: flow.connectionId,
      ...(connector && { connectorName: connector.name }),
    }
    try {
      // Whoever holds a stolen or replayed state must learn nothing and be sent nowhere.
      if (!found.fresh) throw new Untrusted('This sign-in was already finished once. Start connecting again.')
      if (flow.expiresAt <= now())
        throw new Untrusted('This sign-in took longer than 10 minutes. Start connecting again.')
      if (!browserSecret || flow.browserHash !== secretHash(browserSecret)) {
        throw new Untrusted('This sign-in was started in another browser. Start connecting again in this one.')
      }
      if (flow.providerId !== providerId)
        throw new Untrusted('The answer came from another provider than the one asked. Start connecting again.')
      if (!connector)
        throw new PatchbayError(
          'not_configured',
          `The connector "${flow.connectorId}" is not part of this gateway any more.`,
        )
    } catch (error) {
      return await fail(
        flow,
        about,
        { status: 'failed', ...(connector && { connectorName: connector.name }) },
        error,
        requestId,
      )
    }
    const ways = {
      ...(flow.redirectUrl && { redirectUrl: flow.redirectUrl }),
      ...(flow.openerOrigin && { openerOrigin: flow.openerOrigin }),
    }
    try {
      const connection = await finish(flow, connector, query, about)
      if (flow.actor.type === 'connect_link') await options.linkFinished(flow.actor.id)
      return { ...outcome, ...ways, status: 'connected', connection, connectionId: connection.id }
    } catch (error) {
      return await fail(flow, about, { ...outcome, ...ways }, error, requestId)
    }
  }

  /** Redeems the code, learns whose it is, and stores it. */
  async function finish(
    flow: Authorization,
    connector: Connector,
    query: URLSearchParams,
    event: EventInput,
  ): Promise<Connection> {
    const app = await options.oauthApps.forProject(flow.projectId, flow.providerId)
    if (!app) throw noOAuthApp(connector.provider, publicUrl)
    const row = await storage.connections.get(flow.projectId, flow.userId, flow.connectionId)
    if (!row) throw new PatchbayError('not_found', 'The connection was deleted while its user was connecting it.')
    const verifier =
      flow.codeVerifier && (await vault.open(flow.projectId, verifierPlace(flow.stateHash), flow.codeVerifier))
    const pinned = row.captured['issuer']
    const grant = await options.oauth.exchange({
      provider: connector.provider,
      client: app,
      redirectUri: flow.redirectUri,
      callback: query,
      ...(verifier && { codeVerifier: verifier }),
      params: flow.settings,
      ...(pinned && { pinnedIssuer: pinned }),
      signal: AbortSignal.timeout(EXCHANGE_TIMEOUT_MS),
    })
    const captured = { ...grant.captured, ...(grant.issuer && { issuer: grant.issuer }) }
    const granted: Grant = { ...grant, captured, scopes: grantedScopes(grant, flow) }
    const fresh = { ...row, settings: flow.settings, captured }
    const account = await grants.accountOf(connector, fresh, granted)

    const reconnecting = row.account !== null
    if (reconnecting && row.account?.id !== account.id && !flow.allowOtherAccount) {
      throw new PatchbayError(
        'account_mismatch',
        row.account?.label === account.label
          ? `You signed in to another account that is called ${account.label} too than the one this connection belongs to. Nothing was changed.`
          : `This connection belongs to ${row.account?.label}, but you signed in as ${account.label}. Nothing was changed.`,
        { fix: { action: `Sign in as ${row.account?.label}, or connect ${account.label} as a further account` } },
      )
    }
    const same = reconnecting ? undefined : await grants.sameAccount(row, account)
    const target = same ?? row
    const declined = declinedScopes(flow, granted)
    const details = { account: account.label, scopes: granted.scopes, ...(declined.length > 0 && { declined }) }
    const told = [
      events.event({ ...event, connectionId: target.id, details }),
      events.event({
        ...event,
        type: reconnecting || same ? 'connection.reconnected' : 'connection.connected',
        connectionId: target.id,
        details,
      }),
    ]
    // A label asked for at the start was written into the pending row; without one the account names the connection.
    const label = row.account === null && row.label !== connector.name ? row.label : undefined
    const about = { account, label, oauthAppId: flow.oauthAppId }
    const stored = await grants.store({ ...target, settings: flow.settings }, granted, about, told)
    // The account was connected before: that connection took the new grant, so its id and everything set up for it stay.
    if (same) await storage.connections.remove(row.projectId, row.userId, row.id, [])
    return stored
  }

  /** Writes the event, forgets a connection that was never finished, and says what to show. */
  async function fail(
    flow: Authorization,
    about: EventInput,
    outcome: CallbackOutcome,
    thrown: unknown,
    requestId: string,
  ): Promise<CallbackOutcome> {
    const error = connectError(thrown, catalogue.connector(flow.connectorId)?.name ?? flow.connectorId)
    const event = events.event({
      ...about,
      outcome: thrown instanceof Untrusted ? 'refused' : 'error',
      code: error.code,
      message: error.message,
    })
    const row = await storage.connections.get(flow.projectId, flow.userId, flow.connectionId)
    if (row?.status === 'pending' && !(thrown instanceof Untrusted)) {
      await storage.connections.remove(flow.projectId, flow.userId, flow.connectionId, [event])
    } else {
      await events.write([event])
    }
    return { ...outcome, status: 'failed', error: errorBody(error, requestId) }
  }
}

export function startAgain(message: string): PatchbayError {
  return new PatchbayError('oauth_failed', message, { fix: { action: 'Start connecting again' } })
}

/** A callback that may not be trusted to be the right person's: it is told nothing and sent nowhere. */
class Untrusted extends Error {}

function connectError(thrown: unknown, name: string): PatchbayError {
  if (thrown instanceof Untrusted) return startAgain(thrown.message)
  if (!(thrown instanceof OAuthError)) return asPatchbayError(thrown)
  const actions = {
    transient: `Wait a moment and connect ${name} again`,
    configuration: `An administrator has to check the OAuth app for ${name}: client id, client secret and redirect address`,
    user: `Connect ${name} again and allow the access`,
    policy: `Connect ${name} again`,
  }
  return new PatchbayError(thrown.failure === 'transient' ? 'provider_unavailable' : 'oauth_failed', thrown.message, {
    cause: thrown,
    fix: { action: actions[thrown.failure] },
    details: { reason: thrown.code },
  })
}

/** Where the PKCE verifier of a flow is sealed. */
export function verifierPlace(stateHash: string) {
  return { table: 'authorization', row: stateHash, column: 'code_verifier' } as const
}

/** What the reply granted; a reply that does not say granted what was asked (RFC 6749 §5.1). */
function grantedScopes(grant: Grant, flow: Authorization): Record<string, readonly string[]> {
  return Object.fromEntries(
    Object.keys(grant.tokens).map((name) => [name, grant.scopes[name] ?? flow.scopes[name] ?? []]),
  )
}

function declinedScopes(flow: Authorization, grant: Grant): string[] {
  const granted = new Set(Object.values(grant.scopes).flat())
  return Object.values(flow.scopes)
    .flat()
    .filter((scope) => !granted.has(scope))
}
