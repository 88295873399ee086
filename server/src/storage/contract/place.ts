import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import pg from 'pg'
import type { Storage } from '../../core/storage.ts'
import { openStorage, type StorageOptions } from '../open.ts'

/** A database of its own, for one group of tests. */
export interface Place {
  options: StorageOptions
  /** One more storage on it, as another process would open it. */
  open(options?: Pick<StorageOptions, 'now'>): Promise<Storage>
  /** Runs plain SQL behind the storage's back. */
  execute(sql: string): Promise<Record<string, unknown>[]>
  /** Closes what was opened and leaves nothing behind. */
  remove(): Promise<void>
}

export async function sqlitePlace(): Promise<Place> {
  const dataDir = mkdtempSync(join(tmpdir(), 'patchbay-storage-'))
  const options = { dataDir }
  const opened = openedStorages(options)
  return {
    options,
    open: opened.open,
    async execute(sql) {
      const database = new DatabaseSync(join(dataDir, 'patchbay.db'), { timeout: 5_000 })
      try {
        return database.prepare(sql).all()
      } finally {
        database.close()
      }
    },
    async remove() {
      await opened.close()
      rmSync(dataDir, { recursive: true })
    },
  }
}

/** A schema of its own in the database of `serverUrl`. */
export async function postgresPlace(serverUrl: string): Promise<Place> {
  const schema = `test_${randomUUID().replaceAll('-', '')}`
  await onServer(serverUrl, `create schema ${schema}`)
  const url = new URL(serverUrl)
  url.searchParams.set('options', `-c search_path=${schema}`)
  // So that a test can find its own connections on a shared server.
  url.searchParams.set('application_name', schema)
  const options = { databaseUrl: url.href, dataDir: '' }
  const opened = openedStorages(options)
  return {
    options,
    open: opened.open,
    execute: (sql) => onServer(url.href, sql),
    async remove() {
      await opened.close()
      await onServer(serverUrl, `drop schema ${schema} cascade`)
    },
  }
}

async function onServer(url: string, sql: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query(sql)).rows
  } finally {
    await client.end()
  }
}

function openedStorages(options: StorageOptions) {
  const storages: Storage[] = []
  return {
    async open(more: Pick<StorageOptions, 'now'> = {}) {
      const storage = await openStorage({ ...options, ...more })
      storages.push(storage)
      return storage
    },
    async close() {
      for (const storage of storages) await storage.close()
    },
  }
}
