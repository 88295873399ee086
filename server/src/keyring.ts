import { createSecretKey, randomBytes } from 'node:crypto'
import {
  chmodSync,
  closeSync,
  existsSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  statSync,
  unlinkSync,
  utimesSync,
  writeSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { ConfigError } from './config.ts'
import type { Keyring, MasterKey } from './core/vault.ts'

/** Adding a key takes milliseconds: a lock this old (ms) was left behind. */
const LOCK_MS = 60_000

/** Where the file keyring lies in a data folder. */
export function keyringPath(dataDir: string): string {
  return join(dataDir, 'master.key')
}

/** A keyring that was given whole, from the environment. The first key is the newest. */
export function keyringOf(keys: readonly { id: string; key: Buffer }[]): Keyring {
  const ring = keys.map(({ id, key }) => ({ id, key: createSecretKey(key) }))
  return {
    current: () => ring[0] as MasterKey,
    find: (id) => ring.find((one) => one.id === id),
  }
}

/**
 * The keyring file of a data folder: `{ "keys": [{ "id", "key" (base64), "created_at" }] }`, newest first, mode 0600.
 * Made when it is missing and `mayCreate`; processes starting together agree on one. Throws ConfigError.
 */
export function fileKeyring(
  dataDir: string,
  options: { mayCreate: boolean },
): Keyring & { created: boolean; path: string } {
  const path = keyringPath(dataDir)
  let created = false
  if (!existsSync(path)) {
    if (!options.mayCreate) {
      throw new ConfigError(
        `The data is encrypted, but its master key file ${path} is missing. Put it back from the backup, or give the key as MASTER_KEYS.`,
      )
    }
    created = createOnce(path, fileText([newEntry()]))
  }
  let ring = readRing(path)
  return {
    path,
    created,
    current: () => ring[0] as MasterKey,
    find(id) {
      const known = ring.find((one) => one.id === id)
      if (known) return known
      // Another process may have rotated since.
      ring = readRing(path)
      return ring.find((one) => one.id === id)
    },
  }
}

/**
 * Adds a newest master key to the file. Whoever reads the ring next seals with it. Answers its id. Throws ConfigError
 * when another process is adding one at this moment.
 */
export function addMasterKey(dataDir: string): string {
  const path = keyringPath(dataDir)
  return underLock(`${path}.lock`, () => {
    const entry = newEntry()
    const text = fileText([entry, ...readEntries(path)])
    const temporary = temporaryPath(path)
    writeDurably(temporary, text)
    renameSync(temporary, path)
    syncFolderOf(path)
    return entry.id
  })
}

/** Of two that read the file and write it back, the second would drop the key of the first, and what it sealed. */
function underLock<T>(lock: string, work: () => T): T {
  try {
    closeSync(openSync(lock, 'wx', 0o600))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    const since = statSync(lock, { throwIfNoEntry: false })?.mtimeMs ?? Date.now()
    if (Date.now() - since < LOCK_MS)
      throw new ConfigError(`Another process is adding a master key at this moment (${lock}). Try again in a minute.`)
    // Whoever made it was stopped in the middle of a few milliseconds.
    utimesSync(lock, new Date(), new Date())
  }
  try {
    return work()
  } finally {
    unlinkSync(lock)
  }
}

interface Entry {
  id: string
  key: string
  created_at: string
}

function newEntry(): Entry {
  return {
    id: `mk_${randomBytes(4).toString('hex')}`,
    key: randomBytes(32).toString('base64'),
    created_at: new Date().toISOString(),
  }
}

function fileText(keys: readonly Entry[]): string {
  return `${JSON.stringify({ about: 'Patchbay master keys, newest first. Without them the stored credentials cannot be read: back this file up.', keys }, null, 2)}\n`
}

/** Whether this call made the file: of several processes one does. */
function createOnce(path: string, text: string): boolean {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  const temporary = temporaryPath(path)
  writeDurably(temporary, text)
  try {
    linkSync(temporary, path)
    syncFolderOf(path)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  } finally {
    unlinkSync(temporary)
  }
}

function temporaryPath(path: string): string {
  return `${path}.${process.pid}.${randomBytes(4).toString('hex')}.new`
}

/** So that the file is found by its name after a power cut; folders cannot be synced everywhere. */
function syncFolderOf(path: string): void {
  if (process.platform === 'win32') return
  const folder = openSync(dirname(path), 'r')
  try {
    fsyncSync(folder)
  } finally {
    closeSync(folder)
  }
}

function writeDurably(path: string, text: string): void {
  const file = openSync(path, 'wx', 0o600)
  try {
    writeSync(file, text)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}

function readRing(path: string): MasterKey[] {
  return readEntries(path).map(({ id, key }) => ({ id, key: createSecretKey(Buffer.from(key, 'base64')) }))
}

function readEntries(path: string): Entry[] {
  let text: string
  try {
    // A key others can read is closed to them; the owner cannot have meant that.
    if (process.platform !== 'win32' && (statSync(path).mode & 0o077) !== 0) chmodSync(path, 0o600)
    text = readFileSync(path, 'utf8')
  } catch (error) {
    throw new ConfigError(`The master key file ${path} cannot be read (${(error as NodeJS.ErrnoException).code}).`)
  }
  try {
    const { keys } = JSON.parse(text) as { keys: Entry[] }
    if (keys.length > 0 && keys.every(({ id, key }) => id && Buffer.from(key, 'base64').length === 32)) return keys
  } catch {
    // Told below with the same sentence as a file of another shape.
  }
  throw new ConfigError(`The master key file ${path} is damaged. Put it back from the backup.`)
}
