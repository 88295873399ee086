import type { Actor } from './caller.ts'

/** One line of the audit log. Never holds a secret, a tool's arguments or its answer. */
export interface Event {
  /** UUID v7: sorts by time. */
  id: string
  projectId: string
  /** Epoch ms. */
  at: number
  type: EventType
  outcome: 'ok' | 'error' | 'refused'
  actor: Actor
  userId: string | null
  connectorId: string | null
  connectionId: string | null
  tool: string | null
  /** Error code when the outcome is not ok. */
  code: string | null
  /** One sentence a person can read. */
  message: string | null
  durationMs: number | null
  requestId: string | null
  details: Record<string, unknown> | null
}

export const EVENT_TYPES = [
  'connection.authorize',
  'connection.callback',
  'connection.connected',
  'connection.reconnected',
  'connection.refreshed',
  'connection.refresh_failed',
  'connection.status',
  'connection.updated',
  'connection.imported',
  'connection.disconnected',
  'connect_link.created',
  'connect_link.opened',
  'tool.called',
  'tool.refused',
  'project.created',
  'project.updated',
  'project.deleted',
  'api_key.created',
  'api_key.revoked',
  'oauth_app.saved',
  'oauth_app.deleted',
  'instance.created',
  'instance.updated',
  'instance.deleted',
  'instance.token_rotated',
  'session.created',
  'session.ended',
  'sign_in.refused',
  'keys.rotated',
] as const
export type EventType = (typeof EVENT_TYPES)[number]
