import { sql } from 'kysely'
import type { Storage } from '../core/storage.ts'
import { apiKeys } from './api-keys.ts'
import { authorizations } from './authorizations.ts'
import { connectLinks } from './connect-links.ts'
import { connections } from './connections.ts'
import { dataKeys } from './data-keys.ts'
import type { Engine } from './engine.ts'
import { events } from './events.ts'
import { instances } from './instances.ts'
import { oauthApps } from './oauth-apps.ts'
import { projects } from './projects.ts'
import { sessions } from './sessions.ts'

export interface StorageOptions {
  /** `postgres://…`; without it everything lies in one SQLite file. */
  databaseUrl?: string | undefined
  /** Folder of the SQLite file; made where it is missing. */
  dataDir: string
  /** Epoch ms; the clock of leases on SQLite. PostgreSQL uses its own. */
  now?: () => number
}

/**
 * Opens the storage and brings its tables up to date.
 * Throws `not_configured` with one sentence saying what to do when it cannot be opened, or is newer than this code.
 */
export async function openStorage(options: StorageOptions): Promise<Storage> {
  return storageOn(await openEngine(options))
}

/** Only the engine in use is loaded. */
async function openEngine({ databaseUrl, dataDir, now = Date.now }: StorageOptions): Promise<Engine> {
  if (databaseUrl) return (await import('./postgres.ts')).openPostgres(databaseUrl)
  return (await import('./sqlite.ts')).openSqlite(dataDir, now)
}

function storageOn(engine: Engine): Storage {
  return {
    engine: engine.name,
    projects: projects(engine),
    dataKeys: dataKeys(engine),
    apiKeys: apiKeys(engine),
    oauthApps: oauthApps(engine),
    connections: connections(engine),
    authorizations: authorizations(engine),
    connectLinks: connectLinks(engine),
    instances: instances(engine),
    sessions: sessions(engine),
    events: events(engine),
    onChange: engine.onChange,
    catchUp: engine.catchUp,
    async ping() {
      await engine.read({ compile: () => sql`select 1`.compile(engine.queries) })
    },
    close: engine.close,
  }
}
