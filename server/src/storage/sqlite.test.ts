import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { Change, Storage } from '../core/storage.ts'
import { sampleConnection, sampleEvent, sampleProject, storedProject } from './contract/samples.ts'
import { openStorage } from './open.ts'
import { refreshes } from './refreshes.ts'
import { openSqlite } from './sqlite.ts'

let dataDir: string
const opened: Storage[] = []
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'patchbay-sqlite-'))
})
afterEach(async () => {
  vi.restoreAllMocks()
  for (const storage of opened.splice(0)) await storage.close()
  rmSync(dataDir, { recursive: true })
})

async function open(now?: () => number): Promise<Storage> {
  const storage = await openStorage({ dataDir, ...(now && { now }) })
  opened.push(storage)
  return storage
}

/** Statements of the transaction frame that any handle of this process runs from now on. */
function countedCommits() {
  const exec = vi.spyOn(DatabaseSync.prototype, 'exec')
  return () => exec.mock.calls.filter(([text]) => text === 'commit').length
}

test('the database and what SQLite keeps beside it can be read by their owner only', async () => {
  dataDir = join(dataDir, 'made', 'on start')
  const storage = await open()
  await storedProject(storage)

  const files = readdirSync(dataDir)
  expect(files).toContain('patchbay.db')
  expect(files).toContain('patchbay.db-wal')
  for (const file of files) expect(statSync(join(dataDir, file)).mode & 0o777).toBe(0o600)
  expect(statSync(dataDir).mode & 0o777).toBe(0o700)
})

test('closing folds the write-ahead log into the one file', async () => {
  const storage = await open()
  await storedProject(storage)

  await storage.close()

  expect(readdirSync(dataDir)).toEqual(['patchbay.db'])
})

test('writes issued together become durable with few commits', async () => {
  const storage = await open()
  const projectId = await storedProject(storage)
  const commits = countedCommits()

  await Promise.all(Array.from({ length: 2_000 }, () => storage.events.append([sampleEvent(projectId)])))

  expect(commits()).toBeLessThan(100)
  expect(await storage.events.removeOlder(projectId, Number.MAX_SAFE_INTEGER)).toBe(2_000)
})

test('a write resolves only after its commit', async () => {
  const storage = await open()
  const order: string[] = []
  const real = DatabaseSync.prototype.exec
  vi.spyOn(DatabaseSync.prototype, 'exec').mockImplementation(function (this: DatabaseSync, text) {
    real.call(this, text)
    if (text === 'commit') order.push('commit')
  })

  await storage.projects.create(sampleProject()).then(() => order.push('resolved'))

  expect(order).toEqual(['commit', 'resolved'])
})

test('in a group one refused write fails alone, with all of its own steps', async () => {
  const storage = await open()
  const projectId = await storedProject(storage)
  const [first, second] = [sampleConnection(projectId), sampleConnection(projectId)]
  const commits = countedCommits()

  const results = await Promise.allSettled([
    storage.connections.create(first, [sampleEvent(projectId)]),
    storage.connections.create({ ...first }, [sampleEvent(projectId)]),
    storage.connections.create(sampleConnection('nobody'), [sampleEvent(projectId)]),
    storage.connections.create(second, [sampleEvent(projectId)]),
  ])

  expect(commits()).toBe(1)
  expect(results.map((each) => each.status)).toEqual(['fulfilled', 'rejected', 'rejected', 'fulfilled'])
  expect(results[1]).toMatchObject({ reason: { code: 'conflict' } })
  expect(results[2]).toMatchObject({ reason: { code: 'not_found' } })
  expect(await storage.connections.list(projectId, 'ann')).toHaveLength(2)
  expect(await storage.events.list(projectId, { limit: 10 })).toHaveLength(2)
})

test('a file that another process holds is waited for, and no write is lost or done twice', async () => {
  const storage = await open()
  const projectId = await storedProject(storage)
  const holder = new DatabaseSync(join(dataDir, 'patchbay.db'))
  holder.exec('begin immediate')
  const refusals = vi.spyOn(DatabaseSync.prototype, 'exec')
  let settled = 0
  const writes = Array.from({ length: 50 }, () => storage.events.append([sampleEvent(projectId)]).then(() => settled++))

  await vi.waitUntil(() => refusals.mock.results.filter(({ type }) => type === 'throw').length >= 3)
  expect(settled).toBe(0)
  // Reading goes on meanwhile.
  expect(await storage.events.list(projectId, { limit: 100 })).toEqual([])
  holder.exec('commit')
  holder.close()

  await Promise.all(writes)
  expect(await storage.events.list(projectId, { limit: 100 })).toHaveLength(50)
})

test('when the disk refuses a commit its writes fail and the next ones work', async () => {
  const storage = await open()
  const projectId = await storedProject(storage)
  const real = DatabaseSync.prototype.exec
  vi.spyOn(DatabaseSync.prototype, 'exec').mockImplementation(function (this: DatabaseSync, text) {
    if (text === 'commit') throw Object.assign(new Error('disk I/O error'), { errcode: 10 })
    real.call(this, text)
  })

  const writes = await Promise.allSettled([
    storage.events.append([sampleEvent(projectId)]),
    storage.events.append([sampleEvent(projectId)]),
  ])
  vi.restoreAllMocks()

  expect(writes.map((each) => each.status)).toEqual(['rejected', 'rejected'])
  expect(await storage.events.list(projectId, { limit: 100 })).toEqual([])
  await storage.events.append([sampleEvent(projectId)])
  expect(await storage.events.list(projectId, { limit: 100 })).toHaveLength(1)
})

test('leases follow the clock that was handed in', async () => {
  let now = 1_000_000
  const storage = await open(() => now)
  const connection = sampleConnection(await storedProject(storage))
  await storage.connections.create(connection, [])

  const first = await storage.connections.beginRefresh(connection.id, 1, 'p1', 5_000)
  now += 4_999
  const tooSoon = await storage.connections.beginRefresh(connection.id, 1, 'p2', 5_000)
  now += 1
  const second = await storage.connections.beginRefresh(connection.id, 1, 'p2', 5_000)

  expect(first?.connection.leaseUntil).toBe(1_005_000)
  expect(tooSoon).toBeUndefined()
  expect(second?.connection).toMatchObject({ fence: 2, leaseUntil: 1_010_000, refreshIntent: { startedAt: 1_005_000 } })
})

test('a process that missed more changes than are kept is told of everything', async () => {
  const storage = await open()
  const slow = await open()
  const heard: Change[] = []
  slow.onChange((change) => heard.push(change))
  await storedProject(storage)
  const behind = new DatabaseSync(join(dataDir, 'patchbay.db'))
  behind.exec('delete from change')
  behind.close()
  const last = await storedProject(storage)

  slow.catchUp()
  const next = await storedProject(storage)
  await new Promise(setImmediate)
  slow.catchUp()

  expect(heard).toEqual([{ kind: 'everything' }, { kind: 'project', id: next }])
  expect(last).not.toBe(next)
})

test('the table of changes stays small', async () => {
  const storage = await open()
  const projectId = await storedProject(storage)
  const app = { projectId, clientId: 'c', clientSecret: null, createdAt: 1, updatedAt: 1 }

  for (let done = 0; done < 13_000; done += 1_000) {
    await Promise.all(
      Array.from({ length: 1_000 }, () => storage.oauthApps.save({ ...app, id: 'app', providerId: 'google' })),
    )
  }

  const file = new DatabaseSync(join(dataDir, 'patchbay.db'), { readOnly: true })
  const kept = file.prepare('select count(*) as count from change').get()?.['count']
  file.close()
  expect(kept).toBeLessThanOrEqual(11_000)
  expect(kept).toBeGreaterThanOrEqual(10_000)
})

test('due rows are found through their index, in its order', async () => {
  const engine = await openSqlite(dataDir, Date.now)
  const file = new DatabaseSync(join(dataDir, 'patchbay.db'))
  let plan: unknown[] = []
  const explaining = {
    ...engine,
    read: async (query: Parameters<typeof engine.read>[0]) => {
      const { sql, parameters } = query.compile()
      plan = file.prepare(`explain query plan ${sql}`).all(...(parameters as number[]))
      return []
    },
  }

  await refreshes(explaining as typeof engine).dueForRefresh(1, 10)
  file.close()
  await engine.close()

  expect(plan).toHaveLength(1)
  expect(plan[0]).toMatchObject({ detail: expect.stringMatching(/USING INDEX connection_due \(refresh_after<\?\)/) })
})

test('a data folder that cannot be made or written stops with one sentence that says what to do', async () => {
  const file = join(dataDir, 'file')
  writeFileSync(file, '')
  await expect(openStorage({ dataDir: join(file, 'below') })).rejects.toMatchObject({
    code: 'not_configured',
    message: expect.stringMatching(
      /^The database .*patchbay\.db cannot be opened \(ENOTDIR\): .*DATA_DIR to another folder\.$/,
    ),
  })

  mkdirSync(join(dataDir, 'taken', 'patchbay.db'), { recursive: true })
  await expect(openStorage({ dataDir: join(dataDir, 'taken') })).rejects.toMatchObject({
    code: 'not_configured',
    message: expect.stringMatching(/\(EISDIR\).*DATA_DIR/),
  })
})

test.skipIf(process.getuid?.() !== 0)(
  'a data folder of another user stops with one sentence (needs root, to start a process without rights)',
  async () => {
    const locked = join(dataDir, 'locked')
    mkdirSync(locked, { mode: 0o700 })
    const script = `import(${JSON.stringify(import.meta.resolve('./open.ts'))})
      .then(({ openStorage }) => { process.setgid(65534); process.setuid(65534); return openStorage({ dataDir: ${JSON.stringify(locked)} }) })
      .catch((error) => console.log(error.code, error.message))`
    const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
    let said = ''
    child.stdout.setEncoding('utf8').on('data', (text) => (said += text))
    await once(child, 'close')

    expect(said).toMatch(
      /^not_configured The database .* cannot be opened \(EACCES\): .*DATA_DIR to another folder\.\n$/,
    )
  },
)

test('a file that is no database stops with one sentence and is left as it is', async () => {
  const file = join(dataDir, 'patchbay.db')
  writeFileSync(file, 'This is a letter, not a database. '.repeat(100))
  const before = statSync(file).size

  await expect(openStorage({ dataDir })).rejects.toMatchObject({
    code: 'not_configured',
    message: expect.stringMatching(/is not an intact SQLite database: restore it from a backup/),
  })
  expect(statSync(file).size).toBe(before)
})
