import { realpathSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { findCommand, versionOf } from './command.ts'
import { freePort } from './free-port.ts'
import { given, missing, type StartService } from './service.ts'
import { unprivileged } from './unprivileged.ts'
import { openWorkshop } from './workshop.ts'

const VARIABLE = 'TEST_POSTGRES_URL'

/** PostgreSQL with an empty cluster of its own; anyone on this machine may connect while the tests run. */
export const startPostgres: StartService = async () => {
  const known = given('PostgreSQL', VARIABLE)
  if (known) return known
  const initdb = findCommand(['initdb'], ['/usr/lib/postgresql/*/bin', '/opt/homebrew/opt/postgresql*/bin'])
  if (!initdb) return missing('PostgreSQL', 'postgresql', VARIABLE)
  // Of the same version: the server lies beside its initdb, links followed.
  const postgres = join(dirname(realpathSync(initdb)), 'postgres')

  const workshop = openWorkshop('postgres', await unprivileged(['postgres']))
  try {
    const [port, version] = await Promise.all([freePort(), versionOf(postgres)])
    const data = join(workshop.folder, 'data')
    await workshop.run(initdb, ['-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync'])
    await workshop.serve(
      postgres,
      [
        ...['-D', data, '-p', String(port), '-k', workshop.folder],
        // Nothing here outlives the run, so nothing has to reach the disk.
        ...['-c', 'listen_addresses=127.0.0.1', '-c', 'max_connections=300', '-c', 'fsync=off'],
      ],
      /database system is ready to accept connections/,
    )
    return {
      line: `PostgreSQL ${version} on port ${port}`,
      env: { [VARIABLE]: `postgres://postgres@127.0.0.1:${port}/postgres` },
      // Its "fast" shutdown: ends the sessions that are left.
      stop: () => workshop.close('SIGINT'),
    }
  } catch (error) {
    await workshop.close('SIGQUIT')
    throw error
  }
}
