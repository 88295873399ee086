import { createSecretKey, randomBytes } from 'node:crypto'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { rotateKeys } from '../../src/core/key-rotation.ts'
import type { Storage } from '../../src/core/storage.ts'
import { createVault, type Keyring, sealedWith, type Vault } from '../../src/core/vault.ts'
import { type Place, sqlitePlace } from '../../src/storage/contract/place.ts'
import { sampleConnection } from '../../src/storage/contract/samples.ts'

const HOUR_MS = 3_600_000
/** More than one page of a rotation. */
const CONNECTIONS = 210

let place: Place
let storage: Storage
let vault: Vault
let ids: string[]
let time: number
const now = () => time

/** Newest first; grows while processes hold it, as a key file does. */
let masters: { id: string; key: ReturnType<typeof createSecretKey> }[]
const keyring: Keyring = {
  current: () => masters[0] as never,
  find: (id) => masters.find((master) => master.id === id),
}
const newMaster = (id: string) => masters.unshift({ id, key: createSecretKey(randomBytes(32)) })

beforeEach(async () => {
  time = Date.now()
  masters = []
  newMaster('mk_old')
  place = await sqlitePlace()
  storage = await place.open()
  vault = createVault(keyring, storage)
  await storage.projects.create({ id: 'default', name: 'Default', redirectUrls: [], createdAt: 0 })
  await vault.addDataKey('default')
  ids = await Promise.all(
    Array.from({ length: CONNECTIONS }, async (_, n) => {
      const connection = sampleConnection('default', { userId: `user-${n}` })
      const credential = await vault.seal('default', placeOf(connection.id), secretOf(connection.id))
      await storage.connections.create({ ...connection, credential }, [])
      return connection.id
    }),
  )
  const clientSecret = await vault.seal(
    'default',
    { table: 'oauth_app', row: 'app_1', column: 'client_secret' },
    'client secret',
  )
  await storage.oauthApps.save({
    id: 'app_1',
    projectId: 'default',
    providerId: 'mail',
    clientId: 'c',
    clientSecret,
    createdAt: 0,
    updatedAt: 0,
  })
})
afterEach(() => place.remove())

const placeOf = (row: string) => ({ table: 'connection', row, column: 'credential' }) as const
const secretOf = (id: string, version = 1) => `secret ${version} of ${id}`
const rotate = (on: { storage: Storage; vault: Vault } = { storage, vault }) => rotateKeys({ ...on, keyring, now })
async function opened(id: string, by = vault): Promise<string> {
  const row = await storage.connections.getAsGateway(id)
  return by.open('default', placeOf(id), row?.credential as string)
}
const keyIds = async () => (await storage.dataKeys.list('default')).map(({ id }) => id)
async function sealedUnder(): Promise<Set<string>> {
  const rows = await storage.connections.listSealed('default', null, 10_000)
  const apps = await storage.oauthApps.list('default')
  return new Set(
    [...rows.map(({ credential }) => credential), ...apps.map(({ clientSecret }) => clientSecret as string)].map(
      sealedWith,
    ),
  )
}

test('brings every value under a new data key and the old keys under the new master key', async () => {
  newMaster('mk_new')

  const report = await rotate()

  expect(report).toMatchObject({ projects: 1, resealed: CONNECTIONS + 1, rewrapped: 1, retired: 0, unreadable: 0 })
  const keys = await storage.dataKeys.list('default')
  expect(keys.map(({ wrapped }) => sealedWith(wrapped))).toEqual(['mk_new', 'mk_new'])
  expect(await sealedUnder()).toEqual(new Set([keys[0]?.id]))
  for (const id of ids) expect(await opened(id)).toBe(secretOf(id))
  expect(await rotate()).toMatchObject({ resealed: 0, rewrapped: 0 })
})

test('an hour later the old data key is retired, and the old master key is needed no more', async () => {
  newMaster('mk_new')
  await rotate()
  const [newest] = await keyIds()
  time += HOUR_MS + 60_000

  expect(await rotate()).toMatchObject({ retired: 1, resealed: 0 })

  expect(await keyIds()).toEqual([newest])
  masters = masters.filter(({ id }) => id === 'mk_new')
  const fresh = createVault(keyring, storage)
  for (const id of ids.slice(0, 5)) expect(await opened(id, fresh)).toBe(secretOf(id))
})

test('serves meanwhile: another process reads and writes without pause, and nothing it stored is lost', async () => {
  const serving = await place.open()
  const servingVault = createVault(keyring, serving)
  const latest = new Map(ids.map((id) => [id, 1]))
  newMaster('mk_new')

  let rotating = true
  let writes = 0
  const traffic = Promise.all(
    Array.from({ length: 4 }, async (_, lane) => {
      for (let n = lane; rotating; n = (n + 4) % ids.length) {
        const id = ids[n] as string
        const row = await serving.connections.getAsGateway(id)
        expect(await servingVault.open('default', placeOf(id), row?.credential as string)).toBe(
          secretOf(id, latest.get(id)),
        )
        const version = (latest.get(id) as number) + 1
        const credential = await servingVault.seal('default', placeOf(id), secretOf(id, version))
        const granted = { credential, scopes: {}, expiresAt: null, refreshAfter: null }
        expect(await serving.connections.commitRefresh(id, row?.generation as number, null, granted, [])).toBe(true)
        latest.set(id, version)
        writes++
      }
    }),
  )
  await rotate()
  rotating = false
  await traffic

  expect(writes).toBeGreaterThan(10)
  // What was stored while its page went by may be under either key; one more round leaves nothing behind.
  await rotate()
  expect(await sealedUnder()).toEqual(new Set([(await keyIds())[0]]))
  for (const id of ids) expect(await opened(id)).toBe(secretOf(id, latest.get(id)))
})

test('goes on where it was cut off', async () => {
  newMaster('mk_new')
  let left = 100
  const stored: Promise<boolean>[] = []
  const dying: Storage = {
    ...storage,
    connections: {
      ...storage.connections,
      async reseal(...swap) {
        if (left-- <= 0) throw new Error('killed')
        const storing = storage.connections.reseal(...swap)
        stored.push(storing)
        return storing
      },
    },
  }
  await expect(rotate({ storage: dying, vault })).rejects.toThrow('killed')
  expect(await Promise.all(stored)).toEqual(Array(100).fill(true))
  for (const id of ids) expect(await opened(id)).toBe(secretOf(id))

  const report = await rotate()

  expect(report.resealed).toBe(CONNECTIONS - 100)
  expect(await keyIds()).toHaveLength(2)
  for (const id of ids) expect(await opened(id)).toBe(secretOf(id))
})

test('run by two processes at once ends with every value under one key', async () => {
  newMaster('mk_new')
  const other = await place.open()

  await Promise.all([rotate(), rotate({ storage: other, vault: createVault(keyring, other) })])
  await rotate()

  expect(await sealedUnder()).toEqual(new Set([(await keyIds())[0]]))
  for (const id of ids) expect(await opened(id)).toBe(secretOf(id))
})

test('a process that has not heard of a rotation neither undoes it nor retires the new key', async () => {
  const idle = await place.open()
  const idleVault = createVault(keyring, idle)
  await idleVault.currentKeyId('default')
  newMaster('mk_new')
  await rotate()
  const [newest] = await keyIds()
  time += HOUR_MS + 60_000

  await rotate({ storage: idle, vault: idleVault })

  expect(await keyIds()).toEqual([newest])
  expect(await sealedUnder()).toEqual(new Set([newest]))
  expect(sealedWith(await idleVault.seal('default', placeOf('conn_new'), 'x'))).toBe(newest)
})

test('a damaged value is counted, stays as it is and keeps its key; the others are rotated', async () => {
  const [damaged = ''] = ids
  const before = (await storage.connections.getAsGateway(damaged))?.credential as string
  const altered = `${before.slice(0, -6)}AAAAAA`
  await storage.connections.reseal(damaged, before, altered)
  newMaster('mk_new')

  expect(await rotate()).toMatchObject({ resealed: CONNECTIONS, unreadable: 1 })
  time += HOUR_MS + 60_000
  expect(await rotate()).toMatchObject({ resealed: 0, unreadable: 1, retired: 0 })

  expect((await storage.connections.getAsGateway(damaged))?.credential).toBe(altered)
  expect(await keyIds()).toHaveLength(2)
})
