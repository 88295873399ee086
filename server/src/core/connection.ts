/**
 * One user's link to one connector. The sealed credential travels with the row (it is useless without the
 * project's data key); only `credentials` opens it.
 */
export interface Connection {
  id: string
  projectId: string
  userId: string
  connectorId: string
  /** A person's own name for it ("Work mail"), or the account's label. */
  label: string
  isDefault: boolean
  status: ConnectionStatus
  /** Set on every status but `active`. */
  statusReason: StatusReason | null
  /** Who is on the other side, learnt from the service after connecting. */
  account: Account | null
  /** Values of the provider's connection parameters (host, shop). */
  settings: Record<string, string>
  /** What the provider said while connecting (team, tenant, instance address). */
  captured: Record<string, string>
  /** Granted scopes per token name (`default`, or `bot` and `user`). */
  scopes: Record<string, readonly string[]>
  /** Sealed JSON of `Credential`; null while `pending` and after a revoke. */
  credential: string | null
  /** Raised by one with every stored credential; refreshes compare and swap on it. */
  generation: number
  /** Earliest expiry of its access tokens, epoch ms; null when they do not expire. */
  expiresAt: number | null
  /** Epoch ms of the next background refresh (ahead of expiry, or after a backoff); null when there is nothing to refresh. */
  refreshAfter: number | null
  /** Consecutive failed refreshes. */
  refreshFailures: number
  /** A refresh under way or cut short: written before the provider is called. */
  refreshIntent: RefreshIntent | null
  /** Raised with each lease taken on this row; a holder with an older number has lost it. */
  fence: number
  leaseUntil: number | null
  /** The OAuth app it was made with; null for a token brought from elsewhere. */
  oauthAppId: string | null
  createdAt: number
  updatedAt: number
}

export const CONNECTION_STATUSES = ['pending', 'active', 'expiring', 'needs_reauth', 'revoked', 'error'] as const
export type ConnectionStatus = (typeof CONNECTION_STATUSES)[number]

/** Why a connection is not simply active: a code for programs, a sentence for people, and what to do. */
export interface StatusReason {
  code: string
  message: string
  fix: string
  at: number
}

export interface Account {
  /** Stable at the service; a reconnect with another id is refused. */
  id: string
  label: string
  email?: string
  /** Workspace, organisation or tenant the account belongs to. */
  organisation?: string
  avatarUrl?: string
}

/** The plain credential; exists only between opening and use. */
export interface Credential {
  tokens: Record<string, Token>
}

export interface Token {
  accessToken: string
  refreshToken?: string
  /** Epoch ms; absent when it does not expire. */
  expiresAt?: number
  /** Epoch ms it was issued, as far as we know. */
  issuedAt?: number
}

/** Written with the lease, before the provider is asked, so that a crash in between is recognised. */
export interface RefreshIntent {
  generation: number
  startedAt: number
  owner: string
}

/** A connection usable for tool calls right now. */
export function isUsable(connection: Connection): boolean {
  return connection.status === 'active' || connection.status === 'expiring'
}
