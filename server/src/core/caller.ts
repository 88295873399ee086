import type { Effect } from './connector.ts'

/** Who is asking, once its key, token or cookie has been checked. */
export interface Caller {
  projectId: string
  role: Role
  /** Set when the caller may act for this user only (role `user`, an instance). */
  userId: string | null
  /** What shows up in events. */
  actor: Actor
  policy: Policy
}

/** `admin` runs the project, `app` acts for any of its users, `user` for one. */
export const ROLES = ['admin', 'app', 'user'] as const
export type Role = (typeof ROLES)[number]

export interface Actor {
  type: 'api_key' | 'instance' | 'session' | 'connect_link' | 'browser' | 'system'
  id: string
}

/** What a key or an instance is limited to; an absent member limits nothing. */
export interface Policy {
  connectors?: readonly string[]
  /** Tool names; a trailing `*` matches any ending. */
  tools?: readonly string[]
  deny_tools?: readonly string[]
  effects?: readonly Effect[]
  users?: readonly string[]
}
