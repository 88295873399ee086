import { CompiledQuery } from 'kysely'
import { PatchbayError } from '../core/errors.ts'
import { type Engine, lock, row, rows, type Unit } from './engine.ts'
import { firstTables } from './migrations/0001-first-tables.ts'
import { type Migration, POSTGRES_TYPES, SQLITE_TYPES } from './migrations/migration.ts'

const MIGRATIONS: readonly Migration[] = [firstTables]

/**
 * Brings the tables up to date, in one unit: of several processes that start together the first does it and the
 * others find it done. Throws `not_configured` when the database was written by a newer Patchbay.
 */
export async function migrate(engine: Engine, migrations: readonly Migration[] = MIGRATIONS): Promise<void> {
  await engine.write(() => missingSteps(engine, migrations))
}

function* missingSteps(engine: Engine, migrations: readonly Migration[]): Unit<void> {
  const types = engine.name === 'sqlite' ? SQLITE_TYPES : POSTGRES_TYPES
  // A large table may take longer than any statement of a running gateway is allowed to.
  if (engine.name === 'postgres') yield* rows(statement('set local statement_timeout = 0'))
  yield* lock('migrate')
  yield* rows(
    statement(
      `create table if not exists schema_version
        (version ${types.int} primary key, name ${types.text} not null, applied_at ${types.int} not null)${types.tableOptions}`,
    ),
  )
  const found = yield* row(
    statement<{ version: number }>('select coalesce(max(version), 0) as version from schema_version'),
  )
  const version = found?.version ?? 0
  const newest = migrations.at(-1)?.version ?? 0
  if (version > newest) {
    throw new PatchbayError(
      'not_configured',
      `The database is at schema version ${version}, but this Patchbay knows versions up to ${newest}: start the newer Patchbay that wrote it, or restore a backup made before that one was started.`,
    )
  }
  for (const migration of migrations) {
    if (migration.version <= version) continue
    for (const text of migration.statements(types)) yield* rows(statement(text))
    yield* rows(
      statement(`insert into schema_version values (${migration.version}, '${migration.name}', ${Date.now()})`),
    )
  }
}

function statement<Row = unknown>(text: string) {
  const query = CompiledQuery.raw(text) as CompiledQuery<Row>
  return { compile: () => query }
}
