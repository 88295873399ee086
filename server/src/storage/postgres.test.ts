import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Change, Storage } from '../core/storage.ts'
import { type Place, postgresPlace } from './contract/place.ts'
import { sampleConnection, sampleEvent, sampleProject, storedProject } from './contract/samples.ts'
import { openStorage } from './open.ts'

const serverUrl = process.env['TEST_POSTGRES_URL']
const name = serverUrl ? 'PostgreSQL' : 'PostgreSQL (skipped: TEST_POSTGRES_URL names no server)'

test('an address that is not one of PostgreSQL is refused without repeating it', async () => {
  for (const databaseUrl of ['mysql://u:secret@h/d', 'postgres://u:secret@[bad/d', 'secret']) {
    const refused = await openStorage({ databaseUrl, dataDir: '' }).catch((error) => error)

    expect(refused).toMatchObject({ code: 'not_configured', message: expect.stringMatching(/^DATABASE_URL is not /) })
    expect(refused.message).not.toContain('secret')
  }
})

test('a server that cannot be reached stops with one sentence that names it and not the password', async () => {
  const closed = createServer().listen(0, '127.0.0.1')
  await once(closed, 'listening')
  const { port } = closed.address() as AddressInfo
  closed.close()
  await once(closed, 'close')

  const refused = await openStorage({ databaseUrl: `postgres://u:secret@127.0.0.1:${port}/d`, dataDir: '' }).catch(
    (error) => error,
  )

  expect(refused).toMatchObject({
    code: 'not_configured',
    message: `PostgreSQL at 127.0.0.1:${port} cannot be reached (ECONNREFUSED): make sure that it runs and that DATABASE_URL names its address.`,
  })
})

describe.skipIf(!serverUrl)(name, () => {
  let place: Place
  let storage: Storage
  beforeEach(async () => {
    place = await postgresPlace(serverUrl as string)
    storage = await place.open()
  })
  afterEach(() => place?.remove())

  /** Ends connections from the server's side, as a restart or an administrator does; answers how many. */
  async function endConnections(which: string): Promise<number> {
    const ended = await place.execute(
      `select pg_terminate_backend(pid) from pg_stat_activity
       where application_name = current_schema() and pid <> pg_backend_pid() and ${which}`,
    )
    return ended.length
  }

  test('a missing database stops with one sentence', async () => {
    const url = new URL(serverUrl as string)
    url.pathname = '/no_such_database'

    await expect(openStorage({ databaseUrl: url.href, dataDir: '' })).rejects.toMatchObject({
      code: 'not_configured',
      message: expect.stringMatching(
        /has no database "no_such_database": create it, or correct the name in DATABASE_URL\.$/,
      ),
    })
  })

  test('leases follow the clock of the database, whatever this machine believes', async () => {
    const late = await place.open({ now: () => 0 })
    const connection = sampleConnection(await storedProject(storage))
    await storage.connections.create(connection, [])

    const lease = await late.connections.beginRefresh(connection.id, 1, 'p', 60_000)
    const [clock] = await place.execute('select extract(epoch from clock_timestamp()) * 1000 as now')

    expect(Math.abs((lease?.connection.leaseUntil as number) - 60_000 - Number(clock?.['now']))).toBeLessThan(5_000)
  })

  test('connections say who they are', async () => {
    const url = new URL(place.options.databaseUrl as string)
    url.searchParams.delete('application_name')
    const named = await openStorage({ databaseUrl: url.href, dataDir: '' })

    const [found] = await place.execute(
      "select count(*) as count from pg_stat_activity where application_name = 'patchbay'",
    )
    await named.close()

    expect(Number(found?.['count'])).toBeGreaterThan(0)
  })

  test('connections that the server ends are replaced, also that of the changes, which tells of everything', async () => {
    const heard: Change[] = []
    const back = new Promise<void>((resolve) => {
      storage.onChange((change) => {
        heard.push(change)
        // Once when it is lost, once when it is back.
        if (heard.filter(({ kind }) => kind === 'everything').length === 2) resolve()
      })
    })
    const projectId = await storedProject(storage)

    expect(await endConnections("query like 'listen %'")).toBe(1)
    await back
    const other = await place.open()
    const told = new Promise<Change>((resolve) => storage.onChange(resolve))
    const next = sampleProject()
    await other.projects.create(next)

    expect(await told).toEqual({ kind: 'project', id: next.id })
    expect(await storage.projects.get(projectId)).toBeDefined()
  })

  test('idle connections that the server ends cost neither the process nor a read nor a unit of work', async () => {
    const projectId = await storedProject(storage)
    await Promise.all(Array.from({ length: 10 }, () => storage.events.append([sampleEvent(projectId)])))

    expect(await endConnections("query not like 'listen %'")).toBeGreaterThan(1)

    const project = sampleProject()
    await storage.projects.create(project)
    expect(await storage.events.list(projectId, { limit: 20 })).toHaveLength(10)
    await expect(storage.ping()).resolves.toBeUndefined()
  })

  test('units that meet in opposite order both succeed', async () => {
    const projectId = await storedProject(storage)
    const [a, b] = [sampleConnection(projectId), sampleConnection(projectId, { connectorId: 'slack' })]
    for (const each of [a, b]) await storage.connections.create(each, [])

    const results = await Promise.all([
      ...Array.from({ length: 20 }, () => storage.connections.update(projectId, 'ann', a.id, { isDefault: true }, [])),
      ...Array.from({ length: 20 }, () => storage.connections.update(projectId, 'ann', b.id, { isDefault: true }, [])),
    ])

    expect(results.every((each) => each?.isDefault)).toBe(true)
  })
})
