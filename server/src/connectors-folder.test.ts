import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { connectorsIn } from './connectors-folder.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'patchbay-connectors-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const zod = import.meta.resolve('zod')

/** A connector's file as a stranger writes one. */
function source(id: string, changes: { type?: string; part?: string; tool?: string; after?: string } = {}): string {
  return `import { z } from '${zod}'
const account${changes.type ?? ''} = async (service) => service.get('/me')
export const ${id} = {
  id: '${id}', kind: 'api', name: '${id}', description: 'A service.', category: 'Tests', api: 'https://${id}.test',
  provider: {
    id: '${id}', name: '${id}', issuer: null, authorizeUrl: 'https://${id}.test/a', tokenUrl: 'https://${id}.test/t',
    clientAuth: 'post', pkce: 'S256', refresh: { rotates: false, graceSeconds: 0 },
    setup: { url: 'https://${id}.test', steps: [] },
  },
  scopes: { read: { description: 'Read', effect: 'read' } },
  identityScopes: ['read'],
  account,
  tools: {
    ${id.toUpperCase()}_GET: { title: 'Get', description: 'Gets.', effect: 'read', scopes: ['read'],
      input: z.object({ id: z.string() }), run: 'GET /x/{id}', ${changes.tool ?? ''} },
  },
  ${changes.part ?? ''}
}
${changes.after ?? ''}`
}
const write = (file: string, text: string) => writeFileSync(join(folder, file), text)

async function mistakes(): Promise<string[]> {
  const error = await connectorsIn(folder).then(
    () => new Error('no mistake'),
    (thrown: Error) => thrown,
  )
  expect(error.name, error.message).toBe('ConfigError')
  return error.message.trim().split('\n- ')
}

test('every connector of every file is found, tests and other files are left alone', async () => {
  write('one.ts', source('one', { type: ': (service: any) => Promise<any>' }))
  write('two.mjs', source('two', { after: `export const three = { ...two, id: 'three' }` }))
  write('four.js', source('four'))
  for (const file of ['one.test.ts', 'one.test.js', 'one.d.ts', 'README.md', 'data.json']) write(file, 'not } code')

  expect((await connectorsIn(folder)).map(({ id }) => id).sort()).toEqual(['four', 'one', 'three', 'two'])
})

test('an empty folder holds none, one that is missing is told with the setting that names it', async () => {
  expect(await connectorsIn(folder)).toEqual([])

  await expect(connectorsIn(join(folder, 'nowhere'))).rejects.toThrow(
    `The setting CONNECTORS_DIR names ${join(folder, 'nowhere')}, which cannot be read (ENOENT).`,
  )
})

describe('a file is named with what is wrong with it', () => {
  test.each<[string, string, RegExp]>([
    ['that cannot be parsed', 'export const = {', /^bad\.ts: .+/],
    ['that throws', `throw new Error('no key\\nat all')`, /^bad\.ts: no key$/],
    ['that throws nothing', 'throw undefined', /^bad\.ts: undefined$/],
    ['that throws a text', `throw 'just words'`, /^bad\.ts: just words$/],
    ['that throws without words', 'throw new Error()', /^bad\.ts: no message$/],
    ['that imports what is not there', `import './gone.ts'`, /^bad\.ts: .*gone\.ts/],
    ['that exports nothing', 'const one = 1', /^bad\.ts: exports no connector/],
    [
      'that exports something else',
      'export const one = null; export const two = () => {}',
      /^bad\.ts: exports no connector/,
    ],
    ['with an empty connector', `export const one = { kind: 'api' }`, /^bad\.ts: \(connector without id\): lacks id$/],
    [
      'with a misspelt field',
      source('bad', { part: 'uploadHost: []' }),
      /^bad\.ts: bad: has no field "uploadHost", did you mean "uploadHosts"\?$/,
    ],
    [
      'with a wrong scope',
      source('bad', { tool: `scopes: ['raed']` }),
      /^bad\.ts: bad: tool BAD_GET names the scope "raed"/,
    ],
    [
      'with a wrong verb',
      source('bad', { tool: `run: 'FETCH /x'` }),
      /^bad\.ts: bad: BAD_GET has the request line "FETCH \/x"/,
    ],
    [
      'with a wrong parameter',
      source('bad', { tool: `run: 'GET /{key}'` }),
      /^bad\.ts: bad: BAD_GET uses \{key\} in its address/,
    ],
    [
      'with an input that is no schema',
      source('bad', { tool: 'input: { id: String }' }),
      /^bad\.ts: bad: tools\.BAD_GET\.input must be made with z\.object$/,
    ],
    [
      'with an input that JSON cannot say',
      source('bad', { tool: `input: z.object({ at: z.date() }), run: 'GET /'` }),
      /^bad\.ts: bad: BAD_GET has an input that no JSON Schema can say/,
    ],
    [
      'with a part that throws when read',
      source('bad', { part: `get category() { throw new Error('not yet') }` }),
      /^bad\.ts: not yet$/,
    ],
  ])('%s', async (_, text, said) => {
    write('bad.ts', text)
    write('good.ts', source('good'))

    const [heading, ...lines] = await mistakes()

    expect(heading).toBe('CONNECTORS_DIR holds connectors with mistakes:')
    expect(lines[0]).toMatch(said)
    expect(lines.every((line) => line.startsWith('bad.ts: '))).toBe(true)
  })

  test('for all files at once, a folder with the name of one among them', async () => {
    write('a.ts', 'throw 1')
    mkdirSync(join(folder, 'b.ts'))
    write('c.ts', source('cc', { tool: `effect: 'get'` }))

    expect((await mistakes()).map((line) => line.split(':', 1)[0])).toEqual([
      'CONNECTORS_DIR holds connectors with mistakes',
      'a.ts',
      'b.ts',
      'c.ts',
    ])
  })
})
