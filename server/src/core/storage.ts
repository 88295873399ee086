import type { Actor, Policy, Role } from './caller.ts'
import type { Connection, ConnectionStatus, StatusReason } from './connection.ts'
import type { Event, EventType } from './events.ts'

/**
 * Where everything lives, in the product's words. Two engines implement it and pass one contract test.
 * Every read of user data names project and user; the few that cannot (they hold a secret instead, or run as the
 * gateway itself) say so in their name or comment. A write resolves once it is durable.
 */
export interface Storage {
  readonly engine: 'sqlite' | 'postgres'
  projects: Projects
  dataKeys: DataKeys
  apiKeys: ApiKeys
  oauthApps: OAuthApps
  connections: Connections
  authorizations: Authorizations
  connectLinks: ConnectLinks
  instances: Instances
  sessions: Sessions
  events: Events
  /**
   * Tells of rows changed by any process, this one included, so that caches can drop them.
   * After a gap (a lost notification channel) one `{ kind: 'everything' }` is told.
   */
  onChange(listener: (change: Change) => void): void
  /**
   * Cheap (microseconds) and synchronous: delivers changes other processes have committed, where the engine does
   * not push them; at most a turn of the event loop late. Called at the start of every request.
   */
  catchUp(): void
  /** A trivial read, for health. */
  ping(): Promise<void>
  close(): Promise<void>
}

export type Change =
  /** A connection names its owner, so that only that user's cached list is dropped. */
  | { kind: 'connection'; id: string; projectId: string; userId: string }
  | { kind: 'api_key' | 'instance' | 'oauth_app' | 'project' | 'data_key' | 'session'; id: string }
  | { kind: 'everything' }

export interface Project {
  id: string
  name: string
  /** Addresses a browser may be sent back to after connecting: exact, or ending in `/*`. */
  redirectUrls: readonly string[]
  createdAt: number
}

export interface Projects {
  create(project: Project): Promise<void>
  get(id: string): Promise<Project | undefined>
  list(): Promise<Project[]>
  update(id: string, changes: Partial<Pick<Project, 'name' | 'redirectUrls'>>): Promise<Project | undefined>
  /** Deletes it, its data keys and everything below it; its events too. */
  remove(id: string): Promise<boolean>
}

/** A project's data key, wrapped by a master key. The newest of a project seals; older ones still open. */
export interface DataKey {
  id: string
  projectId: string
  /** `v1.<masterKeyId>.<iv>.<ciphertext>.<tag>` */
  wrapped: string
  createdAt: number
}

export interface DataKeys {
  create(key: DataKey): Promise<void>
  /** Newest first. */
  list(projectId: string): Promise<DataKey[]>
  rewrap(id: string, from: string, to: string): Promise<boolean>
  remove(id: string): Promise<void>
}

export interface ApiKey {
  id: string
  projectId: string
  name: string
  role: Role
  /** Set for role `user`. */
  userId: string | null
  /** SHA-256 of the key, hex: keys are random, so a plain hash holds. */
  hash: string
  /** First characters, so that a person recognises it. */
  prefix: string
  policy: Policy
  expiresAt: number | null
  createdAt: number
  lastUsedAt: number | null
  revokedAt: number | null
}

export interface ApiKeys {
  create(key: ApiKey): Promise<void>
  /** By secret, so it names no project. Revoked and expired keys are answered too; the caller judges. */
  findByHash(hash: string): Promise<ApiKey | undefined>
  list(projectId: string): Promise<ApiKey[]>
  revoke(projectId: string, id: string, at: number): Promise<boolean>
  touch(id: string, at: number): Promise<void>
}

/** A project's client at a provider. Public facts plain, the secret sealed. */
export interface OAuthApp {
  id: string
  projectId: string
  providerId: string
  clientId: string
  /** Sealed; null for a public client. */
  clientSecret: string | null
  createdAt: number
  updatedAt: number
}

export interface OAuthApps {
  /** One per project and provider: replaces what is there and keeps its id. */
  save(app: OAuthApp): Promise<OAuthApp>
  get(projectId: string, providerId: string): Promise<OAuthApp | undefined>
  getById(projectId: string, id: string): Promise<OAuthApp | undefined>
  list(projectId: string): Promise<OAuthApp[]>
  remove(projectId: string, providerId: string): Promise<boolean>
  /** For key rotation: replaces one sealed value if it is still `from`. */
  reseal(id: string, from: string, to: string): Promise<boolean>
}

export interface ConnectionFilter {
  connectorId?: string
  status?: ConnectionStatus
}

export interface Connections {
  /** Also commits the events, in the same transaction. A first connection of user and connector becomes the default. */
  create(connection: Connection, events: readonly Event[]): Promise<void>
  get(projectId: string, userId: string, id: string): Promise<Connection | undefined>
  list(projectId: string, userId: string, filter?: ConnectionFilter): Promise<Connection[]>
  /** For the administrator's list, newest first. `cursor` is the last id of the page before. */
  listProject(
    projectId: string,
    page: ConnectionFilter & { userId?: string; limit: number; cursor?: string },
  ): Promise<Connection[]>
  /** User ids that have connections, for the administrator. */
  listUsers(projectId: string, limit: number): Promise<string[]>
  /** Label and default. Making one the default takes it from its siblings. */
  update(
    projectId: string,
    userId: string,
    id: string,
    changes: { label?: string; isDefault?: true },
    events: readonly Event[],
  ): Promise<Connection | undefined>
  /** Stores a newly authorised credential over whatever is there (connect, reconnect, import); generation + 1. */
  authorise(
    projectId: string,
    userId: string,
    id: string,
    granted: Pick<
      Connection,
      | 'label'
      | 'account'
      | 'settings'
      | 'captured'
      | 'scopes'
      | 'credential'
      | 'expiresAt'
      | 'refreshAfter'
      | 'oauthAppId'
    >,
    events: readonly Event[],
  ): Promise<Connection | undefined>
  /** Changes the status if the generation is still the one given; clears the credential when `forget`. */
  setStatus(
    id: string,
    generation: number,
    status: ConnectionStatus,
    reason: StatusReason | null,
    events: readonly Event[],
    forget?: boolean,
  ): Promise<boolean>
  /** Deletes rows that were never finished (no credential was ever stored) and are older than `before`. */
  removePending(before: number): Promise<number>
  /** Deletes the row and commits the events with it. The user's oldest other connection becomes the default. */
  remove(projectId: string, userId: string, id: string, events: readonly Event[]): Promise<boolean>
  /** How many usable connections share this account and OAuth app (a provider's revoke may end them all). */
  countSharing(projectId: string, oauthAppId: string, accountId: string): Promise<number>

  /** As the gateway itself: the row by id alone. Never reached from a route without an owner check. */
  getAsGateway(id: string): Promise<Connection | undefined>
  /**
   * Usable rows whose `refreshAfter` has come at `now` and that nobody holds a lease on; longest due first. Those of the
   * connectors in `exceptFor` are left out.
   */
  dueForRefresh(now: number, limit: number, exceptFor?: readonly string[]): Promise<Connection[]>
  /**
   * Takes the refresh lease of a row: only if the generation is still `generation`, nobody holds it and the row is in a
   * state that a refresh can help (`active`, `expiring`, `error`, with a credential); with `failures`, also only if no
   * other refresh has failed since. Writes the intent with it. Answers the row with its new fence, and the intent found
   * (of a refresh that never ended), or undefined.
   */
  beginRefresh(
    id: string,
    generation: number,
    owner: string,
    leaseMs: number,
    failures?: number,
  ): Promise<{ connection: Connection; interrupted: Connection['refreshIntent'] } | undefined>
  /**
   * Stores the new credential: only if the generation is still `generation`, and the fence still `fence` unless it
   * is null. Raises the generation, ends the lease, clears the intent and failures, sets status active.
   */
  commitRefresh(
    id: string,
    generation: number,
    fence: number | null,
    granted: Pick<Connection, 'credential' | 'expiresAt' | 'refreshAfter' | 'scopes'>,
    events: readonly Event[],
  ): Promise<boolean>
  /** Ends the lease after a failure; keeps the credential. Same conditions as `commitRefresh`. */
  failRefresh(
    id: string,
    generation: number,
    fence: number,
    outcome: {
      status: ConnectionStatus
      reason: StatusReason | null
      refreshAfter: number | null
      /** The provider may have acted: keep the intent, so that the next try knows. */
      keepIntent: boolean
    },
    events: readonly Event[],
  ): Promise<boolean>
  /** For key rotation: a page of sealed credentials of a project by id, and the swap of one. */
  listSealed(projectId: string, afterId: string | null, limit: number): Promise<{ id: string; credential: string }[]>
  reseal(id: string, from: string, to: string): Promise<boolean>
}

/** An OAuth flow under way: one row holds state, PKCE and everything the callback must match. */
export interface Authorization {
  /** SHA-256 of the state, hex. */
  stateHash: string
  projectId: string
  userId: string
  connectorId: string
  providerId: string
  connectionId: string
  oauthAppId: string
  /** Who started it; what comes of it is told in their name. */
  actor: Actor
  /** Where the browser goes afterwards; null for the gateway's own closing page. */
  redirectUrl: string | null
  /** Origin a popup reports to; null when not opened as one. */
  openerOrigin: string | null
  /** Our callback address, as sent to the provider. */
  redirectUri: string
  /** Sealed PKCE verifier; null where PKCE is off. */
  codeVerifier: string | null
  /** SHA-256 of the browser's binding cookie; null until the browser opened the start address. */
  browserHash: string | null
  settings: Record<string, string>
  /** Token name → scopes asked for. */
  scopes: Record<string, readonly string[]>
  /** A reconnect: the account must be the one connected before, unless this allows another. */
  allowOtherAccount: boolean
  /** SHA-256 of the one-time start token in the link handed out. */
  startHash: string
  createdAt: number
  expiresAt: number
  usedAt: number | null
}

export interface Authorizations {
  create(authorization: Authorization, events: readonly Event[]): Promise<void>
  /** By secret. Binds the browser on first opening; undefined when already bound to another, used or gone. */
  open(startHash: string, browserHash: string, now: number): Promise<Authorization | undefined>
  /** By secret. Marks it used, once: a second call answers the row with `usedAt` set before it and `fresh: false`. */
  consume(stateHash: string, now: number): Promise<{ authorization: Authorization; fresh: boolean } | undefined>
  removeExpired(before: number): Promise<number>
}

/** A hosted connect page for one user: single use, short lived. */
export interface ConnectLink {
  id: string
  /** SHA-256 of the token in the address. */
  hash: string
  projectId: string
  userId: string
  /** Connectors the page offers; empty for all. */
  connectors: readonly string[]
  redirectUrl: string | null
  /** Scopes to ask for, by connector, beyond the minimum. */
  tools: readonly string[]
  /** Set for a reconnect link. */
  connectionId: string | null
  createdAt: number
  expiresAt: number
  /** SHA-256 of the cookie of the browser that opened it first; others are refused. */
  browserHash: string | null
  usedAt: number | null
}

export interface ConnectLinks {
  create(link: ConnectLink, events: readonly Event[]): Promise<void>
  /** By secret. Binds the browser on first opening; undefined when unknown or bound to another browser. */
  open(hash: string, browserHash: string, now: number): Promise<ConnectLink | undefined>
  /** Marks it used: only the first call answers true. */
  use(id: string, now: number): Promise<boolean>
  removeExpired(before: number): Promise<number>
}

/** One MCP address for one user. */
export interface Instance {
  id: string
  projectId: string
  userId: string
  name: string
  /** SHA-256 of its bearer token. */
  tokenHash: string
  tokenPrefix: string
  policy: Policy
  createdAt: number
  updatedAt: number
  lastUsedAt: number | null
}

export interface Instances {
  create(instance: Instance, events: readonly Event[]): Promise<void>
  get(projectId: string, userId: string, id: string): Promise<Instance | undefined>
  /** By its public id, before its token is checked. */
  getForToken(id: string): Promise<Instance | undefined>
  list(projectId: string, userId?: string): Promise<Instance[]>
  update(
    projectId: string,
    userId: string,
    id: string,
    changes: Partial<Pick<Instance, 'name' | 'policy' | 'tokenHash' | 'tokenPrefix'>>,
    events: readonly Event[],
  ): Promise<Instance | undefined>
  remove(projectId: string, userId: string, id: string, events: readonly Event[]): Promise<boolean>
  touch(id: string, at: number): Promise<void>
}

/** A person signed in to the web pages with an API key. */
export interface Session {
  /** SHA-256 of the cookie. */
  hash: string
  apiKeyId: string
  projectId: string
  createdAt: number
  expiresAt: number
}

export interface Sessions {
  create(session: Session, events: readonly Event[]): Promise<void>
  /** Undefined also once its API key was revoked or has expired. */
  find(hash: string): Promise<Session | undefined>
  remove(hash: string, events: readonly Event[]): Promise<void>
  removeExpired(before: number): Promise<number>
}

export interface EventFilter {
  userId?: string
  /** Any of these; none of them for an empty list. */
  userIds?: readonly string[]
  connectorId?: string
  connectionId?: string
  tool?: string
  types?: readonly EventType[]
  outcome?: Event['outcome']
  requestId?: string
  /** Epoch ms, inclusive. */
  from?: number
  to?: number
}

export interface Events {
  /** One transaction for all of them. */
  append(events: readonly Event[]): Promise<void>
  /** Newest first; `cursor` is the id of the last one of the page before. */
  list(projectId: string, filter: EventFilter & { limit: number; cursor?: string }): Promise<Event[]>
  /** Oldest first, in pages, for export. */
  stream(projectId: string, filter: EventFilter): AsyncIterable<Event>
  removeOlder(projectId: string, before: number): Promise<number>
}
