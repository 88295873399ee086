import { createHash } from 'node:crypto'
import type { Caller } from './caller.ts'
import type { Account, Connection, Credential, Token } from './connection.ts'
import type { Connector } from './connector.ts'
import { type Credentials, schedule } from './credentials.ts'
import { asPatchbayError, errorBody, PatchbayError } from './errors.ts'
import { by, type EventInput, type EventLog } from './event-log.ts'
import type { CallbackOutcome, Catalogue, Connect, ConnectRequest, ConnectStarted } from './gateway.ts'
import type { Http } from './http.ts'
import { type Grant, type OAuthClient, OAuthError } from './oauth.ts'
import type { OAuthAppsOf } from './oauth-apps.ts'
import { assertUser, mayActFor, mayUseConnector } from './policy.ts'
import type { Provider } from './provider.ts'
import { checkedOpenerOrigin, checkedRedirectUrl } from './redirects.ts'
import { readOnlyTools, scopesToAsk } from './scopes.ts'
import { newId, newSecret, secretHash } from './secrets.ts'
import type { ServiceFor } from './service.ts'
import type { Authorization, Storage } from './storage.ts'
import type { Strangers } from './strangers.ts'
import type { Vault } from './vault.ts'

const LIFE_MS = 10 * 60_000
const EXCHANGE_TIMEOUT_MS = 20_000

export interface ConnectOptions {
  storage: Storage
  vault: Vault
  catalogue: Catalogue
  oauth: OAuthClient
  oauthApps: OAuthAppsOf
  events: EventLog
  strangers: Strangers
  /** An authorised service for a token that is not stored yet, to ask whose it is. */
  serviceFor: ServiceFor
  http: Http
  publicUrl: string
  /** Origins whose pages may open a popup, beside the project's redirect addresses. */
  pageOrigins: readonly string[]
  now: () => number
  /** Told when a flow that a connect link started has stored its connection. */
  linkFinished: (connectLinkId: string) => Promise<void>
}

/** Where providers send the browser back to: one address each, so that a callback's provider is known (RFC 9700 §4.4). */
export function redirectUriOf(publicUrl: string, providerId: string): string {
  return `${publicUrl}/oauth/callback/${providerId}`
}

export function createConnect(options: ConnectOptions): Connect {
  const { storage, vault, catalogue, events, now, publicUrl } = options

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

    async callback({ providerId, query, browserSecret, requestId }) {
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
    },

    async importTokens(caller, request, requestId) {
      assertUser(caller, request.userId)
      assertUserId(request.userId)
      const connector = connectorFor(catalogue, request.connectorId)
      const tokens: Record<string, Token> = {}
      for (const [name, token] of Object.entries(request.tokens)) tokens[name] = token
      const settings = checkedSettings(connector.provider, request.settings ?? {})
      const app = await options.oauthApps.forProject(caller.projectId, connector.provider.id)
      const [tokenName = 'default'] = Object.keys(tokens)
      const grant: Grant = {
        tokens,
        scopes: request.scopes ? { [tokenName]: request.scopes } : {},
        captured: {},
      }
      const id = newId('conn_')
      const draft = {
        ...pendingConnection(
          { ...by(caller, requestId), userId: request.userId, connectorId: connector.id, connectionId: id, settings },
          request.label ?? connector.name,
          now(),
        ),
        oauthAppId: app?.appId ?? null,
      }
      const account = await accountOf(connector, draft, grant)
      const same = await sameAccount(draft, account)
      const target = same ?? draft
      if (!same) await storage.connections.create(draft, [])
      const imported = events.event({
        ...by(caller, requestId),
        type: 'connection.imported',
        userId: request.userId,
        connectorId: connector.id,
        connectionId: target.id,
        details: { account: account.label, scopes: grant.scopes },
      })
      return store(target, grant, account, request.label, draft.oauthAppId, [imported])
    },
  }

  /** Checks everything that can be wrong before a browser is sent anywhere, then stores the flow. */
  async function begin(caller: Caller, request: ConnectRequest, requestId: string): Promise<ConnectStarted> {
    assertUser(caller, request.userId)
    assertUserId(request.userId)
    const connector = connectorFor(catalogue, request.connectorId)
    if (!mayUseConnector(caller.policy, connector.id)) {
      throw new PatchbayError('policy_denied', `This key may not use the connector "${connector.id}".`, {
        details: { rule: 'connectors' },
      })
    }
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

  /** Redeems the code, learns whose it is, and stores it. */
  async function finish(
    flow: Authorization,
    connector: Connector,
    query: URLSearchParams,
    about: EventInput,
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
    const account = await accountOf(connector, fresh, granted)

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
    const same = reconnecting ? undefined : await sameAccount(row, account)
    const target = same ?? row
    const declined = declinedScopes(flow, granted)
    const details = { account: account.label, scopes: granted.scopes, ...(declined.length > 0 && { declined }) }
    const told = [
      events.event({ ...about, connectionId: target.id, details }),
      events.event({
        ...about,
        type: reconnecting || same ? 'connection.reconnected' : 'connection.connected',
        connectionId: target.id,
        details,
      }),
    ]
    const stored = await store(
      { ...target, settings: flow.settings },
      granted,
      account,
      undefined,
      flow.oauthAppId,
      told,
    )
    // The account was connected before: that connection took the new grant, so its id and everything set up for it stay.
    if (same) await storage.connections.remove(row.projectId, row.userId, row.id, [])
    return stored
  }

  async function accountOf(connector: Connector, draft: Connection, grant: Grant): Promise<Account> {
    const named = connector.provider.identity && (await identityOf(connector, grant))
    if (named) return named
    const [firstTool] = Object.values(connector.tools)
    const service = options.serviceFor({
      connector,
      connection: { ...draft, scopes: grant.scopes },
      tool: { ...(firstTool as NonNullable<typeof firstTool>), effect: 'read', tokens: Object.keys(grant.tokens) },
      signal: AbortSignal.timeout(EXCHANGE_TIMEOUT_MS),
      credentials: unstoredCredentials(connector, grant),
    })
    return connector.account(service, grant.captured)
  }

  /** Who granted, by the provider's own word; undefined when it will not say for this token. */
  async function identityOf(connector: Connector, grant: Grant): Promise<Account | undefined> {
    const { identity, name } = connector.provider
    const token = grant.tokens['default'] ?? Object.values(grant.tokens)[0]
    if (!identity || !token) return undefined
    const response = await options.http({
      method: 'GET',
      url: identity.url,
      headers: { accept: 'application/json', authorization: `Bearer ${token.accessToken}` },
      timeoutMs: EXCHANGE_TIMEOUT_MS,
      maxBytes: 256 * 1024,
    })
    if (response.status === 401 || response.status === 403) return undefined
    try {
      if (response.status === 200) return identity.account(JSON.parse(response.body.toString('utf8')))
    } catch {
      // Falls through: an answer that is not what the provider documents.
    }
    throw new PatchbayError(
      'provider_unavailable',
      `${name} did not say whose account this is (HTTP ${response.status}).`,
      {
        providerStatus: response.status,
      },
    )
  }

  async function sameAccount(draft: Connection, account: Account): Promise<Connection | undefined> {
    const siblings = await storage.connections.list(draft.projectId, draft.userId, { connectorId: draft.connectorId })
    return siblings.find((one) => one.id !== draft.id && one.account?.id === account.id)
  }

  async function store(
    target: Connection,
    grant: Grant,
    account: Account,
    label: string | undefined,
    oauthAppId: string | null,
    told: ReturnType<EventLog['event']>[],
  ): Promise<Connection> {
    const place = { table: 'connection', row: target.id, column: 'credential' } as const
    const credential = await vault.seal(
      target.projectId,
      place,
      JSON.stringify({ tokens: grant.tokens } satisfies Credential),
    )
    const ownLabel = target.account === null ? account.label : target.label
    const stored = await storage.connections.authorise(
      target.projectId,
      target.userId,
      target.id,
      {
        label: label ?? ownLabel,
        account,
        settings: target.settings,
        captured: grant.captured,
        scopes: grant.scopes,
        credential,
        ...schedule(grant.tokens, now()),
        oauthAppId,
      },
      told,
    )
    if (!stored) throw new PatchbayError('not_found', 'The connection was deleted while its user was connecting it.')
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

function startAgain(message: string): PatchbayError {
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

/** The state goes through the provider and back; what starts a flow must not be computable from it. */
function stateOf(startToken: string): string {
  return createHash('sha256').update(`state ${startToken}`).digest('base64url')
}

function verifierPlace(stateHash: string) {
  return { table: 'authorization', row: stateHash, column: 'code_verifier' } as const
}

function connectorFor(catalogue: Catalogue, id: string): Connector {
  const connector = catalogue.connector(id)
  if (connector) return connector
  const ofProvider = catalogue.connectors().filter((one) => one.provider.id === id)
  if (ofProvider.length === 1) return ofProvider[0] as Connector
  if (ofProvider.length > 1) {
    throw new PatchbayError(
      'invalid_input',
      `"${id}" has several connectors; name one: ${ofProvider.map((one) => one.id).join(', ')}.`,
    )
  }
  throw new PatchbayError('not_found', `There is no connector "${id}". GET /connectors lists them.`)
}

function isUserId(userId: string): boolean {
  return userId.length >= 1 && userId.length <= 200 && !/[\p{Cc}\p{Zl}\p{Zp}]/u.test(userId)
}

function assertUserId(userId: string): void {
  if (!isUserId(userId)) {
    throw new PatchbayError('invalid_input', '"user_id" must be 1 to 200 characters without control characters.')
  }
}

function noOAuthApp(provider: Provider, publicUrl: string): PatchbayError {
  return new PatchbayError(
    'not_configured',
    `No OAuth app for ${provider.name} is set up on this gateway, so nobody can connect it yet.`,
    {
      fix: {
        action: `An administrator enters the client id and secret of a ${provider.name} OAuth app`,
        url: `${publicUrl}/settings/oauth-apps/${provider.id}`,
      },
      details: { provider: provider.id },
    },
  )
}

function checkedSettings(provider: Provider, given: Record<string, string>): Record<string, string> {
  const params = provider.connectionParams ?? []
  const settings: Record<string, string> = {}
  for (const key of Object.keys(given)) {
    if (!params.some((param) => param.key === key)) {
      throw new PatchbayError(
        'invalid_input',
        `"settings.${key}" is not something ${provider.name} needs${params.length > 0 ? ` (it needs: ${params.map((param) => param.key).join(', ')})` : ''}.`,
      )
    }
  }
  for (const param of params) {
    const value = given[param.key] ?? param.default
    if (value === undefined || value === '') {
      if (param.required)
        throw new PatchbayError('invalid_input', `"settings.${param.key}" is required: ${param.help ?? param.label}.`)
      continue
    }
    if (!new RegExp(`^(?:${param.pattern})$`).test(value)) {
      throw new PatchbayError(
        'invalid_input',
        `"settings.${param.key}" does not look like a ${param.label}${param.help ? `: ${param.help}` : ''}.`,
      )
    }
    settings[param.key] = value
  }
  return settings
}

function askedTools(connector: Connector, request: ConnectRequest) {
  if (!request.tools) return readOnlyTools(connector)
  return request.tools.flatMap((name) => {
    if (name === '*') return Object.values(connector.tools)
    const wanted = name.toUpperCase()
    const found = Object.entries(connector.tools).find(
      ([own, tool]) => own === wanted || tool.aliases?.includes(wanted),
    )
    if (!found) throw new PatchbayError('invalid_input', `"tools": ${connector.name} has no tool "${name}".`)
    return [found[1]]
  })
}

function checkedScopes(connector: Connector, scopes: readonly string[] = []): readonly string[] {
  for (const scope of scopes) {
    if (!(scope in connector.scopes)) {
      throw new PatchbayError(
        'invalid_input',
        `"scopes": ${connector.name} does not use the scope "${scope}" (it uses: ${Object.keys(connector.scopes).join(', ')}).`,
      )
    }
  }
  return scopes
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

function unstoredCredentials(connector: Connector, grant: Grant): Credentials {
  const token = (names: readonly string[]) => {
    const name = names.find((one) => grant.tokens[one]) ?? (Object.keys(grant.tokens)[0] as string)
    return { accessToken: (grant.tokens[name] as Token).accessToken, name, generation: 0 }
  }
  const refused = () =>
    new PatchbayError('oauth_failed', `${connector.name} does not accept the access it has just granted.`)
  return {
    use: async (_connection, names) => token(names),
    renew: async () => {
      throw refused()
    },
    refuse: async () => {},
    refresh: async () => {
      throw refused()
    },
    refreshIfFree: async () => 'busy',
    settled: async () => {},
  }
}

function pendingConnection(
  flow: Pick<Authorization, 'projectId' | 'userId' | 'connectorId' | 'connectionId' | 'settings'> &
    Partial<Pick<Authorization, 'oauthAppId'>>,
  label: string,
  at: number,
): Connection {
  return {
    id: flow.connectionId,
    projectId: flow.projectId,
    userId: flow.userId,
    connectorId: flow.connectorId,
    label,
    isDefault: false,
    status: 'pending',
    statusReason: {
      code: 'not_finished',
      message: 'The user has not finished connecting.',
      fix: 'Finish connecting, or start again',
      at,
    },
    account: null,
    settings: flow.settings,
    captured: {},
    scopes: {},
    credential: null,
    generation: 0,
    expiresAt: null,
    refreshAfter: null,
    refreshFailures: 0,
    refreshIntent: null,
    fence: 0,
    leaseUntil: null,
    oauthAppId: flow.oauthAppId ?? null,
    createdAt: at,
    updatedAt: at,
  }
}
