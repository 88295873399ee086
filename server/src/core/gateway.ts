import type { Caller, Policy, Role } from './caller.ts'
import type { Connection } from './connection.ts'
import type { Connector, Effect, Tool } from './connector.ts'
import type { ErrorBody } from './errors.ts'
import type { Event } from './events.ts'
import type { RevokeResult } from './oauth.ts'
import type { Provider } from './provider.ts'
import type { ApiKey, EventFilter, Instance, OAuthApp, Project } from './storage.ts'

/**
 * Everything the edges may ask of the core, in one place: `api`, `mcp` and `pages` take this and nothing else.
 * `main` builds it. Every method that touches user data takes the caller and the user.
 */
export interface Gateway {
  catalogue: Catalogue
  callers: Callers
  connect: Connect
  connections: ConnectionsOf
  tools: Tools
  instances: InstancesOf
  connectLinks: ConnectLinksOf
  sessions: SessionsOf
  admin: Admin
  events: EventsOf
  health(): Promise<Health>
}

export interface Catalogue {
  connectors(): readonly Connector[]
  connector(id: string): Connector | undefined
  providers(): readonly Provider[]
  provider(id: string): Provider | undefined
  /** By name or alias, in any case. */
  tool(name: string): { name: string; connector: Connector; tool: Tool } | undefined
  /** JSON Schema (2020-12) of a tool's input, computed once. */
  inputSchema(name: string): Record<string, unknown>
}

export interface Callers {
  /** Throws `unauthorized` with what is wrong with the key (missing, unknown, revoked, expired). */
  fromApiKey(secret: string | undefined): Promise<Caller>
  fromInstanceToken(instanceId: string, token: string | undefined): Promise<{ caller: Caller; instance: Instance }>
  /** Undefined when the cookie is unknown or has ended. */
  fromSession(cookie: string): Promise<Caller | undefined>
}

export interface ConnectRequest {
  userId: string
  /** Connector id. A provider id with a single connector works too. */
  connectorId: string
  /** Must be on the project's list; absent: the gateway's own page closes the popup. */
  redirectUrl?: string | undefined
  /** Origin of the page that opened the popup; it is told the outcome, and only it. */
  openerOrigin?: string | undefined
  /** Values of the provider's connection parameters. */
  settings?: Record<string, string> | undefined
  /** Ask for what these tools need instead of the read-only minimum. `['*']`: every tool of the connector. */
  tools?: readonly string[] | undefined
  /** Further scopes by name. */
  scopes?: readonly string[] | undefined
  /** Reconnect this one: keeps its id, refuses another account. */
  connectionId?: string | undefined
  allowOtherAccount?: boolean | undefined
  label?: string | undefined
}

export interface ConnectStarted {
  /** Ours: binds the browser, then goes on to the provider. Single use. */
  authUrl: string
  connectionId: string
  /** Epoch ms. */
  expiresAt: number
}

export interface Connect {
  start(caller: Caller, request: ConnectRequest, requestId: string): Promise<ConnectStarted>
  /** The browser opened `authUrl`: binds it and answers the provider's address. */
  open(startToken: string, browserSecret: string): Promise<string>
  /** The provider sent the browser back. Never throws for what a person can cause: the outcome says it. */
  callback(request: {
    providerId: string
    query: URLSearchParams
    browserSecret: string | undefined
    requestId: string
  }): Promise<CallbackOutcome>
  /** Stores tokens obtained elsewhere as a connection, checked by asking the service who they belong to. */
  importTokens(
    caller: Caller,
    request: {
      userId: string
      connectorId: string
      tokens: Record<string, { accessToken: string; refreshToken?: string; expiresAt?: number }>
      scopes?: readonly string[]
      settings?: Record<string, string>
      label?: string
    },
    requestId: string,
  ): Promise<Connection>
}

export interface CallbackOutcome {
  status: 'connected' | 'failed'
  /** Absent when the state named no flow of ours. */
  connectorId?: string
  connectorName?: string
  connectionId?: string
  connection?: Connection
  error?: ErrorBody
  /** Where to send the browser; never set when the browser or state was not the right one. */
  redirectUrl?: string
  openerOrigin?: string
}

export interface ConnectionsOf {
  list(caller: Caller, userId: string, connectorId?: string): Promise<Connection[]>
  get(caller: Caller, userId: string, id: string): Promise<Connection>
  update(
    caller: Caller,
    userId: string,
    id: string,
    changes: { label?: string; isDefault?: true },
    requestId: string,
  ): Promise<Connection>
  /** Trades the refresh token now. */
  refresh(caller: Caller, userId: string, id: string, requestId: string): Promise<Connection>
  /** Revokes at the provider, then deletes locally whatever happened there, and says what did. */
  disconnect(caller: Caller, userId: string, id: string, requestId: string): Promise<RevokeResult>
}

/** A tool as one caller sees it for one user. */
export interface ListedTool {
  name: string
  title: string
  description: string
  connectorId: string
  connectorName: string
  effect: Effect
  idempotent: boolean
  /** JSON Schema; holds an `account` property when the user has several connections to the connector. */
  inputSchema: Record<string, unknown>
  available: boolean
  /** Why not, and what to do (a connect link). */
  unavailable?: ErrorBody
  connections: readonly { id: string; label: string; isDefault: boolean; status: Connection['status'] }[]
}

export interface ToolCall {
  userId: string
  name: string
  arguments: Record<string, unknown>
  /** Which account: a connection id, its label, or the account's email or id. Also read from `arguments.account`. */
  account?: string | undefined
  requestId: string
  signal: AbortSignal
  /** Surface the call came by, for the event. */
  via: 'rest' | 'mcp' | 'page'
}

export interface ToolResult {
  name: string
  connectionId: string
  connectorId: string
  /** The service's answer, trimmed, cleaned of control and invisible characters, and bounded. */
  data: unknown
  /** The answer was cut to the limit; `data` says how to get the rest. */
  truncated: boolean
  durationMs: number
  eventId: string
}

export interface ToolFilter {
  connectorId?: string
  /** Tools of connectors that the user has not connected, too. */
  all?: boolean
  /** Words that all occur in name, title or description. */
  query?: string
  /** Request id: adds to each unavailable tool the link that mends what it lacks. */
  linksFor?: string
}

export interface Tools {
  /** What this caller may use for this user. Connectors without a connection are left out unless `all`. */
  list(caller: Caller, userId: string, filter?: ToolFilter): Promise<ListedTool[]>
  /** Throws PatchbayError. */
  call(caller: Caller, call: ToolCall): Promise<ToolResult>
}

export interface InstancesOf {
  /** The token is in the answer this once. */
  create(
    caller: Caller,
    request: { userId: string; name?: string; policy?: Policy },
    requestId: string,
  ): Promise<{ instance: Instance; token: string }>
  list(caller: Caller, userId?: string): Promise<Instance[]>
  get(caller: Caller, userId: string, id: string): Promise<Instance>
  update(
    caller: Caller,
    userId: string,
    id: string,
    changes: { name?: string; policy?: Policy },
    requestId: string,
  ): Promise<Instance>
  rotateToken(
    caller: Caller,
    userId: string,
    id: string,
    requestId: string,
  ): Promise<{ instance: Instance; token: string }>
  remove(caller: Caller, userId: string, id: string, requestId: string): Promise<void>
}

export interface ConnectLinksOf {
  create(
    caller: Caller,
    request: {
      userId: string
      connectors?: readonly string[]
      tools?: readonly string[]
      redirectUrl?: string
      connectionId?: string
    },
    requestId: string,
  ): Promise<{ url: string; id: string; expiresAt: number }>
  /** A browser opened the link. Throws `not_found` when it is unknown, expired, used or opened by another browser. */
  open(token: string, browserSecret: string, requestId: string): Promise<OpenLink>
  /** Starts connecting from an open link; a link ends with its first finished connection. */
  start(
    token: string,
    browserSecret: string,
    request: { connectorId: string; settings?: Record<string, string> },
    requestId: string,
  ): Promise<ConnectStarted>
}

export interface OpenLink {
  userId: string
  projectName: string
  expiresAt: number
  connectors: readonly {
    connector: Connector
    connection?: Connection
    configured: boolean
    /** What connecting will ask for, so that the page can say it; absent: what the read-only tools need. */
    scopes?: readonly string[]
  }[]
}

export interface SessionsOf {
  /** Checks the key and answers the cookie's value, this once. Only `admin` keys may sign in. */
  create(apiKey: string, requestId: string): Promise<{ cookie: string; caller: Caller; expiresAt: number }>
  end(cookie: string, requestId: string): Promise<void>
}

/** Administration; every method refuses callers that are not `admin`. */
export interface Admin {
  project(caller: Caller): Promise<Project>
  projects(caller: Caller): Promise<Project[]>
  createProject(caller: Caller, name: string, requestId: string): Promise<{ project: Project; adminKey: string }>
  updateProject(
    caller: Caller,
    id: string,
    changes: { name?: string; redirectUrls?: readonly string[] },
    requestId: string,
  ): Promise<Project>
  removeProject(caller: Caller, id: string, requestId: string): Promise<void>

  apiKeys(caller: Caller): Promise<ApiKey[]>
  /** The key is in the answer this once. App keys may make short-lived `user` keys. */
  createApiKey(
    caller: Caller,
    request: { name: string; role: Role; userId?: string; policy?: Policy; expiresInSeconds?: number },
    requestId: string,
  ): Promise<{ apiKey: ApiKey; secret: string }>
  revokeApiKey(caller: Caller, id: string, requestId: string): Promise<void>

  /** Stored apps and those of the environment, without secrets. */
  oauthApps(caller: Caller): Promise<(Omit<OAuthApp, 'clientSecret'> & { source: 'stored' | 'environment' })[]>
  saveOAuthApp(
    caller: Caller,
    request: { providerId: string; clientId: string; clientSecret?: string },
    requestId: string,
  ): Promise<Omit<OAuthApp, 'clientSecret'>>
  removeOAuthApp(caller: Caller, providerId: string, requestId: string): Promise<void>
  /** The redirect address to register at a provider. */
  redirectUri(providerId: string): string
  /** A connector whose provider has an OAuth app can be connected. */
  configured(projectId: string, providerId: string): Promise<boolean>

  connections(
    caller: Caller,
    page: { userId?: string; connectorId?: string; status?: Connection['status']; limit: number; cursor?: string },
  ): Promise<Connection[]>
  users(caller: Caller): Promise<string[]>
}

export interface EventsOf {
  list(caller: Caller, filter: EventFilter & { limit: number; cursor?: string }): Promise<Event[]>
  stream(caller: Caller, filter: EventFilter): AsyncIterable<Event>
}

export interface Health {
  status: 'ok' | 'degraded' | 'shutting_down'
  storage: { engine: 'sqlite' | 'postgres'; ok: boolean }
  version: string
  uptimeSeconds: number
}
