import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { notes, notesProvider } from '../../test/small-gateway.ts'
import { connectorMistakes, createCatalogue, toolSchema } from './catalogue.ts'
import type { Connector, Tool } from './connector.ts'

const plain = notes as Connector
const getNote = plain.tools['NOTES_GET_NOTE'] as Tool
const reading = plain.tools['NOTES_SEARCH'] as Tool

/** The connector with one part changed, deep: `{'tools.NOTES_SEARCH.effect': 'x'}`; undefined takes the part away. */
function broken(path: string, value: unknown): Connector {
  const copy = (part: any): any =>
    Object.getPrototypeOf(part ?? 0) === Object.prototype
      ? Object.fromEntries(Object.entries(part).map(([key, inner]) => [key, copy(inner)]))
      : part
  const connector = copy(plain)
  const keys = path.split('/')
  const last = keys.pop() as string
  const place = keys.reduce((part, key) => part[key], connector)
  if (value === undefined) delete place[last]
  else place[last] = value
  return connector
}

const changedTool = (changes: object) => broken('tools/NOTES_GET_NOTE', { ...getNote, ...changes })

test('the connector that the mistakes below are made in has none', () => {
  expect(connectorMistakes(plain)).toEqual([])
})

describe('a wrong name is told by name', () => {
  test.each<[Connector, string]>([
    [
      broken('identityScopes', ['notes.me']),
      'notes: identityScopes names the scope "notes.me", which the connector does not declare',
    ],
    [
      changedTool({ scopes: ['notes.raed'] }),
      'notes: tool NOTES_GET_NOTE names the scope "notes.raed", which the connector does not declare',
    ],
    [
      changedTool({ scopes: [['notes.read', 'toString']] }),
      'notes: tool NOTES_GET_NOTE names the scope "toString", which the connector does not declare',
    ],
    [
      broken('scopes/notes.write/includes', ['notes.all']),
      'notes: scope "notes.write" names the scope "notes.all", which the connector does not declare',
    ],
    [
      broken('scopes/notes.write/token', 'bot'),
      'notes: scope "notes.write" is carried by the token "bot", which the provider does not give',
    ],
    [changedTool({ tokens: ['bot'] }), 'notes: NOTES_GET_NOTE uses the token "bot", which the provider does not give'],
    [
      changedTool({ paramAliases: { id: 'note' } }),
      'notes: NOTES_GET_NOTE has an alias "id" for the field "note", which its input does not have',
    ],
    [
      changedTool({ paramAliases: { part: 'note_id' } }),
      'notes: NOTES_GET_NOTE has an alias "part" that is also a field',
    ],
    [
      changedTool({ run: 'GET /notes/{note}' }),
      'notes: NOTES_GET_NOTE uses {note} in its address, which its input does not have',
    ],
    [
      changedTool({ run: 'GET /notes/{part}' }),
      'notes: NOTES_GET_NOTE uses {part} in its address, which may be left out of its input',
    ],
    [
      changedTool({ input: z.object({ note_id: z.string(), account: z.string() }), paramAliases: {} }),
      'notes: NOTES_GET_NOTE must not have a field "account": the gateway adds it to choose a connection',
    ],
    [broken('tools/get_note', reading), 'notes: get_note must be named CONNECTOR_VERB_NOUN in upper case'],
  ])('%#', (connector, mistake) => {
    expect(connectorMistakes(connector)).toEqual([mistake])
  })

  test.each([
    'FETCH /notes',
    'get /notes',
    'GET notes',
    'GET',
    '/notes',
    'GET /a b',
    'GET /a?b=c',
    'GET /a#b',
    'GET /../a',
    'GET /a/.',
    'GET /{note-id}',
    'GET /{note_id',
    'GET https://evil.test/',
    'GET /a\\b',
    '',
  ])('the request line %j', (run) => {
    expect(connectorMistakes(changedTool({ run })).join()).toContain(
      `notes: NOTES_GET_NOTE has the request line "${run}"`,
    )
  })
})

describe('a field is told by its place', () => {
  test.each<[string, unknown, string]>([
    ['id', undefined, '(connector without id): lacks id'],
    ['id', 'My Notes', 'My Notes: id must be 2 to 41 lower case letters, digits and hyphens, a letter first'],
    ['id', 7, '(connector without id): id must be string'],
    ['kind', 'rest', 'notes: kind must be one of "api"'],
    ['name', '', 'notes: name must not be empty'],
    ['api', 'http://api.notes.test', 'notes: api must be an https address without a trailing slash'],
    ['api', 'https://api.notes.test/', 'notes: api must be an https address without a trailing slash'],
    ['api', 'https://api.notes.test/?v=1', 'notes: api must be an https address without a trailing slash'],
    ['api', undefined, 'notes: lacks api'],
    [
      'uploadHosts',
      ['https://files.notes.test'],
      'notes: uploadHosts.0 must be a host name, without https:// and path',
    ],
    ['header', {}, 'notes: has no field "header", did you mean "headers"?'],
    ['scopes', undefined, 'notes: lacks scopes'],
    ['scopes/notes.read', 'Read notes', 'notes: scopes.notes.read must be object'],
    [
      'scopes/notes.read/effect',
      'reads',
      'notes: scopes.notes.read.effect must be one of "read", "write", "destructive"',
    ],
    ['identityScopes', 'notes.read', 'notes: identityScopes must be array'],
    ['account', {}, 'notes: account must be a function'],
    ['failure', true, 'notes: failure must be a function'],
    ['tools', undefined, 'notes: lacks tools'],
    ['tools', {}, 'notes: tools must hold a tool'],
    ['tools', [], 'notes: tools must be record'],
    ['tools/NOTES_SEARCH', null, 'notes: tools.NOTES_SEARCH must be object'],
    ['tools/NOTES_SEARCH/scopes', undefined, 'notes: lacks tools.NOTES_SEARCH.scopes'],
    ['tools/NOTES_SEARCH/scopes', [7], 'notes: tools.NOTES_SEARCH.scopes.0 must be a scope or a list of scopes'],
    [
      'tools/NOTES_SEARCH/effect',
      'search',
      'notes: tools.NOTES_SEARCH.effect must be one of "read", "write", "destructive"',
    ],
    ['tools/NOTES_SEARCH/input', undefined, 'notes: lacks tools.NOTES_SEARCH.input'],
    ['tools/NOTES_SEARCH/input', { query: z.string() }, 'notes: tools.NOTES_SEARCH.input must be made with z.object'],
    ['tools/NOTES_SEARCH/input', z.string(), 'notes: tools.NOTES_SEARCH.input must be made with z.object'],
    ['tools/NOTES_SEARCH/run', undefined, 'notes: lacks tools.NOTES_SEARCH.run'],
    ['tools/NOTES_SEARCH/run', 7, 'notes: tools.NOTES_SEARCH.run must be a request line or a function'],
    ['tools/NOTES_SEARCH/tokens', [], 'notes: tools.NOTES_SEARCH.tokens must name a token'],
    ['tools/NOTES_SEARCH/aliases', 'NOTES_FIND', 'notes: tools.NOTES_SEARCH.aliases must be array'],
    [
      'tools/NOTES_SEARCH/idempotant',
      true,
      'notes: tools.NOTES_SEARCH has no field "idempotant", did you mean "idempotent"?',
    ],
    ['provider', undefined, 'notes: lacks provider'],
    ['provider', 'notes', 'notes: provider must be object'],
    ['provider/tokenUrl', undefined, 'notes: lacks provider.tokenUrl'],
    ['provider/tokenUrl', '/token', 'notes: provider.tokenUrl must be an http(s) address'],
    [
      'provider/clientAuth',
      'header',
      'notes: provider.clientAuth must be one of "basic", "basic_encoded", "post", "none"',
    ],
    ['provider/refresh', {}, 'notes: lacks provider.refresh.rotates|notes: lacks provider.refresh.graceSeconds'],
    ['provider/tokenAt', {}, 'notes: provider.tokenAt must name a token'],
    ['provider/pkse', 'S256', 'notes: provider has no field "pkse", did you mean "pkce"?'],
    [
      'provider/capture',
      [{ key: 'team', from: 'reply', path: 'team.id' }],
      'notes: provider.capture.0.from must be one of "callback", "token"',
    ],
    [
      'provider/connectionParams',
      [{ key: 'shop', label: 'Shop', required: true, pattern: '[' }],
      'notes: provider.connectionParams.0.pattern must be a regular expression',
    ],
    [
      'provider/errors',
      { odd: 'temporary' },
      'notes: provider.errors.odd must be one of "transient", "configuration", "user", "policy"',
    ],
  ])('%s being %j: %s', (path, value, mistake) => {
    expect(connectorMistakes(broken(path, value)).join('|')).toBe(mistake)
  })

  test.each([undefined, null, 7, 'notes', [], {}, { id: 'half' }, { tools: { X: {} } }, Object.create(null)])(
    'a connector that is %j',
    (half) => {
      const mistakes = connectorMistakes(half as unknown as Connector)

      expect(mistakes.length).toBeGreaterThan(0)
      expect(() => createCatalogue([half as unknown as Connector, plain])).toThrow(mistakes[0])
    },
  )

  test('every field, of every wrong type, is a mistake and never a crash', () => {
    const places = (part: unknown, path: string[]): string[][] =>
      Object.getPrototypeOf(part ?? 0) === Object.prototype
        ? Object.entries(part as object).flatMap(([key, inner]) => [[...path, key], ...places(inner, [...path, key])])
        : []
    const all = places(plain, []).map((path) => path.join('/'))
    expect(all.length).toBeGreaterThan(70)

    for (const path of all) {
      for (const wrong of [null, -7, Symbol('s'), () => {}, new Date(0)]) {
        if (typeof wrong === 'function' && /(^account|failure|run|shape)$/.test(path)) continue
        if (wrong === null && path === 'provider/issuer') continue
        const mistakes = connectorMistakes(broken(path, wrong))
        expect(mistakes.length, `${path} being ${String(wrong)}`).toBeGreaterThan(0)
        expect(mistakes.join(), `${path} being ${String(wrong)}`).not.toContain('undefined')
      }
      expect(() => createCatalogue([broken(path, -7)]), path).toThrow('The connectors have mistakes:')
    }
  })
})

describe('a catalogue', () => {
  const other = (changes: Partial<Connector>): Connector => ({
    ...plain,
    id: 'tasks',
    name: 'Tasks',
    tools: { TASKS_LIST: reading },
    ...changes,
  })

  test('lists every mistake of every connector at once', () => {
    const start = () => createCatalogue([broken('name', ''), other({ category: '' })])

    expect(start).toThrow(
      'The connectors have mistakes:\n- notes: name must not be empty\n- tasks: category must not be empty',
    )
  })

  test.each<[string, Connector, string]>([
    ['an id', other({ id: 'notes' }), 'connector "notes" is declared twice'],
    [
      'a tool name',
      other({ tools: { NOTES_SEARCH: reading } }),
      'tasks: the tool name NOTES_SEARCH is already taken by NOTES_SEARCH',
    ],
    [
      'an alias, in any case',
      other({ tools: { TASKS_LIST: { ...reading, aliases: ['notes_fetch'] } } }),
      'tasks: the tool name NOTES_FETCH is already taken by NOTES_GET_NOTE',
    ],
    [
      'a provider that means another service',
      other({ provider: { ...notesProvider, tokenUrl: 'https://evil.test/token' } }),
      'tasks: the provider "notes" is declared differently by another connector',
    ],
  ])('takes no second connector with %s of the first', (_, second, mistake) => {
    expect(() => createCatalogue([plain, second])).toThrow(mistake)
  })

  test('finds tools by name and alias in any case, and connectors and providers by id', () => {
    const catalogue = createCatalogue([other({}), plain])

    expect(catalogue.connectors().map(({ id }) => id)).toEqual(['notes', 'tasks'])
    expect(catalogue.providers().map(({ id }) => id)).toEqual(['notes'])
    for (const name of ['NOTES_GET_NOTE', 'notes_get_note', 'NOTES_FETCH', 'Notes_Fetch'])
      expect(catalogue.tool(name)).toMatchObject({ name: 'NOTES_GET_NOTE', connector: { id: 'notes' } })
    for (const name of ['', 'toString', '__proto__', 'NOTES']) expect(catalogue.tool(name)).toBeUndefined()
    expect(catalogue.connector('__proto__')).toBeUndefined()
  })

  test('says in JSON Schema what a tool takes, closed to other fields, computed once', () => {
    const catalogue = createCatalogue([plain])
    const schema = catalogue.inputSchema('NOTES_GET_NOTE')

    expect(schema).toEqual({
      type: 'object',
      properties: {
        note_id: { type: 'string' },
        part: { type: 'string' },
        fields: { type: 'array', items: { type: 'string' } },
        limit: { type: 'integer', minimum: Number.MIN_SAFE_INTEGER, maximum: 100, default: 10 },
      },
      required: ['note_id'],
      additionalProperties: false,
    })
    expect(catalogue.inputSchema('NOTES_GET_NOTE')).toBe(schema)
    expect(() => toolSchema({ ...reading, input: z.object({ at: z.date() }) })).toThrow(/Date/)
  })
})

describe('addresses of services are replaced', () => {
  const moved = (serviceUrls: Record<string, string>) =>
    createCatalogue([plain], serviceUrls).connectors()[0] as Connector

  test('by the longest start that fits, and upload addresses may follow', () => {
    const connector = moved({
      'https://api.notes.test': 'http://localhost:1',
      'https://api.notes.test/v1': 'http://localhost:2/notes',
      'https://notes.test': 'http://localhost:3',
    })

    expect(connector.api).toBe('http://localhost:2/notes')
    expect(connector.uploadHosts).toEqual(['files.notes.test', 'localhost:2'])
    expect(connector.provider).toMatchObject({
      authorizeUrl: 'http://localhost:3/authorize',
      tokenUrl: 'http://localhost:3/token',
    })
  })

  test.each([
    [{ 'https://api.notes.test/': 'http://localhost:1/' }, 'http://localhost:1/v1'],
    [{ 'https://api.notes.te': 'http://localhost:1' }, 'https://api.notes.test/v1'],
    [{ 'https://api.notes.test/v': 'http://localhost:1' }, 'https://api.notes.test/v1'],
    [{ 'https://other.test': 'http://localhost:1' }, 'https://api.notes.test/v1'],
    [{}, 'https://api.notes.test/v1'],
  ])('%j makes it %s', (serviceUrls, api) => {
    expect(moved(serviceUrls as Record<string, string>).api).toBe(api)
  })
})
