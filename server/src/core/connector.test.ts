import { expect, test } from 'vitest'
import { z } from 'zod'
import { notesProvider } from '../../test/small-gateway.ts'
import { defineConnector, defineTools, type ScopeInfo } from './connector.ts'

// The compiler is the test here: each expected error that stops being one fails the type check.

const scopes = {
  read: { description: 'Read', effect: 'read' },
  write: { description: 'Write', effect: 'write' },
} as const satisfies Record<string, ScopeInfo>

const about = { title: 'T', description: 'T.', effect: 'read', scopes: ['read'] } as const
const input = z.object({ note_id: z.string(), limit: z.number().default(10) })

const base = {
  id: 'notes',
  kind: 'api',
  name: 'Notes',
  description: 'Keeps notes.',
  category: 'Tests',
  provider: notesProvider,
  api: 'https://api.notes.test',
  scopes,
  identityScopes: ['read'],
  account: async () => ({ id: '1', label: 'Ann' }),
} as const

test('a right connector is taken as it is', () => {
  const tools = defineTools(scopes, {
    NOTES_GET: { ...about, input, paramAliases: { id: 'note_id' }, run: 'GET /notes/{note_id}' },
    NOTES_LIST: {
      ...about,
      scopes: [['read', 'write'], 'write'],
      input,
      run: async ({ note_id, limit }, service) => service.get(`/notes/${note_id.trim()}`, { limit: limit + 1 }),
    },
  })
  const connector = defineConnector({ ...base, tools })

  expect(connector.tools).toBe(tools)
})

test('a wrong name is an error of the compiler', () => {
  const define = (tools: Parameters<typeof defineTools<'read' | 'write', { TOOL: typeof input }>>[1]) =>
    defineTools(scopes, tools)
  // @ts-expect-error a scope the connector does not declare
  define({ TOOL: { ...about, scopes: ['delete'], input, run: 'GET /x' } })
  // @ts-expect-error the same within an alternative
  define({ TOOL: { ...about, scopes: [['read', 'delete']], input, run: 'GET /x' } })
  // @ts-expect-error a verb HTTP does not have here
  define({ TOOL: { ...about, input, run: 'FETCH /x' } })
  // @ts-expect-error an address that does not begin with a slash
  define({ TOOL: { ...about, input, run: 'GET x' } })
  // @ts-expect-error an effect there is not
  define({ TOOL: { ...about, effect: 'delete', input, run: 'GET /x' } })
  // @ts-expect-error a misspelt field
  define({ TOOL: { ...about, input, run: 'GET /x', idempotant: true } })
  // @ts-expect-error a field that is missing
  define({ TOOL: { ...about, run: 'GET /x' } })
  // @ts-expect-error an alias for a parameter the input does not have
  define({ TOOL: { ...about, input, paramAliases: { id: 'note' }, run: 'GET /x' } })
  defineTools(scopes, {
    TOOL: {
      ...about,
      input,
      run: async (given, service) => {
        // @ts-expect-error a parameter the input does not have
        given.note
        // @ts-expect-error a method a service does not have
        service.fetch
        // @ts-expect-error an address of another host
        await service.get('https://evil.test/')
      },
    },
  })

  const tools = {}
  // @ts-expect-error an identity scope the connector does not declare
  defineConnector({ ...base, identityScopes: ['me'], tools })
  // @ts-expect-error a misspelt field
  defineConnector({ ...base, tools, uploadHost: [] })
  // @ts-expect-error a kind there is not
  defineConnector({ ...base, tools, kind: 'rest' })
  // @ts-expect-error a provider that lacks how its tokens are refreshed
  defineConnector({ ...base, tools, provider: { ...notesProvider, refresh: undefined } })
  // @ts-expect-error a way for the client to prove itself that there is not
  defineConnector({ ...base, tools, provider: { ...notesProvider, clientAuth: 'header' } })
  defineConnector({
    ...base,
    tools,
    // @ts-expect-error an effect there is not
    scopes: { read: { description: 'Read', effect: 'reads' } },
  })
})
