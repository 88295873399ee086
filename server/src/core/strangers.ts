import type { PatchbayError } from './errors.ts'
import type { EventLog } from './event-log.ts'
import type { EventType } from './events.ts'

/** Events a minute; anybody can make these, and the log must not drown in them. */
const PER_MINUTE = 60

/**
 * Refusals of callers who name nothing of any project (a made-up state, an address opened in a second browser). They go
 * into the log of the project that runs the gateway.
 */
export interface Strangers {
  /** Notes the refusal; answers the error, to be thrown or shown. */
  refused(type: EventType, error: PatchbayError, requestId: string | null): PatchbayError
}

export function createStrangers(options: { events: EventLog; projectId: string; now: () => number }): Strangers {
  const { events, projectId, now } = options
  let minute = 0
  let noted = 0
  return {
    refused(type, error, requestId) {
      const current = Math.floor(now() / 60_000)
      if (current !== minute) noted = 0
      minute = current
      if (noted++ < PER_MINUTE) {
        const actor = { type: 'browser', id: 'unknown' } as const
        const { code, message } = error
        void events.record(events.event({ projectId, actor, type, outcome: 'refused', code, message, requestId }))
      }
      return error
    },
  }
}
