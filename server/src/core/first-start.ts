import { DEFAULT_PROJECT, newApiKey } from './admin.ts'
import { PatchbayError } from './errors.ts'
import type { Storage } from './storage.ts'
import type { Vault } from './vault.ts'

/** One id for what a first start makes: of several processes starting together, storage lets one make it. */
const FIRST_KEY = 'key_first'
const FIRST_DATA_KEY = 'dk_first'

/**
 * Makes what every gateway needs: the default project with its data key, and a first admin key. Answers that key
 * when it was made here, so that it can be shown this once. A given admin key is made to work, and never answered.
 * Throws VaultError when the master key is not the one the data was encrypted with.
 */
export async function firstStart(options: {
  storage: Storage
  vault: Vault
  now: () => number
  /** From the environment; at least 20 characters. */
  adminKey?: string | undefined
}): Promise<{ adminKey?: string }> {
  const { storage, vault, now } = options
  if (!(await storage.projects.get(DEFAULT_PROJECT))) {
    await createdHere(
      storage.projects.create({ id: DEFAULT_PROJECT, name: 'Default', redirectUrls: [], createdAt: now() }),
    )
  }
  if ((await storage.dataKeys.list(DEFAULT_PROJECT)).length === 0) {
    await createdHere(vault.addDataKey(DEFAULT_PROJECT, FIRST_DATA_KEY))
  }
  await vault.currentKeyId(DEFAULT_PROJECT)

  if (options.adminKey) {
    const { apiKey } = newApiKey(
      { projectId: DEFAULT_PROJECT, name: 'From the environment', role: 'admin' },
      now(),
      options.adminKey,
    )
    if (!(await storage.apiKeys.findByHash(apiKey.hash))) await createdHere(storage.apiKeys.create(apiKey))
    return {}
  }
  const keys = await storage.apiKeys.list(DEFAULT_PROJECT)
  if (keys.some((key) => key.role === 'admin')) return {}
  const { apiKey, secret } = newApiKey({ projectId: DEFAULT_PROJECT, name: 'First admin key', role: 'admin' }, now())
  return (await createdHere(storage.apiKeys.create({ ...apiKey, id: FIRST_KEY }))) ? { adminKey: secret } : {}
}

/** False when another process starting at the same moment made it. */
async function createdHere(creating: Promise<unknown>): Promise<boolean> {
  try {
    await creating
    return true
  } catch (error) {
    if (error instanceof PatchbayError && error.code === 'conflict') return false
    throw error
  }
}
