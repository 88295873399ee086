import type { Config } from '../config.ts'
import { DEFAULT_PROJECT } from '../core/admin.ts'
import { createVault } from '../core/vault.ts'
import { catalogueOf, keyringFor } from '../main.ts'
import { openStorage } from '../storage/open.ts'

/** Checks each part in turn and says what to mend; the exit code is 1 when something has to be. */
export async function doctor(config: Config): Promise<void> {
  let broken = false
  const check = async <T>(what: string, run: () => Promise<T>, say: (found: T) => string): Promise<T | undefined> => {
    try {
      const found = await run()
      console.log(`ok    ${what}: ${say(found)}`)
      return found
    } catch (error) {
      broken = true
      console.log(`FAIL  ${what}: ${(error as Error).message}`)
      return undefined
    }
  }

  await check(
    'runtime',
    async () => process.version,
    (version) => `Node ${version}`,
  )
  const publicUrl = new URL(config.publicUrl)
  const local = /^(localhost|127\.0\.0\.1|\[::1\])$/.test(publicUrl.hostname)
  if (publicUrl.protocol === 'http:' && !local)
    console.log(`warn  PUBLIC_URL: ${config.publicUrl} is not https; providers and browsers will refuse parts of it`)
  const catalogue = await check(
    'connectors',
    () => catalogueOf(config),
    (found) =>
      found
        .connectors()
        .map((one) => one.name)
        .join(', '),
  )
  const storage = await check(
    'storage',
    () => openStorage({ databaseUrl: config.databaseUrl, dataDir: config.dataDir }),
    (found) => (found.engine === 'sqlite' ? `SQLite in ${config.dataDir}` : 'PostgreSQL'),
  )
  if (storage) {
    await check(
      'keyring',
      async () => {
        const { keyring } = await keyringFor(config, storage)
        if (await storage.projects.get(DEFAULT_PROJECT))
          await createVault(keyring, storage).currentKeyId(DEFAULT_PROJECT)
        return keyring.current().id
      },
      (id) => `opens the data (newest master key ${id})`,
    )
    const stored = await storage.oauthApps.list(DEFAULT_PROJECT)
    const providers = catalogue?.providers() ?? []
    const fromEnvironment = config.oauthApps(providers.map((provider) => provider.id))
    for (const provider of providers) {
      const source = stored.some((app) => app.providerId === provider.id)
        ? 'entered on the page'
        : fromEnvironment[provider.id]
          ? 'from the environment'
          : undefined
      console.log(
        source
          ? `ok    OAuth app ${provider.name}: ${source}`
          : `info  OAuth app ${provider.name}: none yet; redirect address ${config.publicUrl}/oauth/callback/${provider.id}`,
      )
    }
    await storage.close()
  }
  process.exitCode = broken ? 1 : 0
}
