import type { Config } from '../config.ts'
import { DEFAULT_PROJECT, newApiKey } from '../core/admin.ts'
import { firstStart } from '../core/first-start.ts'
import { createVault } from '../core/vault.ts'
import { keyringFor } from '../main.ts'
import { openStorage } from '../storage/open.ts'

/** Makes another admin key of the default project and prints it. Whoever can run this holds the data folder anyway. */
export async function adminKey(config: Config): Promise<void> {
  const storage = await openStorage({ databaseUrl: config.databaseUrl, dataDir: config.dataDir })
  try {
    const { keyring } = await keyringFor(config, storage)
    const made = await firstStart({ storage, vault: createVault(keyring, storage), now: Date.now })
    if (made.adminKey) {
      console.log(made.adminKey)
      return
    }
    const { apiKey, secret } = newApiKey(
      { projectId: DEFAULT_PROJECT, name: 'Made on the command line', role: 'admin' },
      Date.now(),
    )
    await storage.apiKeys.create(apiKey)
    console.log(secret)
  } finally {
    await storage.close()
  }
}
