/**
 * Requests being answered. A client of 2026-07-28 cancels by closing the stream; older ones post
 * `notifications/cancelled` beside it, which names the request by its JSON-RPC id. Those ids are counted per client,
 * so the key also holds the session id given to that client, and its instance.
 */
export interface Running {
  /** `key`: see `runningKey`; null for a request that cannot be named. */
  begin(key: string | null): { signal: AbortSignal; abort: () => void; end: () => void }
  cancel(key: string): void
  /** Aborts everything and resolves when all of it has ended. */
  stop(): Promise<void>
}

export function runningKey(instanceId: string, sessionId: string, id: string | number): string {
  return JSON.stringify([instanceId, sessionId, id])
}

export function createRunning(): Running {
  const all = new Set<AbortController>()
  const named = new Map<string, AbortController>()
  let idle: (() => void) | undefined
  let stopped = false

  return {
    begin(key) {
      const controller = new AbortController()
      all.add(controller)
      if (stopped) controller.abort()
      if (key !== null) named.set(key, controller)
      return {
        signal: controller.signal,
        abort: () => controller.abort(),
        end: () => {
          all.delete(controller)
          if (key !== null && named.get(key) === controller) named.delete(key)
          if (all.size === 0) idle?.()
        },
      }
    },
    cancel: (key) => named.get(key)?.abort(),
    stop: () => {
      stopped = true
      for (const controller of all) controller.abort()
      return all.size === 0 ? Promise.resolve() : new Promise((resolve) => (idle = resolve))
    },
  }
}
