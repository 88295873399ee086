import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { ConfigError } from './config.ts'
import { addMasterKey, fileKeyring, keyringOf, keyringPath } from './keyring.ts'

let folder: string
let path: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'patchbay-keyring-'))
  path = keyringPath(folder)
})
afterEach(() => rmSync(folder, { recursive: true }))

const mode = (file: string) => statSync(file).mode & 0o777
const idsIn = () => JSON.parse(readFileSync(path, 'utf8')).keys.map((entry: { id: string }) => entry.id) as string[]

/** Runs code in processes of their own, all at once; answers what each printed. */
function processes(count: number, code: string): Promise<string[]> {
  const keyring = pathToFileURL(join(import.meta.dirname, 'keyring.ts')).href
  const program = `import * as keyring from ${JSON.stringify(keyring)}\nconst folder = ${JSON.stringify(folder)}\n${code}`
  return Promise.all(
    Array.from(
      { length: count },
      () =>
        new Promise<string>((resolve, reject) => {
          const child = spawn(process.execPath, ['--input-type=module-typescript', '-e', program], { stdio: 'pipe' })
          let output = ''
          child.stdout.on('data', (chunk) => {
            output += chunk
          })
          child.stderr.on('data', (chunk) => {
            output += chunk
          })
          child.on('error', reject)
          child.on('exit', () => resolve(output.trim()))
        }),
    ),
  )
}

describe('the key file', () => {
  test('is made once, readable by its owner only, and read again afterwards', () => {
    const first = fileKeyring(join(folder, 'deep/data'), { mayCreate: true })
    const again = fileKeyring(join(folder, 'deep/data'), { mayCreate: false })

    expect(first).toMatchObject({ created: true, path: join(folder, 'deep/data/master.key') })
    expect(mode(first.path)).toBe(0o600)
    expect(mode(join(folder, 'deep/data'))).toBe(0o700)
    expect(again.created).toBe(false)
    expect(again.current().id).toBe(first.current().id)
    expect(again.current().key.equals(first.current().key)).toBe(true)
    expect(first.current().key.symmetricKeySize).toBe(32)
    expect(readdirSync(join(folder, 'deep/data'))).toEqual(['master.key'])
  })

  test('that is missing though there is encrypted data stops the start, and is not made', () => {
    expect(() => fileKeyring(folder, { mayCreate: false })).toThrow(
      new ConfigError(
        `The data is encrypted, but its master key file ${path} is missing. Put it back from the backup, or give the key as MASTER_KEYS.`,
      ),
    )
    expect(existsSync(path)).toBe(false)
  })

  test.each([0o644, 0o640, 0o660, 0o666, 0o604])('that others may read (%o) is closed to them', (open) => {
    fileKeyring(folder, { mayCreate: true })
    chmodSync(path, open)

    fileKeyring(folder, { mayCreate: false })

    expect(mode(path)).toBe(0o600)
  })

  const entry = (key: string, id = 'mk_1') => JSON.stringify({ keys: [{ id, key }] })
  test.each([
    ['empty', ''],
    ['cut off', entry(randomBytes(32).toString('base64')).slice(0, -10)],
    ['no JSON', 'master key'],
    ['null', 'null'],
    ['a list', '[]'],
    ['without keys', '{}'],
    ['with no key', '{"keys":[]}'],
    ['with keys that are no list', '{"keys":"mk_1"}'],
    ['with a key that is null', '{"keys":[null]}'],
    ['with a short key', entry(randomBytes(31).toString('base64'))],
    ['with a long key', entry(randomBytes(33).toString('base64'))],
    ['with a key that is a number', '{"keys":[{"id":"mk_1","key":7}]}'],
    ['without an id', entry(randomBytes(32).toString('base64'), '')],
  ])('that is %s is damaged: told, and left as it is', (_, text) => {
    writeFileSync(path, text)

    expect(() => fileKeyring(folder, { mayCreate: true })).toThrow(
      new ConfigError(`The master key file ${path} is damaged. Put it back from the backup.`),
    )
    expect(() => addMasterKey(folder)).toThrow(/is damaged/)
    expect(readFileSync(path, 'utf8')).toBe(text)
    expect(readdirSync(folder)).toEqual(['master.key'])
  })

  test('that cannot be read says why', () => {
    mkdirSync(path)

    expect(() => fileKeyring(folder, { mayCreate: true })).toThrow(
      new ConfigError(`The master key file ${path} cannot be read (EISDIR).`),
    )
  })

  test('made by six processes at once is one file, made by one of them', async () => {
    const said = await processes(
      6,
      `const ring = keyring.fileKeyring(folder, { mayCreate: true })
       console.log(ring.created, ring.current().id, ring.current().key.export().toString('hex'))`,
    )

    expect(said.filter((line) => line.startsWith('true'))).toHaveLength(1)
    expect(new Set(said.map((line) => line.replace(/^\w+ /, ''))).size).toBe(1)
    expect(readdirSync(folder)).toEqual(['master.key'])
  })
})

describe('a key that is added', () => {
  test('is the newest, the others stay, and the file stays closed', () => {
    const before = fileKeyring(folder, { mayCreate: true }).current()

    const id = addMasterKey(folder)

    const ring = fileKeyring(folder, { mayCreate: false })
    expect(idsIn()).toEqual([id, before.id])
    expect(ring.current().id).toBe(id)
    expect(ring.find(before.id)?.key.equals(before.key)).toBe(true)
    expect(mode(path)).toBe(0o600)
    expect(readdirSync(folder)).toEqual(['master.key'])
  })

  test('is found by a process that had read the file before, which seals with it from then on', () => {
    const serving = fileKeyring(folder, { mayCreate: true })
    const old = serving.current().id
    const id = addMasterKey(folder)
    expect(serving.current().id).toBe(old)

    expect(serving.find(id)?.id).toBe(id)

    expect(serving.current().id).toBe(id)
    expect(serving.find(old)?.id).toBe(old)
    expect(serving.find('mk_made-up')).toBeUndefined()
  })

  test('by several processes at once is never lost: each adds its own, or is told to try again', async () => {
    const first = fileKeyring(folder, { mayCreate: true }).current().id

    const said = await processes(
      4,
      `for (let round = 0; round < 40; round++) {
         try { console.log('added', keyring.addMasterKey(folder)) } catch (error) { console.log(error.name, error.message) }
       }`,
    )

    const lines = said.join('\n').split('\n')
    const added = lines.flatMap((line) => /^added (\S+)$/.exec(line)?.[1] ?? [])
    expect(lines).toHaveLength(160)
    expect(added.length).toBeGreaterThan(0)
    expect(new Set(idsIn())).toEqual(new Set([first, ...added]))
    for (const line of lines) expect(line).toMatch(/^added |^ConfigError Another process is adding a master key/)
    expect(readdirSync(folder)).toEqual(['master.key'])
  })

  test('waits for no lock that was left behind', () => {
    fileKeyring(folder, { mayCreate: true })
    writeFileSync(`${path}.lock`, '')
    expect(() => addMasterKey(folder)).toThrow(/Another process is adding a master key/)

    const before = new Date(Date.now() - 120_000)
    utimesSync(`${path}.lock`, before, before)

    expect(idsIn()[0]).not.toBe(addMasterKey(folder))
    expect(idsIn()).toHaveLength(2)
    expect(readdirSync(folder)).toEqual(['master.key'])
  })

  test('goes on after a process that was stopped in the middle of it', () => {
    fileKeyring(folder, { mayCreate: true })
    writeFileSync(`${path}.${process.pid}.new`, 'half')

    expect(idsIn()).not.toContain(addMasterKey(folder))
  })
})

test('a keyring of the settings seals with its first key and opens with all', () => {
  const keys = ['new', 'old'].map((id) => ({ id, key: randomBytes(32) }))
  const ring = keyringOf(keys)

  expect(ring.current().id).toBe('new')
  expect(ring.find('old')?.key.export()).toEqual(keys[1]?.key)
  expect(ring.find('other')).toBeUndefined()
})
