import { createHash } from 'node:crypto'
import { type CallbackOptions, createCallback, startAgain, verifierPlace } from './callback.ts'
import type { Caller } from './caller.ts'
import {
  askedTools,
  assertUserId,
  checkedScopes,
  checkedSettings,
  connectorFor,
  isUserId,
  noOAuthApp,
  pendingConnection,
} from './connect-request.ts'
import { PatchbayError } from './errors.ts'
import { by } from './event-log.ts'
import type { Connect, ConnectRequest, ConnectStarted } from './gateway.ts'
import { createGrants } from './grants.ts'
import type { Http } from './http.ts'
import { createImport } from './import-tokens.ts'
import { assertConnector, assertUser, mayActFor } from './policy.ts'
import { checkedOpenerOrigin, checkedRedirectUrl } from './redirects.ts'
import { scopesToAsk } from './scopes.ts'
import { newId, newSecret, secretHash } from './secrets.ts'
import type { ServiceFor } from './service.ts'
import type { Authorization } from './storage.ts'

const LIFE_MS = 10 * 60_000

export interface ConnectOptions extends Omit<CallbackOptions, 'grants'> {
  /** An authorised service for a token that is not stored yet, to ask whose it is. */
  serviceFor: ServiceFor
  http: Http
  /** Origins whose pages may open a popup, beside the project's redirect addresses. */
  pageOrigins: readonly string[]
}

/** Where providers send the browser back to: one address each, so that a callback's provider is known (RFC 9700 §4.4). */
export function redirectUriOf(publicUrl: string, providerId: string): string {
  return `${publicUrl}/oauth/callback/${providerId}`
}

/** How accounts are connected: by consent in a browser, or with tokens brought along. */
export function createConnect(options: ConnectOptions): Connect {
  const { storage, vault, catalogue, events, now, publicUrl } = options
  const grants = createGrants(options)

  return {
    async start(caller, request, requestId) {
      try {
        return await begin(caller, request, requestId)
      } catch (error) {
        if (error instanceof PatchbayError) await events.write([refusedStart(caller, request, error, requestId)])
        throw error
      }
    },

    async open(startToken, browserSecret) {
      const flow = await storage.authorizations.open(secretHash(startToken), secretHash(browserSecret), now())
      if (!flow) {
        const why =
          'is not known, has expired (it lasts 10 minutes), was used already, or was opened in another browser'
        throw options.strangers.refused(
          'connection.authorize',
          startAgain(`This connect address ${why}. Start connecting again.`),
          null,
        )
      }
      const { provider } = connectorFor(catalogue, flow.connectorId)
      const app = await options.oauthApps.forProject(flow.projectId, provider.id)
      if (!app) throw noOAuthApp(provider, publicUrl)
      const verifier =
        flow.codeVerifier && (await vault.open(flow.projectId, verifierPlace(flow.stateHash), flow.codeVerifier))
      const known = await storage.connections.get(flow.projectId, flow.userId, flow.connectionId)
      return options.oauth.authorizationUrl({
        provider,
        client: { clientId: app.clientId },
        redirectUri: flow.redirectUri,
        state: stateOf(startToken),
        ...(verifier && { codeChallenge: createHash('sha256').update(verifier).digest('base64url') }),
        scopes: flow.scopes,
        params: flow.settings,
        ...(known?.account?.email && { loginHint: known.account.email }),
      })
    },

    callback: createCallback({ ...options, grants }),
    importTokens: createImport({ ...options, grants }),
  }

  /** Checks everything that can be wrong before a browser is sent anywhere, then stores the flow. */
  async function begin(caller: Caller, request: ConnectRequest, requestId: string): Promise<ConnectStarted> {
    assertUser(caller, request.userId)
    assertUserId(request.userId)
    const connector = connectorFor(catalogue, request.connectorId)
    assertConnector(caller, connector.id)
    const { provider } = connector
    const app = await options.oauthApps.forProject(caller.projectId, provider.id)
    if (!app) throw noOAuthApp(provider, publicUrl)
    const project = await storage.projects.get(caller.projectId)
    if (!project) throw new PatchbayError('not_found', 'The project was deleted.')
    const redirectUrl = request.redirectUrl
      ? checkedRedirectUrl(request.redirectUrl, project.redirectUrls, publicUrl)
      : null
    const openerOrigin = request.openerOrigin
      ? checkedOpenerOrigin(request.openerOrigin, project.redirectUrls, options.pageOrigins, publicUrl)
      : null

    const before = request.connectionId
      ? await storage.connections.get(caller.projectId, request.userId, request.connectionId)
      : undefined
    if (request.connectionId && before?.connectorId !== connector.id) {
      throw new PatchbayError(
        'not_found',
        `User "${request.userId}" has no ${connector.name} connection "${request.connectionId}".`,
      )
    }
    const settings = checkedSettings(provider, { ...before?.settings, ...request.settings })
    const scopes = scopesToAsk(
      connector,
      askedTools(connector, request),
      checkedScopes(connector, request.scopes),
      before?.scopes,
    )

    const startToken = newSecret('st_')
    const verifier = provider.pkce === 'S256' ? newSecret('') : null
    const connectionId = before?.id ?? newId('conn_')
    const stateHash = secretHash(stateOf(startToken))
    const authorization: Authorization = {
      stateHash,
      projectId: caller.projectId,
      userId: request.userId,
      connectorId: connector.id,
      providerId: provider.id,
      connectionId,
      oauthAppId: app.appId,
      actor: caller.actor,
      redirectUrl,
      openerOrigin,
      redirectUri: redirectUriOf(publicUrl, provider.id),
      codeVerifier: verifier && (await vault.seal(caller.projectId, verifierPlace(stateHash), verifier)),
      browserHash: null,
      settings,
      scopes,
      allowOtherAccount: request.allowOtherAccount ?? false,
      startHash: secretHash(startToken),
      createdAt: now(),
      expiresAt: now() + LIFE_MS,
      usedAt: null,
    }
    const authorize = events.event({
      ...by(caller, requestId),
      type: 'connection.authorize',
      userId: request.userId,
      connectorId: connector.id,
      connectionId,
      details: { scopes, reconnect: before !== undefined },
    })
    if (!before)
      await storage.connections.create(pendingConnection(authorization, request.label ?? connector.name, now()), [])
    await storage.authorizations.create(authorization, [authorize])
    return { authUrl: `${publicUrl}/connect/start/${startToken}`, connectionId, expiresAt: authorization.expiresAt }
  }

  /** A start that was turned away, told in the log of the caller's project. */
  function refusedStart(caller: Caller, request: ConnectRequest, error: PatchbayError, requestId: string) {
    return events.event({
      ...by(caller, requestId),
      type: 'connection.authorize',
      outcome: 'refused',
      // Not in the log of a user whom the caller may not act for.
      userId: mayActFor(caller, request.userId) && isUserId(request.userId) ? request.userId : caller.userId,
      connectorId: catalogue.connector(request.connectorId)?.id ?? null,
      code: error.code,
      message: error.message.slice(0, 500),
    })
  }
}

/** The state goes through the provider and back; what starts a flow must not be computable from it. */
function stateOf(startToken: string): string {
  return createHash('sha256').update(`state ${startToken}`).digest('base64url')
}
