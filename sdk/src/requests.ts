import type { Policy, Role, Timestamp } from './wire.ts'

/** What callers send, where `wire.ts` names only the answers. */

export interface PageQuery {
  /** At most this many items; the gateway has its own upper bound. */
  limit?: number
  /** `next_cursor` of the page before. */
  cursor?: string
}

export interface ConnectionQuery extends PageQuery {
  user_id?: string
  connector?: string
  status?: string
}

export interface ToolQuery {
  user_id: string
  connector?: string
  /** Words to look for in names and descriptions. */
  query?: string
  /** Also tools of connectors that this user has not connected. */
  all?: boolean
}

export interface EventQuery extends PageQuery {
  types?: readonly string[]
  outcome?: 'ok' | 'error' | 'refused'
  user_id?: string
  connector?: string
  connection_id?: string
  tool?: string
  request_id?: string
  /** Inclusive. */
  from?: Timestamp
  to?: Timestamp
}

/** One of the two: which connection, or the provider the user has a single connection to. */
export type DisconnectRequest = { user_id: string; connection_id: string } | { user_id: string; provider: string }

export interface ConnectLinkRequest {
  user_id: string
  /** Connectors the page offers; all when absent. */
  connectors?: readonly string[]
  tools?: readonly string[]
  redirect_url?: string
  /** Reconnect this one. */
  connection_id?: string
}

export interface InstanceRequest {
  user_id: string
  name?: string
  policy?: Policy
}

export interface ApiKeyRequest {
  name: string
  role: Role
  /** Needed for role `user`. */
  user_id?: string
  policy?: Policy
  /** Seconds; never when absent. */
  expires_in?: number
}

export interface OAuthAppRequest {
  client_id: string
  /** Absent: the stored secret stays as it is, or the client is public. */
  client_secret?: string
}
