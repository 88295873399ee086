import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openStorage } from '../../src/storage/open.ts'
import { spawnGateway } from '../gateway.ts'

const TIMEOUT_MS = 60_000
const dirs: string[] = []
let running: Awaited<ReturnType<typeof spawnGateway>>[] = []
let dataDir: string

function newDir(): string {
  const dir = mkdtempSync(join(tmpdir(), 'patchbay-starts-'))
  dirs.push(dir)
  return dir
}
beforeEach(() => {
  dataDir = newDir()
})
afterEach(async () => {
  await Promise.all(running.map((gateway) => gateway.stop()))
  running = []
  for (const dir of dirs.splice(0)) rmSync(dir, { recursive: true, force: true })
})

async function started(env: Record<string, string> = {}) {
  const gateway = await spawnGateway({ DATA_DIR: dataDir, WEB_PAGES: 'off', ...env })
  running.push(gateway)
  return gateway
}

async function stored() {
  const storage = await openStorage({ dataDir })
  try {
    return {
      projects: (await storage.projects.list()).map(({ id }) => id),
      dataKeys: (await storage.dataKeys.list('default')).length,
      apiKeys: (await storage.apiKeys.list('default')).map(({ role }) => role),
    }
  } finally {
    await storage.close()
  }
}

describe('processes that start together on an empty folder', () => {
  test('make one master key, one project, one data key and one admin key, which one of them shows', {
    timeout: TIMEOUT_MS,
  }, async () => {
    const gateways = await Promise.all(Array.from({ length: 3 }, () => started({ ADMIN_API_KEY: '' })))

    const shown = gateways.flatMap(({ output }) => /Admin key \(shown this once\): (\S+)/.exec(output())?.[1] ?? [])
    expect(shown).toHaveLength(1)
    expect(JSON.parse(readFileSync(join(dataDir, 'master.key'), 'utf8')).keys).toHaveLength(1)
    expect(statSync(join(dataDir, 'master.key')).mode & 0o777).toBe(0o600)
    for (const { url } of gateways) {
      const answer = await fetch(`${url}/api/projects`, { headers: { 'x-api-key': shown[0] as string } })
      expect(answer.status).toBe(200)
    }
    expect(await stored()).toEqual({ projects: ['default'], dataKeys: 1, apiKeys: ['admin'] })
  })

  test('agree on an admin key that was given to both', { timeout: TIMEOUT_MS }, async () => {
    const gateways = await Promise.all([started(), started()])

    for (const { client } of gateways) expect((await client.projects.list()).items).toHaveLength(1)
    expect(await stored()).toEqual({ projects: ['default'], dataKeys: 1, apiKeys: ['admin'] })
  })
})

describe('a master key that does not belong to the data stops the start with one sentence', () => {
  test.each<[string, (path: string) => void, RegExp]>([
    [
      'another key',
      (path) =>
        writeFileSync(
          path,
          JSON.stringify({ keys: [{ id: 'mk_other', key: Buffer.alloc(32, 7).toString('base64') }] }),
        ),
      /The data was encrypted with master key "mk_[0-9a-f]+", which is not in the keyring\. Restore that key/,
    ],
    [
      'other bytes under the same name',
      (path) => {
        const file = JSON.parse(readFileSync(path, 'utf8'))
        file.keys[0].key = Buffer.alloc(32, 7).toString('base64')
        writeFileSync(path, JSON.stringify(file))
      },
      /The master key "mk_[0-9a-f]+" of the keyring is not the one this data was encrypted with/,
    ],
    ['no key file', (path) => rmSync(path), /its master key file \S+ is missing\. Put it back from the backup/],
    [
      'a damaged key file',
      (path) => writeFileSync(path, '{"keys":['),
      /The master key file \S+ is damaged\. Put it back from the backup/,
    ],
  ])('%s', { timeout: TIMEOUT_MS }, async (_, spoil, sentence) => {
    await (await started()).stop()
    const path = join(dataDir, 'master.key')
    const before = readFileSync(path)
    spoil(path)

    const error: Error = await started().then(
      () => expect.fail('it started'),
      (thrown) => thrown,
    )

    const [first = '', ...printed] = error.message.split('\n').filter((line) => line !== '')
    expect(first).toMatch(/^The gateway ended with [1-9]/)
    expect(printed.join('\n')).toMatch(sentence)
    expect(printed).toHaveLength(1)
    // Nothing was made in its place: with the key back everything is there.
    writeFileSync(path, before, { mode: 0o600 })
    expect((await (await started()).client.projects.list()).items).toHaveLength(1)
  })
})
