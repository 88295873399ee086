import type { Connection, ConnectionStatus } from '@patchbay/sdk'
import type { Tone } from '../parts/badge.tsx'

const STATES: Record<ConnectionStatus, { tone: Tone; label: string }> = {
  active: { tone: 'good', label: 'Connected' },
  expiring: { tone: 'good', label: 'Connected' },
  pending: { tone: 'warn', label: 'Not finished' },
  needs_reauth: { tone: 'bad', label: 'Needs reconnecting' },
  revoked: { tone: 'bad', label: 'Access revoked' },
  error: { tone: 'bad', label: 'Not working' },
}

/** How one connection is doing, in two words. "Connected" only for one that tools can use now. */
export function connectionState(connection: Pick<Connection, 'status'>): { tone: Tone; label: string } {
  return STATES[connection.status] ?? { tone: 'warn', label: connection.status }
}

export function isUsable(connection: Pick<Connection, 'status'>): boolean {
  return connection.status === 'active' || connection.status === 'expiring'
}

export function isDead(connection: Pick<Connection, 'status'>): boolean {
  return !isUsable(connection) && connection.status !== 'pending'
}

/** What a card says about all connections to its connector, the worst news last to be hidden; null for none. */
export function cardState(connections: readonly Connection[]): { tone: Tone; label: string } | null {
  const usable = connections.filter(isUsable).length
  const dead = connections.filter(isDead)
  if (usable > 0 && dead.length > 0)
    return { tone: 'warn', label: `${dead.length} of ${usable + dead.length} needs attention` }
  if (usable > 0) return { tone: 'good', label: usable === 1 ? 'Connected' : `${usable} accounts` }
  if (dead[0]) return dead.length === 1 ? connectionState(dead[0]) : { tone: 'bad', label: 'Needs attention' }
  return connections[0] ? connectionState(connections[0]) : null
}

/** Who is on the other side, as a person would say it. */
export function accountName(connection: Connection): string {
  return connection.account?.label ?? connection.label
}

/** What agents may do with it, in words: what can do harm first. */
export function permissionWords({ permissions }: Pick<Connection, 'permissions'>): string[] {
  const weight = { destructive: 0, write: 1, read: 2 }
  const sorted = [...permissions].sort((a, b) => weight[a.effect] - weight[b.effect])
  return [...new Set(sorted.map(({ description }) => description))]
}
