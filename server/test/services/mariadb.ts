import { join } from 'node:path'
import { findCommand, versionOf } from './command.ts'
import { freePort } from './free-port.ts'
import { given, missing, type StartService } from './service.ts'
import { unprivileged } from './unprivileged.ts'
import { openWorkshop } from './workshop.ts'

const VARIABLE = 'TEST_MARIADB_URL'

/** MariaDB with an empty data folder of its own; `root` has no password while the tests run. */
export const startMariadb: StartService = async () => {
  const known = given('MariaDB', VARIABLE)
  if (known) return known
  const install = findCommand(['mariadb-install-db'], ['/opt/homebrew/bin'])
  const mariadb = findCommand(['mariadbd', 'mysqld'], ['/opt/homebrew/bin'])
  if (!install || !mariadb) return missing('MariaDB', 'mariadb-server', VARIABLE)

  const workshop = openWorkshop('mariadb', await unprivileged(['mysql']))
  try {
    const [port, version] = await Promise.all([freePort(), versionOf(mariadb)])
    const data = join(workshop.folder, 'data')
    await workshop.run(install, [
      ...['--no-defaults', `--datadir=${data}`, '--skip-test-db', '--auth-root-authentication-method=normal'],
    ])
    await workshop.serve(
      mariadb,
      [
        ...['--no-defaults', `--datadir=${data}`, `--tmpdir=${workshop.folder}`, '--bind-address=127.0.0.1'],
        ...[
          `--port=${port}`,
          `--socket=${join(workshop.folder, 's.sock')}`,
          `--pid-file=${join(workshop.folder, 'pid')}`,
        ],
      ],
      /ready for connections/,
    )
    return {
      line: `MariaDB ${version} on port ${port}`,
      env: { [VARIABLE]: `mysql://root@127.0.0.1:${port}/mysql` },
      stop: () => workshop.close('SIGTERM'),
    }
  } catch (error) {
    await workshop.close('SIGKILL')
    throw error
  }
}
