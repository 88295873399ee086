import type { Service } from '../../core/connector.ts'
import { asPatchbayError, type ErrorBody, errorBody, PatchbayError } from '../../core/errors.ts'

/** Requests to Gmail under way at once for one tool call; its limit is per user and second. */
const AT_ONCE = 8

/** What could not be had of one item, in its place. */
export interface Missed {
  id: string
  error: Pick<ErrorBody, 'code' | 'message' | 'retryable'>
}

/** These end the whole call: every other item would fail alike. */
const FATAL = new Set(['needs_reauth', 'missing_scope', 'cancelled', 'shutting_down', 'internal'])

/**
 * Asks for every id, a few at a time, and keeps their order. An id that fails stands in the list with its error, so
 * that one deleted message does not cost the other ninety-nine; when nothing at all succeeds, the first error is thrown.
 */
export async function each<Found>(
  service: Service,
  ids: readonly string[],
  fetchOne: (id: string) => Promise<Found>,
): Promise<(Found | Missed)[]> {
  const found: (Found | Missed)[] = new Array(ids.length)
  const failures: PatchbayError[] = []
  let fatal: PatchbayError | undefined
  let next = 0
  const worker = async () => {
    while (next < ids.length && !fatal) {
      const index = next++
      const id = ids[index] as string
      try {
        if (service.signal.aborted) throw new PatchbayError('cancelled', 'The caller went away.')
        found[index] = await fetchOne(id)
      } catch (thrown) {
        const error = asPatchbayError(thrown)
        if (FATAL.has(error.code)) fatal ??= error
        failures.push(error)
        const { code, message, retryable } = errorBody(error)
        found[index] = { id, error: { code, message, retryable } }
      }
    }
  }
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, ids.length) }, worker))
  if (fatal) throw fatal
  if (failures.length === ids.length && failures[0]) throw failures[0]
  return found
}
