import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { notes, notesProvider } from '../../test/small-gateway.ts'
import type { Connection } from './connection.ts'
import type { Connector, ScopeInfo, Tool } from './connector.ts'
import { missingScopes, permissions, readOnlyTools, scopesToAsk } from './scopes.ts'

const info = (effect: ScopeInfo['effect'], more: Partial<ScopeInfo> = {}): ScopeInfo => ({
  description: `May ${effect}`,
  effect,
  ...more,
})
const tool = (scopes: Tool['scopes'], more: Partial<Tool> = {}): Tool => ({
  title: 'T',
  description: 'T.',
  effect: 'read',
  scopes,
  input: z.object({}),
  run: 'GET /t',
  ...more,
})
const mail: Connector = {
  ...(notes as Connector),
  scopes: {
    me: info('read'),
    read: info('read'),
    meta: info('read'),
    send: info('write'),
    modify: info('write', { includes: ['read', 'labels'] }),
    labels: info('write', { includes: ['meta'] }),
    all: info('destructive', { includes: ['modify', 'send'] }),
    ping: info('read', { includes: ['pong'] }),
    pong: info('read', { includes: ['ping'] }),
  },
  identityScopes: ['me'],
}
const chat: Connector = {
  ...mail,
  provider: { ...notesProvider, tokenAt: { bot: '$', user: 'authed_user' } },
  scopes: { list: info('read'), post: info('write', { token: 'bot' }), search: info('read', { token: 'user' }) },
  identityScopes: ['list'],
}

describe('what is asked for', () => {
  test.each<[string, Tool['scopes'][], string[]]>([
    ['nothing but who it is, for no tools', [], ['me']],
    ['what one tool needs', [['read']], ['me', 'read']],
    ['the first alternative', [['read', 'modify']], ['me', 'read']],
    ['all members of the first alternative', [[['read', 'send'], 'all']], ['me', 'read', 'send']],
    ['nothing further where an alternative is asked for already', [['modify'], ['read', 'send']], ['me', 'modify']],
    ['nothing that another one includes', [['read'], ['modify']], ['me', 'modify']],
    ['nothing that another one includes through a third', [['meta'], ['modify']], ['me', 'modify']],
    ['one of two that include each other', [['ping'], ['pong']], ['me', 'ping']],
    ['nothing for tools that need nothing', [[], []], ['me']],
  ])('is %s', (_, tools, asked) => {
    const { default: found } = scopesToAsk(
      mail,
      tools.map((scopes) => tool(scopes)),
    )

    expect(found?.length).toBe(asked.length)
    if (asked.includes('ping')) expect(['ping', 'pong']).toContain(found?.find((one) => one.startsWith('p')))
    else expect(found).toEqual(asked)
  })

  test('keeps what was granted before, apart from what the connector has never known', () => {
    expect(scopesToAsk(mail, [tool(['read'])], [], { default: ['send', 'gone', 'toString'] })).toEqual({
      default: ['me', 'read', 'send'],
    })
  })

  test('holds what was asked for by name', () => {
    expect(scopesToAsk(mail, [], ['all', 'read'])).toEqual({ default: ['all', 'me'] })
  })

  test('leaves out one of two that include each other, not both', () => {
    expect(scopesToAsk(mail, [], ['ping', 'pong'])).toEqual({ default: ['me', 'pong'] })
  })

  test('keeps the scopes of identity though another one includes them', () => {
    expect(scopesToAsk({ ...mail, identityScopes: ['read'] }, [], ['modify'])).toEqual({ default: ['modify', 'read'] })
  })

  test('goes to the token that carries it, the provider’s first where none is said', () => {
    expect(scopesToAsk(chat, [tool(['post']), tool(['search'])])).toEqual({ bot: ['list', 'post'], user: ['search'] })
  })
})

describe('what a connection lacks for a tool', () => {
  const lacks = (connector: Connector, granted: Connection['scopes'], needs: Tool['scopes'], tokens?: string[]) =>
    missingScopes(connector, tool(needs, tokens ? { tokens } : {}), { scopes: granted } as Connection)

  test.each<[Connection['scopes'], Tool['scopes'], string[]]>([
    [{ default: ['read'] }, ['read'], []],
    [{ default: ['modify'] }, ['read'], []],
    [{ default: ['all'] }, ['meta'], []],
    [{ default: ['pong'] }, ['ping'], []],
    [{ default: ['ping'] }, ['read'], ['read']],
    [{ default: ['read'] }, ['modify', 'read'], []],
    [{ default: ['read'] }, [['read', 'send'], 'all'], ['send']],
    [{ default: [] }, ['send', 'all'], ['send']],
    [{ default: [] }, [], []],
    [{}, ['send'], []],
    [{ default: ['toString'] }, ['send'], ['send']],
  ])('with %j, for %j: %j', (granted, needs, missing) => {
    expect(lacks(mail, granted, needs)).toEqual(missing)
  })

  test('counts only the tokens the tool uses', () => {
    expect(lacks(chat, { bot: ['post'], user: ['search'] }, ['search'], ['bot'])).toEqual(['search'])
    expect(lacks(chat, { bot: ['post'], user: ['search'] }, ['search'], ['user'])).toEqual([])
    expect(lacks(chat, { bot: ['post'], user: ['search'] }, ['search'])).toEqual([])
  })
})

test('permissions are the granted scopes in the connector’s words, each once, unknown ones left out', () => {
  const scopes = { default: ['read', 'gone', 'constructor'], other: ['read', 'send'] }

  expect(permissions(mail, { scopes } as unknown as Connection)).toEqual([
    { scope: 'read', description: 'May read', effect: 'read' },
    { scope: 'send', description: 'May write', effect: 'write' },
  ])
})

test('the tools that only read are what a plain connect asks for', () => {
  expect(readOnlyTools(notes as Connector).every((one) => one.effect === 'read')).toBe(true)
  expect(readOnlyTools(notes as Connector)).toHaveLength(2)
})
