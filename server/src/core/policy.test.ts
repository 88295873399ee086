import { expect, test } from 'vitest'
import type { Policy } from './caller.ts'
import { EFFECTS } from './connector.ts'
import { assertAllowed, assertUser, isWithin, mayActFor, mayUseConnector, narrowed, refusal } from './policy.ts'

const send = { name: 'GMAIL_SEND_EMAIL', connectorId: 'gmail', effect: 'write' } as const
const actor = { type: 'instance', id: 'inst_1' } as const

test.each<[Policy, string | undefined]>([
  [{}, undefined],
  [{ connectors: ['gmail'] }, undefined],
  [{ connectors: ['slack'] }, 'connectors'],
  [{ connectors: [] }, 'connectors'],
  [{ effects: ['read', 'write'] }, undefined],
  [{ effects: ['read'] }, 'effects'],
  [{ effects: [] }, 'effects'],
  [{ tools: ['GMAIL_SEND_EMAIL'] }, undefined],
  [{ tools: ['gmail_*'] }, undefined],
  [{ tools: ['*'] }, undefined],
  [{ tools: ['GMAIL_SEND'] }, 'tools'],
  [{ tools: [] }, 'tools'],
  [{ deny_tools: ['GMAIL_DELETE_*'] }, undefined],
  [{ deny_tools: ['gmail_send_*'] }, 'deny_tools'],
  [{ tools: ['*'], deny_tools: ['*'] }, 'deny_tools'],
])('the policy %j refuses sending mail by the rule %s', (policy, rule) => {
  expect(refusal(policy, send)?.rule).toBe(rule)
})

test('a refusal names who is limited, the rule and what is allowed', () => {
  const caller = { projectId: 'p', role: 'user', userId: 'ann', actor, policy: { effects: ['read'] } } as const

  expect(() => assertAllowed(caller, send)).toThrow(
    expect.objectContaining({
      code: 'policy_denied',
      message: 'This instance is limited to tools that read, and GMAIL_SEND_EMAIL is "write".',
      details: { rule: 'effects', tool: 'GMAIL_SEND_EMAIL' },
    }),
  )
})

test.each<[string | null, readonly string[] | undefined, string, boolean]>([
  [null, undefined, 'ann', true],
  ['ann', undefined, 'ann', true],
  ['ann', undefined, 'bob', false],
  ['ann', undefined, 'ANN', false],
  [null, ['ann'], 'ann', true],
  [null, ['ann'], 'bob', false],
  [null, [], 'ann', false],
  ['ann', ['bob'], 'ann', false],
])('bound to %s and limited to %j, a caller may act for %s: %s', (userId, users, wanted, may) => {
  const caller = { projectId: 'p', role: 'app', userId, actor, policy: users ? { users } : {} } as const

  expect(mayActFor(caller, wanted)).toBe(may)
  if (may) assertUser(caller, wanted)
  else expect(() => assertUser(caller, wanted)).toThrow(expect.objectContaining({ code: 'not_found' }))
})

test.each<[Policy, Policy, Policy]>([
  [{}, {}, {}],
  [{ effects: ['read'] }, {}, { effects: ['read'] }],
  [{ effects: ['read'] }, { effects: ['read', 'write'] }, { effects: ['read'] }],
  [{ effects: ['read'] }, { effects: ['write'] }, { effects: [] }],
  [{ tools: ['GMAIL_*'] }, { tools: ['GMAIL_SEND_EMAIL', 'SLACK_*'] }, { tools: ['GMAIL_SEND_EMAIL'] }],
  [{ tools: ['GMAIL_SEND_EMAIL'] }, { tools: ['*'] }, { tools: ['GMAIL_SEND_EMAIL'] }],
  [{ tools: ['gmail_*'] }, { tools: ['GMAIL_SEND_*'] }, { tools: ['GMAIL_SEND_*'] }],
  [{ tools: ['GMAIL_*'] }, { tools: ['GMAIL_*'] }, { tools: ['GMAIL_*'] }],
  [{ deny_tools: ['A_*'] }, { deny_tools: ['B_*'] }, { deny_tools: ['A_*', 'B_*'] }],
  [{ users: ['ann', 'bob'] }, { users: ['bob', 'eve'] }, { users: ['bob'] }],
  [{ connectors: [] }, { connectors: ['gmail'] }, { connectors: [] }],
])('%j narrowed by %j is %j', (outer, inner, both) => {
  expect(narrowed(outer, inner)).toEqual(both)
})

/** mulberry32: the same policies in every run. */
function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

const CONNECTORS = ['gmail', 'slack']
const USERS = ['ann', 'bob', 'eve']
const TOOLS = ['GMAIL_SEND', 'GMAIL_SEND_EMAIL', 'GMAIL_GET', 'SLACK_SEND', 'SLACK_GET']
const PATTERNS = [...TOOLS, '*', 'GMAIL*', 'GMAIL_*', 'gmail_send*', 'GMAIL_SEND_*', 'Slack_*', 'slack_get', 'SLACK_G*']

function randomPolicy(random: () => number): Policy {
  const some = <T>(all: readonly T[]): T[] => all.filter(() => random() < 0.4)
  return {
    ...(random() < 0.4 && { connectors: some(CONNECTORS) }),
    ...(random() < 0.4 && { effects: some(EFFECTS) }),
    ...(random() < 0.4 && { users: some(USERS) }),
    ...(random() < 0.6 && { tools: some(PATTERNS) }),
    ...(random() < 0.5 && { deny_tools: some(PATTERNS) }),
  }
}

/** Everything a policy allows, spelt out. */
function allowedBy(policy: Policy): Set<string> {
  const allowed = new Set<string>()
  for (const connectorId of CONNECTORS)
    for (const effect of EFFECTS)
      for (const name of TOOLS)
        if (mayUseConnector(policy, connectorId) && !refusal(policy, { name, connectorId, effect }))
          allowed.add(`${connectorId} ${effect} ${name}`)
  return allowed
}

function usersOf(policy: Policy): Set<string> {
  const caller = { projectId: 'p', role: 'app', userId: null, actor, policy } as const
  return new Set(USERS.filter((user) => mayActFor(caller, user)))
}

test('of 3,000 random pairs, what is made allows exactly what maker and request both allow', () => {
  const random = seeded(20_260_101)
  for (let round = 0; round < 3_000; round++) {
    const [maker, asked] = [randomPolicy(random), randomPolicy(random)]
    const about = `${JSON.stringify(maker)} narrowed by ${JSON.stringify(asked)}`

    const made = narrowed(maker, asked)

    expect(allowedBy(made), about).toEqual(allowedBy(maker).intersection(allowedBy(asked)))
    expect(usersOf(made), about).toEqual(usersOf(maker).intersection(usersOf(asked)))
    expect(isWithin(maker, made), about).toBe(true)
  }
})

test('of 3,000 random pairs, what is called within another allows nothing that the other refuses', () => {
  const random = seeded(7)
  let within = 0
  for (let round = 0; round < 3_000; round++) {
    const [outer, inner] = [randomPolicy(random), randomPolicy(random)]
    if (!isWithin(outer, inner)) continue
    within++

    expect(
      allowedBy(inner).difference(allowedBy(outer)),
      `${JSON.stringify(inner)} in ${JSON.stringify(outer)}`,
    ).toEqual(new Set())
  }
  expect(within).toBeGreaterThan(100)
})
