import { rotateProject } from './key-rotation.ts'
import type { Storage } from './storage.ts'
import type { Keyring, Vault } from './vault.ts'

const EVERY_MS = 10 * 60_000
/** Flows last ten minutes; their rows are kept an hour, so that a late callback gets the right explanation. */
const KEEP_FLOWS_MS = 60 * 60_000

/** Removes what has ended, and finishes key rotations. Every process may run it. */
export function createMaintenance(options: {
  storage: Storage
  vault: Vault
  keyring: Keyring
  now: () => number
  /** Days events are kept; undefined: for ever. */
  eventDays: number | undefined
  onTrouble: (error: unknown) => void
}): { start(): void; runOnce(): Promise<void>; stop(): Promise<void> } {
  const { storage, now } = options
  let timer: NodeJS.Timeout | undefined
  let running: Promise<void> | undefined

  async function run(): Promise<void> {
    const ended = now() - KEEP_FLOWS_MS
    await storage.authorizations.removeExpired(ended)
    await storage.connectLinks.removeExpired(ended)
    await storage.connections.removePending(ended)
    await storage.sessions.removeExpired(now())
    for (const { id } of await storage.projects.list()) {
      // One project whose keys do not open must not keep the others from being cleaned.
      await ofProject(id).catch(options.onTrouble)
    }
  }

  async function ofProject(id: string): Promise<void> {
    if (options.eventDays !== undefined) await storage.events.removeOlder(id, now() - options.eventDays * 86_400_000)
    if ((await storage.dataKeys.list(id)).length > 1) await rotateProject(id, options)
  }

  function runOnce(): Promise<void> {
    running ??= run().finally(() => {
      running = undefined
    })
    return running
  }

  return {
    runOnce,
    start() {
      timer = setInterval(() => void runOnce().catch(options.onTrouble), EVERY_MS)
    },
    async stop() {
      clearInterval(timer)
      await running?.catch(() => {})
    },
  }
}
