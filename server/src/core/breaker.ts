import {
  type CircuitBreakerPolicy,
  CircuitState,
  ConsecutiveBreaker,
  circuitBreaker,
  handleWhen,
  isBrokenCircuitError,
} from 'cockatiel'
import { PatchbayError } from './errors.ts'

/** Failures in a row before an address is left alone, and for how long (ms). */
const FAILURES = 8
const REST_MS = 10_000
/** Addresses remembered at once. */
const MAX_KEYS = 2_000

export interface Breaker {
  /** Seconds until this address is tried again, or undefined when calls may go. */
  restingFor(key: string): number | undefined
  /**
   * Runs a call and counts it; only failures that `counts` says are the address's own open it.
   * Throws `provider_unavailable` without calling while the address rests.
   */
  run<T>(key: string, call: () => Promise<T>): Promise<T>
}

/** One circuit per key (a token endpoint, a service for one user): a service that is down is not hammered. */
export function createBreaker(counts: (error: unknown) => boolean, now: () => number = Date.now): Breaker {
  const circuits = new Map<string, { policy: CircuitBreakerPolicy; openUntil: number }>()

  function circuitFor(key: string) {
    const known = circuits.get(key)
    if (known) return known
    if (circuits.size >= MAX_KEYS) circuits.delete(circuits.keys().next().value as string)
    const policy = circuitBreaker(handleWhen(counts), {
      halfOpenAfter: REST_MS,
      breaker: new ConsecutiveBreaker(FAILURES),
    })
    const circuit = { policy, openUntil: 0 }
    policy.onBreak(() => {
      circuit.openUntil = now() + REST_MS
    })
    circuits.set(key, circuit)
    return circuit
  }

  return {
    restingFor(key) {
      const circuit = circuits.get(key)
      if (!circuit || circuit.policy.state !== CircuitState.Open) return undefined
      const left = circuit.openUntil - now()
      return left > 0 ? Math.ceil(left / 1000) : undefined
    },
    async run(key, call) {
      const circuit = circuitFor(key)
      try {
        return await circuit.policy.execute(call)
      } catch (error) {
        if (!isBrokenCircuitError(error)) throw error
        const retryAfter = Math.max(1, Math.ceil((circuit.openUntil - now()) / 1000))
        throw new PatchbayError(
          'provider_unavailable',
          `The service failed several times in a row; the gateway waits ${retryAfter} s before it asks again.`,
          { retryAfter },
        )
      }
    },
  }
}
