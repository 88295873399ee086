import type { Connection, ConnectionStatus } from '@patchbay/sdk'
import { expect, test } from 'vitest'
import { cardState, permissionWords } from './connection-state.ts'

const withStatus = (...statuses: ConnectionStatus[]) => statuses.map((status) => ({ status }) as Connection)

test('a card without connections says nothing', () => {
  expect(cardState([])).toBeNull()
})

test.each<[ConnectionStatus[], string, string]>([
  [['active'], 'good', 'Connected'],
  [['expiring'], 'good', 'Connected'],
  [['active', 'expiring'], 'good', '2 accounts'],
  [['active', 'pending'], 'good', 'Connected'],
  [['pending'], 'warn', 'Not finished'],
  [['needs_reauth'], 'bad', 'Needs reconnecting'],
  [['revoked', 'pending'], 'bad', 'Access revoked'],
  [['error', 'revoked'], 'bad', 'Needs attention'],
  [['active', 'revoked'], 'warn', '1 of 2 needs attention'],
])('connections that are %j read as %s "%s"', (statuses, tone, label) => {
  expect(cardState(withStatus(...statuses))).toEqual({ tone, label })
})

test.each<ConnectionStatus>(['pending', 'needs_reauth', 'revoked', 'error'])(
  'a card never says Connected about a connection that is %s',
  (status) => {
    expect(cardState(withStatus(status))?.label).not.toMatch(/connected$|accounts$/i)
  },
)

test('permissions are told once each, the ones that can do harm first', () => {
  const permission = (description: string, effect: 'read' | 'write' | 'destructive') => ({
    scope: description,
    description,
    effect,
  })
  const permissions = [
    permission('see', 'read'),
    permission('send', 'write'),
    permission('see', 'read'),
    permission('delete', 'destructive'),
  ]

  expect(permissionWords({ permissions })).toEqual(['delete', 'send', 'see'])
})
