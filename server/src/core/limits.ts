import { PatchbayError } from './errors.ts'

/** Calls under way at once, by key; a key with none takes no memory. */
export interface InFlight {
  /** Runs the call, or throws `rate_limited` when the key has its fill. */
  run<T>(key: string, limit: number, what: string, call: () => Promise<T>): Promise<T>
}

export function createInFlight(): InFlight {
  const counts = new Map<string, number>()
  return {
    async run(key, limit, what, call) {
      const count = counts.get(key) ?? 0
      if (count >= limit) {
        throw new PatchbayError('rate_limited', `${what} already has ${limit} calls under way. Wait for some to end.`, {
          retryAfter: 1,
        })
      }
      counts.set(key, count + 1)
      try {
        return await call()
      } finally {
        const left = (counts.get(key) as number) - 1
        if (left > 0) counts.set(key, left)
        else counts.delete(key)
      }
    },
  }
}
