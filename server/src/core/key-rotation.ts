import type { Storage } from './storage.ts'
import { type Keyring, type Place, rewrappedDataKey, sealedWith, type Vault, VaultError } from './vault.ts'

/** A data key no value is sealed with is kept this long, for flows and caches that started under it. */
const RETIRE_AFTER_MS = 60 * 60_000
const PAGE = 200

export interface RotationReport {
  projects: number
  /** Values sealed anew. */
  resealed: number
  /** Data keys moved under the newest master key. */
  rewrapped: number
  /** Data keys removed, being empty for an hour. */
  retired: number
  /** Values that do not open (damaged, or their master key is missing). They stay as they are, and so do their keys. */
  unreadable: number
}

/**
 * Brings every value of a project under a data key made under the newest master key. Safe beside a serving gateway
 * and beside itself (each value is swapped only if it is still what was read), and resumable: it only does what is
 * left to do.
 */
export async function rotateProject(
  projectId: string,
  { storage, vault, keyring, now }: { storage: Storage; vault: Vault; keyring: Keyring; now: () => number },
): Promise<Omit<RotationReport, 'projects'>> {
  const master = keyring.current().id
  const [newest] = await storage.dataKeys.list(projectId)
  if (!newest || sealedWith(newest.wrapped) !== master) await vault.addDataKey(projectId)
  const target = (await storage.dataKeys.list(projectId))[0]?.id

  let resealed = 0
  let unreadable = 0
  const reseal = async (place: Place, sealed: string, swap: (from: string, to: string) => Promise<boolean>) => {
    let plaintext: string
    try {
      if (sealedWith(sealed) === target) return
      plaintext = await vault.open(projectId, place, sealed)
    } catch (error) {
      if (!(error instanceof VaultError)) throw error
      // One damaged value must not keep all others from being brought under the new key.
      unreadable++
      return
    }
    if (await swap(sealed, await vault.seal(projectId, place, plaintext))) resealed++
  }

  for (const app of await storage.oauthApps.list(projectId)) {
    if (!app.clientSecret) continue
    await reseal({ table: 'oauth_app', row: app.id, column: 'client_secret' }, app.clientSecret, (from, to) =>
      storage.oauthApps.reseal(app.id, from, to),
    )
  }
  for (let after: string | null = null; ; ) {
    const page = await storage.connections.listSealed(projectId, after, PAGE)
    // Side by side, so that storage can make many of them durable at once.
    await Promise.all(
      page.map(({ id, credential }) =>
        reseal({ table: 'connection', row: id, column: 'credential' }, credential, (from, to) =>
          storage.connections.reseal(id, from, to),
        ),
      ),
    )
    after = page.at(-1)?.id ?? null
    if (page.length < PAGE) break
  }

  let rewrapped = 0
  let retired = 0
  const keys = await storage.dataKeys.list(projectId)
  const supersededAt = keys[0]?.createdAt ?? 0
  for (const key of keys) {
    if (key.id === target) continue
    if (now() - supersededAt > RETIRE_AFTER_MS && resealed === 0 && unreadable === 0 && keys[0]?.id === target) {
      await storage.dataKeys.remove(key.id)
      retired++
    } else if (sealedWith(key.wrapped) !== master) {
      if (await storage.dataKeys.rewrap(key.id, key.wrapped, rewrappedDataKey(keyring, key))) rewrapped++
    }
  }
  return { resealed, rewrapped, retired, unreadable }
}

/** `rotateProject` for every project. */
export async function rotateKeys(deps: {
  storage: Storage
  vault: Vault
  keyring: Keyring
  now: () => number
  onProject?: (projectId: string, report: Omit<RotationReport, 'projects'>) => void
}): Promise<RotationReport> {
  const total: RotationReport = { projects: 0, resealed: 0, rewrapped: 0, retired: 0, unreadable: 0 }
  for (const project of await deps.storage.projects.list()) {
    const done = await rotateProject(project.id, deps)
    deps.onProject?.(project.id, done)
    total.projects++
    total.resealed += done.resealed
    total.rewrapped += done.rewrapped
    total.retired += done.retired
    total.unreadable += done.unreadable
  }
  return total
}
