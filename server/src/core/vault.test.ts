import { createSecretKey, randomBytes } from 'node:crypto'
import { beforeEach, describe, expect, test } from 'vitest'
import type { Change, DataKey, DataKeys } from './storage.ts'
import { createVault, type Keyring, type Place, sealedWith, type Vault } from './vault.ts'

const PLACE: Place = { table: 'connection', row: 'conn_1', column: 'credential' }
const SECRET = 'refresh-token-of-ann'

let rows: DataKey[]
let tell: (change: Change) => void
/** Run by `catchUp`: how this process learns of what others did. */
let pendingChanges: Change[]
let lists: number
let vault: Vault

const masters = new Map<string, Buffer>()
function ring(...ids: string[]): Keyring {
  const keys = ids.map((id) => {
    const bytes = masters.get(id) ?? randomBytes(32)
    masters.set(id, bytes)
    return { id, key: createSecretKey(bytes) }
  })
  return { current: () => keys[0] as never, find: (id) => keys.find((key) => key.id === id) }
}

function dataKeys(): DataKeys {
  return {
    async create(key) {
      rows.push(key)
    },
    async list(projectId) {
      lists++
      return rows.filter((key) => key.projectId === projectId).sort((a, b) => b.createdAt - a.createdAt)
    },
    async rewrap() {
      return false
    },
    async remove(id) {
      rows = rows.filter((key) => key.id !== id)
    },
  }
}

function vaultWith(keyring: Keyring): Vault {
  return createVault(keyring, {
    dataKeys: dataKeys(),
    onChange: (listener) => {
      tell = listener
    },
    catchUp() {
      for (const change of pendingChanges.splice(0)) tell(change)
    },
  })
}

beforeEach(async () => {
  rows = []
  pendingChanges = []
  lists = 0
  vault = vaultWith(ring('mk_1'))
  await vault.addDataKey('project_a')
  await vault.addDataKey('project_b')
})

test('opens what it sealed, and only a little of it is recognisable', async () => {
  const sealed = await vault.seal('project_a', PLACE, SECRET)

  expect(sealed).toMatch(/^v1\.dk_[0-9a-f]+(\.[\w-]+){3}$/)
  expect(Buffer.from(sealed.split('.').at(-2) as string, 'base64url').toString()).not.toContain('ann')
  expect(await vault.open('project_a', PLACE, sealed)).toBe(SECRET)
  expect(await vault.seal('project_a', PLACE, SECRET)).not.toBe(sealed)
})

test.each<[string, string, Place]>([
  ['row', 'project_a', { ...PLACE, row: 'conn_2' }],
  ['column', 'project_a', { ...PLACE, column: 'client_secret' }],
  ['table', 'project_a', { ...PLACE, table: 'oauth_app' }],
])('refuses a value that was moved to another %s', async (_, projectId, place) => {
  const sealed = await vault.seal('project_a', PLACE, SECRET)

  await expect(vault.open(projectId, place, sealed)).rejects.toThrow(/does not open: it was altered, moved/)
})

test('refuses a value of another project, also when its data key was copied there', async () => {
  const sealed = await vault.seal('project_a', PLACE, SECRET)
  await expect(vault.open('project_b', PLACE, sealed)).rejects.toThrow(
    `The data key ${sealedWith(sealed)} of project project_b is gone`,
  )

  const key = rows.find(({ projectId }) => projectId === 'project_a') as DataKey
  rows.push({ ...key, projectId: 'project_b', createdAt: 0 })
  await expect(vaultWith(ring('mk_1')).open('project_b', PLACE, sealed)).rejects.toThrow(/the data was altered/)
})

test('refuses a value that was altered in any part', async () => {
  const sealed = await vault.seal('project_a', PLACE, SECRET)
  const parts = sealed.split('.')

  for (let part = 2; part < parts.length; part++) {
    const altered = parts
      .map((text, n) => (n === part ? (text.startsWith('A') ? 'B' : 'A') + text.slice(1) : text))
      .join('.')
    await expect(vault.open('project_a', PLACE, altered), `part ${part}`).rejects.toThrow(/does not open/)
  }
  // A shortened tag must not be easier to guess.
  const short = [
    ...parts.slice(0, 4),
    Buffer.from(parts[4] as string, 'base64url')
      .subarray(0, 4)
      .toString('base64url'),
  ].join('.')
  await expect(vault.open('project_a', PLACE, short)).rejects.toThrow('Not a sealed value')
})

test.each(['', 'plain text', 'v2.dk.a.b.c', 'v1.', 'v1.dk'])('refuses %j, which is no sealed value', async (text) => {
  await expect(vault.open('project_a', PLACE, text)).rejects.toMatchObject({ name: 'VaultError' })
})

test('no message of its own holds the value', async () => {
  const sealed = await vault.seal('project_a', PLACE, SECRET)
  const error: Error = await vault.open('project_b', PLACE, sealed).catch((thrown) => thrown)

  expect(`${error.message} ${error.cause}`).not.toContain(sealed.split('.')[3])
  expect(error.message).not.toContain(SECRET)
})

test('names the master key that is missing', async () => {
  await expect(vaultWith(ring('mk_other')).currentKeyId('project_a')).rejects.toThrow(
    /encrypted with master key "mk_1", which is not in the keyring/,
  )
})

test('a key of the right name and wrong bytes is refused', async () => {
  masters.set('mk_1', randomBytes(32))

  await expect(vaultWith(ring('mk_1')).currentKeyId('project_a')).rejects.toThrow(
    /mk_1" of the keyring is not the one this data was encrypted with/,
  )
})

test('says that a project without a data key was deleted', async () => {
  await expect(vault.seal('project_gone', PLACE, SECRET)).rejects.toThrow(
    /project_gone has no data key: it was deleted/,
  )
})

describe('after another process added a data key', () => {
  test('seals with the newest and opens with any', async () => {
    const old = await vault.seal('project_a', PLACE, SECRET)
    const added = await vaultOfAnotherProcess().addDataKey('project_a')
    pendingChanges.push({ kind: 'data_key', id: added.id })

    const sealed = await vault.seal('project_a', PLACE, SECRET)

    expect(sealedWith(sealed)).toBe(added.id)
    expect(await vault.open('project_a', PLACE, old)).toBe(SECRET)
  })

  test('opens what that process sealed, even before it was told', async () => {
    await vault.seal('project_a', PLACE, SECRET)
    const other = vaultOfAnotherProcess()
    await other.addDataKey('project_a')

    expect(await vault.open('project_a', PLACE, await other.seal('project_a', PLACE, SECRET))).toBe(SECRET)
  })

  test('does not keep keys that it was reading when the change came', async () => {
    const fresh = vault
    const reading = fresh.currentKeyId('project_a')
    tell({ kind: 'data_key', id: 'dk_of_another_process' })
    await reading
    const before = lists

    await fresh.currentKeyId('project_a')
    await fresh.currentKeyId('project_a')

    expect(lists).toBe(before + 1)
  })

  test('a key made by a process whose clock is behind is the newest all the same', async () => {
    for (const row of rows) row.createdAt += 3_600_000

    const { id } = await vault.addDataKey('project_a')

    expect(await vault.currentKeyId('project_a')).toBe(id)
  })

  function vaultOfAnotherProcess(): Vault {
    const mine = tell
    const other = vaultWith(ring('mk_1'))
    tell = mine
    return other
  }
})
