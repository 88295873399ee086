import { findCommand, versionOf } from './command.ts'
import { freePort } from './free-port.ts'
import { given, missing, type StartService } from './service.ts'
import { unprivileged } from './unprivileged.ts'
import { openWorkshop } from './workshop.ts'

const VARIABLE = 'TEST_REDIS_URL'

/** Redis that writes nothing to disk. */
export const startRedis: StartService = async () => {
  const known = given('Redis', VARIABLE)
  if (known) return known
  const redis = findCommand(['redis-server'], ['/opt/homebrew/bin'])
  if (!redis) return missing('Redis', 'redis-server', VARIABLE)

  const workshop = openWorkshop('redis', await unprivileged(['redis']))
  try {
    const [port, version] = await Promise.all([freePort(), versionOf(redis)])
    await workshop.serve(
      redis,
      ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', workshop.folder],
      /Ready to accept connections/,
    )
    return {
      line: `Redis ${version} on port ${port}`,
      env: { [VARIABLE]: `redis://127.0.0.1:${port}` },
      stop: () => workshop.close('SIGTERM'),
    }
  } catch (error) {
    await workshop.close('SIGKILL')
    throw error
  }
}
