import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible'
import { PatchbayError } from '../core/errors.ts'

/** What one caller may take; every member has a generous default. */
export interface ApiLimits {
  /** Largest body of ordinary routes, bytes. */
  bodyBytes: number
  /** Largest body of routes that run tools (attachments travel in them), bytes. */
  toolBodyBytes: number
  /** Largest request head, bytes. */
  headerBytes: number
  /** How long a whole request may take to arrive, milliseconds. */
  requestTimeoutMs: number
  /** Per API key, session or instance. */
  requestsPerSecond: number
  /** Per address, over five minutes. */
  failedSignIns: number
}

export const DEFAULT_LIMITS: ApiLimits = {
  bodyBytes: 256 * 1024,
  // 25 MB is what mail services accept; base64 adds a third.
  toolBodyBytes: 36 * 1024 * 1024,
  headerBytes: 16 * 1024,
  requestTimeoutMs: 60_000,
  requestsPerSecond: 10_000,
  failedSignIns: 60,
}

/** Counts in memory: each replica allows its own share. */
export interface RateLimits {
  /** Throws `rate_limited` when this caller is too fast. */
  request(actorId: string): Promise<void>
  /** Counts a failed sign-in and throws `rate_limited` beyond the limit. */
  failedSignIn(ip: string): Promise<void>
  /** Throws `rate_limited` while this address is beyond the limit, without counting. */
  assertMaySignIn(ip: string): Promise<void>
}

const SIGN_IN_WINDOW_SECONDS = 300

export function rateLimits(limits: ApiLimits): RateLimits {
  const requests = new RateLimiterMemory({ points: limits.requestsPerSecond, duration: 1 })
  const signIns = new RateLimiterMemory({ points: limits.failedSignIns, duration: SIGN_IN_WINDOW_SECONDS })
  return {
    async request(actorId) {
      await requests.consume(actorId).catch(tooMany('This key sends requests faster than its limit allows.'))
    },
    async failedSignIn(ip) {
      await signIns.consume(ip).catch(tooMany('Too many attempts with a wrong key came from this address.'))
    },
    async assertMaySignIn(ip) {
      const seen = await signIns.get(ip)
      if (seen && seen.consumedPoints >= limits.failedSignIns) {
        tooMany('Too many attempts with a wrong key came from this address.')(seen)
      }
    },
  }
}

function tooMany(message: string): (refusal: unknown) => never {
  return (refusal) => {
    if (!(refusal instanceof RateLimiterRes)) throw refusal
    throw new PatchbayError('rate_limited', message, {
      retryAfter: Math.max(1, Math.ceil(refusal.msBeforeNext / 1000)),
    })
  }
}
