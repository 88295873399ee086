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
  /** Waits for refreshes under way: a pair that a provider has handed out must be stored. */
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
    for (let page = await due(); page.length > 0 && !stopped; page = await due()) {
      const outcomes = await refreshPage(page)
      refreshed += outcomes.filter((outcome) => outcome === 'refreshed').length
      // All of this page is held by other processes or resting: come back later rather than spin.
      if (outcomes.every((outcome) => outcome === 'busy')) break
    }
    return refreshed
  }

  const due = () => options.storage.connections.dueForRefresh(options.now(), PAGE)

  async function refreshPage(page: Connection[]): Promise<('refreshed' | 'failed' | 'busy')[]> {
    const byEndpoint = new Map<string, Connection[]>()
    for (const connection of shuffled(page)) {
      const endpoint = options.catalogue.connector(connection.connectorId)?.provider.tokenUrl
      if (!endpoint) continue
      const group = byEndpoint.get(endpoint)
      if (group) group.push(connection)
      else byEndpoint.set(endpoint, [connection])
    }
    const outcomes: ('refreshed' | 'failed' | 'busy')[] = []
    const worker = async (queue: Connection[]) => {
      for (let next = queue.pop(); next && !stopped; next = queue.pop())
        outcomes.push(await options.credentials.refreshIfFree(next))
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
