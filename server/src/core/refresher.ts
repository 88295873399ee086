import type { Connection } from './connection.ts'
import type { Credentials } from './credentials.ts'
import type { Catalogue } from './gateway.ts'
import type { Storage } from './storage.ts'

/** How often due connections are looked for, ms. */
const LOOK_EVERY_MS = 5_000
const PAGE = 1_000
/** Refreshes under way at once at one token endpoint. */
const PER_ENDPOINT = 64

export interface Refresher {
  start(): void
  /** Refreshes all that is due now; resolves with how many were refreshed here. */
  runOnce(): Promise<number>
  /** Waits for every refresh under way, also those that uses asked for: what a provider has handed out must be stored. */
  stop(): Promise<void>
}

/** Refreshes connections ahead of their expiry, in every process; the row lease lets each be done once. */
export function createRefresher(options: {
  storage: Pick<Storage, 'connections'>
  credentials: Credentials
  catalogue: Catalogue
  now: () => number
  onTrouble: (error: unknown) => void
}): Refresher {
  let timer: NodeJS.Timeout | undefined
  let running: Promise<number> | undefined
  let stopped = false

  async function runDue(): Promise<number> {
    let refreshed = 0
    // No row is tried twice in one run: one whose failure could not even be stored would be due again at once.
    const tried = new Set<string>()
    // Connectors that got nowhere (their provider rests, or they are gone): their rows stay due, and enough of them
    // would fill every page and hold up everyone else's.
    const stuck = new Set<string>()
    while (!stopped) {
      const page = await options.storage.connections.dueForRefresh(options.now(), PAGE, [...stuck])
      if (page.length === 0) break
      const fresh = page.filter((connection) => !tried.has(connection.id))
      for (const { id } of fresh) tried.add(id)
      const outcomes = await refreshPage(fresh)
      refreshed += outcomes.filter(({ outcome }) => outcome === 'refreshed').length
      const moving = new Set(outcomes.flatMap(({ connectorId, outcome }) => (outcome === 'busy' ? [] : connectorId)))
      for (const { connectorId } of page) if (!moving.has(connectorId)) stuck.add(connectorId)
    }
    return refreshed
  }

  async function refreshPage(page: Connection[]) {
    const byEndpoint = new Map<string, Connection[]>()
    for (const connection of shuffled(page)) {
      const endpoint = options.catalogue.connector(connection.connectorId)?.provider.tokenUrl
      if (!endpoint) continue
      const group = byEndpoint.get(endpoint)
      if (group) group.push(connection)
      else byEndpoint.set(endpoint, [connection])
    }
    const outcomes: { connectorId: string; outcome: 'refreshed' | 'failed' | 'busy' }[] = []
    const worker = async (queue: Connection[]) => {
      for (let next = queue.pop(); next && !stopped; next = queue.pop()) {
        const { connectorId } = next
        outcomes.push({ connectorId, outcome: await options.credentials.refreshIfFree(next) })
      }
    }
    await Promise.all(
      [...byEndpoint.values()].flatMap((queue) => Array.from({ length: PER_ENDPOINT }, () => worker(queue))),
    )
    return outcomes
  }

  function runOnce(): Promise<number> {
    running ??= runDue().finally(() => {
      running = undefined
    })
    return running
  }

  function look(): void {
    timer = setTimeout(
      async () => {
        await runOnce().catch(options.onTrouble)
        if (!stopped) look()
      },
      LOOK_EVERY_MS * (0.8 + Math.random() * 0.4),
    )
  }

  return {
    start: look,
    runOnce,
    async stop() {
      stopped = true
      clearTimeout(timer)
      await running?.catch(() => {})
      await options.credentials.settled()
    },
  }
}

/** So that several processes looking at the same page begin at different ends of it. */
function shuffled<T>(items: readonly T[]): T[] {
  const copy = [...items]
  for (let i = copy.length - 1; i > 0; i--) {
    const j = Math.floor(Math.random() * (i + 1))
    ;[copy[i], copy[j]] = [copy[j] as T, copy[i] as T]
  }
  return copy
}
