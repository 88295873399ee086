import { describe, expect, test } from 'vitest'
import { notes, notesProvider } from '../../test/small-gateway.ts'
import { createCatalogue } from './catalogue.ts'
import { askedTools, assertUserId, checkedScopes, checkedSettings, connectorFor } from './connect-request.ts'
import type { Connector } from './connector.ts'

const plain = notes as Connector
const invalid = (message: string) => expect.objectContaining({ code: 'invalid_input', message })

describe('a connector', () => {
  const renamed = (id: string): Connector => ({
    ...plain,
    id,
    provider: { ...notesProvider, id: 'vendor' },
    tools: { [`${id.toUpperCase()}_GET`]: { ...plain.tools['NOTES_SEARCH'], run: 'GET /x' } as never },
  })

  test('is found by its id, or by that of a provider which has no other', () => {
    const catalogue = createCatalogue([renamed('mail')])

    expect(connectorFor(catalogue, 'mail').id).toBe('mail')
    expect(connectorFor(catalogue, 'vendor').id).toBe('mail')
  })

  test('has to be named where the provider has several', () => {
    const catalogue = createCatalogue([renamed('mail'), renamed('drive')])

    expect(() => connectorFor(catalogue, 'vendor')).toThrow(
      invalid('"vendor" has several connectors; name one: mail, drive.'),
    )
    expect(() => connectorFor(catalogue, 'toString')).toThrow(expect.objectContaining({ code: 'not_found' }))
  })
})

test.each([
  ['ann', true],
  ['ann@example.com', true],
  ['Ännchen 🧭/7', true],
  ['x'.repeat(200), true],
  ['', false],
  ['x'.repeat(201), false],
  ['ann\nbob', false],
  ['ann\u0000', false],
  ['ann\u2028', false],
])('%j as a user id: %s', (id, fits) => {
  if (fits) assertUserId(id)
  else expect(() => assertUserId(id)).toThrow(expect.objectContaining({ code: 'invalid_input' }))
})

describe('settings', () => {
  const provider = {
    ...notesProvider,
    connectionParams: [
      { key: 'shop', label: 'shop name', required: true, pattern: '[a-z0-9-]+|x', help: 'the part before .shop.test' },
      { key: 'region', label: 'region', required: false, default: 'eu', pattern: 'eu|us' },
    ],
  }

  test('are held against their patterns as a whole, with defaults filled in', () => {
    expect(checkedSettings(provider, { shop: 'my-shop' })).toEqual({ shop: 'my-shop', region: 'eu' })
  })

  test.each([
    [{}, '"settings.shop" is required: the part before .shop.test.'],
    [{ shop: '' }, '"settings.shop" is required: the part before .shop.test.'],
    [{ shop: 'evil.test/' }, '"settings.shop" does not look like a shop name: the part before .shop.test.'],
    [{ shop: 'my-shop\n' }, '"settings.shop" does not look like a shop name: the part before .shop.test.'],
    [{ shop: 'a', region: 'euro' }, '"settings.region" does not look like a region.'],
    [{ shop: 'a', host: 'b' }, '"settings.host" is not something Notes needs (it needs: shop, region).'],
    [
      JSON.parse('{"shop":"a","__proto__":"b"}'),
      '"settings.__proto__" is not something Notes needs (it needs: shop, region).',
    ],
  ])('%j: %s', (given, said) => {
    expect(() => checkedSettings(provider, given)).toThrow(invalid(said))
  })
})

describe('what is asked for', () => {
  const titles = (tools?: readonly string[]) =>
    askedTools(plain, { userId: 'ann', connectorId: 'notes', ...(tools && { tools }) }).map((tool) => tool.title)

  test('is reading where nothing was chosen, else the tools named, by alias and in any case', () => {
    expect(titles()).toEqual(['Get a note', 'Search notes'])
    expect(titles([])).toEqual([])
    expect(titles(['notes_fetch', 'Notes_Delete_Note'])).toEqual(['Get a note', 'Delete a note'])
    expect(titles(['*'])).toHaveLength(Object.keys(plain.tools).length)
    expect(() => titles(['NOTES_FLY'])).toThrow(invalid('"tools": Notes has no tool "NOTES_FLY".'))
  })

  test.each(['mail.read', 'toString', '__proto__', ''])(
    'cannot hold the scope %j, which the connector lacks',
    (scope) => {
      expect(() => checkedScopes(plain, ['notes.read', scope])).toThrow(
        invalid(`"scopes": Notes does not use the scope "${scope}" (it uses: notes.read, notes.write).`),
      )
    },
  )
})
