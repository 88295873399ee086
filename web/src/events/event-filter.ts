import type { EventQuery } from '@patchbay/sdk'

/** What the address of the Events page may say. */
export interface EventFilter {
  type?: string
  outcome?: 'ok' | 'error' | 'refused'
  user?: string
  connector?: string
  tool?: string
  /** Id of the event whose details are open. */
  event?: string
}

/** Reads the address; what it cannot mean is left out. */
export function eventFilterOf(search: Record<string, unknown>): EventFilter {
  const text = (key: string) => {
    const value = search[key]
    return typeof value === 'string' && value !== '' ? value : typeof value === 'number' ? String(value) : undefined
  }
  const outcome = text('outcome')
  return withoutEmpty({
    type: text('type'),
    outcome: outcome === 'ok' || outcome === 'error' || outcome === 'refused' ? outcome : undefined,
    user: text('user'),
    connector: text('connector'),
    tool: text('tool'),
    event: text('event'),
  })
}

/** The same question for the gateway. A group such as `connection` asks for all of its types. */
export function eventQueryOf({ type, outcome, user, connector, tool }: EventFilter): EventQuery {
  const types = type && (type.includes('.') ? [type] : EVENT_TYPES.filter((one) => one.startsWith(`${type}.`)))
  return {
    ...(types && types.length > 0 && { types }),
    ...(outcome && { outcome }),
    ...(user && { user_id: user }),
    ...(connector && { connector }),
    ...(tool && { tool }),
  }
}

export function withoutEmpty<Filter extends object>(
  filter: { [Key in keyof Filter]: Filter[Key] | undefined },
): Filter {
  return Object.fromEntries(Object.entries(filter).filter(([, value]) => value !== undefined && value !== '')) as Filter
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

/** "connection.refresh_failed" as "Connection refresh failed". */
export function eventTitle(type: string): string {
  const words = type
    .replace(/^api_key/, 'API key')
    .replace(/^oauth_app/, 'OAuth app')
    .replace(/[._]/g, ' ')
  return words.charAt(0).toUpperCase() + words.slice(1)
}
