import { createCipheriv, createDecipheriv, createSecretKey, type KeyObject, randomBytes } from 'node:crypto'
import { newId } from './secrets.ts'
import type { DataKey, DataKeys, Storage } from './storage.ts'

/** 32 bytes that wrap data keys; lives outside the database (a file, the environment, a KMS). */
export interface MasterKey {
  id: string
  key: KeyObject
}

export interface Keyring {
  /** The newest key: wraps what is written from now on. */
  current(): MasterKey
  /** Any key of the ring; looks again at its source before saying that there is none. */
  find(id: string): MasterKey | undefined
}

/** Where a sealed value stands. Bound into it, so that a ciphertext copied to another row or project does not open. */
export interface Place {
  table: 'connection' | 'oauth_app' | 'authorization'
  row: string
  column: 'credential' | 'client_secret' | 'code_verifier'
}

export interface Vault {
  /** Makes the first, or a newer, data key of a project. Throws `conflict` when the id that is asked for exists. */
  addDataKey(projectId: string, id?: string): Promise<DataKey>
  /** `v1.<dataKeyId>.<iv>.<ciphertext>.<tag>`, AES-256-GCM under the project's newest data key. */
  seal(projectId: string, place: Place, plaintext: string): Promise<string>
  /** Throws VaultError when the value was altered, moved, or its key is gone. */
  open(projectId: string, place: Place, sealed: string): Promise<string>
  /** Id of the data key that new values of a project are sealed with. */
  currentKeyId(projectId: string): Promise<string>
}

/** A sealed value that does not open; the message says which of the reasons, never the value. */
export class VaultError extends Error {
  override readonly name = 'VaultError'
}

interface ProjectKeys {
  current: string
  byId: Map<string, KeyObject>
}

/** Projects whose unwrapped data keys are held at once. */
const CACHED_PROJECTS = 1000

export function createVault(
  keyring: Keyring,
  storage: Pick<Storage, 'onChange' | 'catchUp'> & { dataKeys: DataKeys },
): Vault {
  const cache = new Map<string, ProjectKeys>()
  /** Raised with each change, so that keys that were being read when it came are not kept. */
  let changes = 0
  storage.onChange((change) => {
    if (change.kind !== 'data_key' && change.kind !== 'project' && change.kind !== 'everything') return
    changes++
    cache.clear()
  })

  async function keysOf(projectId: string): Promise<ProjectKeys> {
    // What another process rotated must be known before sealing: under a key that is being retired a value would be lost.
    storage.catchUp()
    const cached = cache.get(projectId)
    if (cached) return cached
    const before = changes
    const rows = await storage.dataKeys.list(projectId)
    const newest = rows[0]
    if (!newest) throw new VaultError(`Project ${projectId} has no data key: it was deleted, or never made`)
    const keys: ProjectKeys = {
      current: newest.id,
      byId: new Map(rows.map((row) => [row.id, unwrapDataKey(keyring, row)])),
    }
    if (changes !== before) return keys
    if (cache.size >= CACHED_PROJECTS) cache.delete(cache.keys().next().value as string)
    cache.set(projectId, keys)
    return keys
  }

  return {
    async addDataKey(projectId, id = newId('dk_')) {
      const [newest] = await storage.dataKeys.list(projectId)
      const master = keyring.current()
      const wrapped = encrypt(master.id, master.key, wrappingContext(projectId, id), randomBytes(32))
      // Later than every other, also where the clock of the process that made one is ahead of ours.
      const row: DataKey = { id, projectId, wrapped, createdAt: Math.max(Date.now(), (newest?.createdAt ?? 0) + 1) }
      await storage.dataKeys.create(row)
      cache.delete(projectId)
      return row
    },

    async seal(projectId, place, plaintext) {
      const keys = await keysOf(projectId)
      const key = keys.byId.get(keys.current) as KeyObject
      return encrypt(keys.current, key, context(projectId, place), Buffer.from(plaintext))
    },

    async open(projectId, place, sealed) {
      const keyId = sealedWith(sealed)
      let key = (await keysOf(projectId)).byId.get(keyId)
      if (!key) {
        cache.delete(projectId)
        key = (await keysOf(projectId)).byId.get(keyId)
      }
      if (!key) throw new VaultError(`The data key ${keyId} of project ${projectId} is gone`)
      return decrypt(key, context(projectId, place), sealed).toString()
    },

    async currentKeyId(projectId) {
      return (await keysOf(projectId)).current
    },
  }
}

/** Id of the key a value was sealed or wrapped with. */
export function sealedWith(sealed: string): string {
  const [version, keyId] = sealed.split('.', 2)
  if (version !== 'v1' || !keyId) throw new VaultError('Not a sealed value of this version')
  return keyId
}

/** A data key under the ring's newest master key instead of the one it is under. */
export function rewrappedDataKey(keyring: Keyring, row: DataKey): string {
  const master = keyring.current()
  return encrypt(master.id, master.key, wrappingContext(row.projectId, row.id), unwrapDataKey(keyring, row).export())
}

function unwrapDataKey(keyring: Keyring, row: DataKey): KeyObject {
  const masterId = sealedWith(row.wrapped)
  const master = keyring.find(masterId)
  if (!master) {
    throw new VaultError(
      `The data was encrypted with master key "${masterId}", which is not in the keyring. Restore that key (it is in the backup of the master key file, or in MASTER_KEYS).`,
    )
  }
  try {
    return createSecretKey(decrypt(master.key, wrappingContext(row.projectId, row.id), row.wrapped))
  } catch {
    throw new VaultError(
      `The master key "${masterId}" of the keyring is not the one this data was encrypted with, or the data was altered. Restore the right key (it is in the backup of the master key file, or in MASTER_KEYS).`,
    )
  }
}

function wrappingContext(projectId: string, dataKeyId: string): Buffer {
  return Buffer.from(JSON.stringify(['v1', projectId, 'data_key', dataKeyId, 'wrapped']))
}

function context(projectId: string, place: Place): Buffer {
  return Buffer.from(JSON.stringify(['v1', projectId, place.table, place.row, place.column]))
}

function encrypt(keyId: string, key: KeyObject, aad: Buffer, plaintext: Uint8Array): string {
  const iv = randomBytes(12)
  const cipher = createCipheriv('aes-256-gcm', key, iv)
  cipher.setAAD(aad)
  const ciphertext = Buffer.concat([cipher.update(plaintext), cipher.final()])
  const text = (part: Buffer) => part.toString('base64url')
  return `v1.${keyId}.${text(iv)}.${text(ciphertext)}.${text(cipher.getAuthTag())}`
}

function decrypt(key: KeyObject, aad: Buffer, sealed: string): Buffer {
  const parts = sealed.split('.')
  if (parts.length !== 5) throw new VaultError('Not a sealed value of this version')
  const [, , iv, ciphertext, tag] = parts.map((part) => Buffer.from(part, 'base64url')) as Buffer[]
  if (iv?.length !== 12 || tag?.length !== 16 || !ciphertext) throw new VaultError('Not a sealed value of this version')
  try {
    const decipher = createDecipheriv('aes-256-gcm', key, iv, { authTagLength: 16 })
    decipher.setAAD(aad)
    decipher.setAuthTag(tag)
    return Buffer.concat([decipher.update(ciphertext), decipher.final()])
  } catch {
    throw new VaultError(
      'A sealed value does not open: it was altered, moved from another row or project, or its key is another one',
    )
  }
}
