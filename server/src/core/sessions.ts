import { PatchbayError } from './errors.ts'
import { by, type EventLog } from './event-log.ts'
import type { Callers, SessionsOf } from './gateway.ts'
import { newSecret, secretHash } from './secrets.ts'
import type { Storage } from './storage.ts'

const LIFE_MS = 12 * 60 * 60_000

/** People signed in to the web pages with an admin key. */
export function createSessions(options: {
  storage: Storage
  callers: Callers
  events: EventLog
  now: () => number
}): SessionsOf {
  const { storage, events, now } = options
  return {
    async create(apiKey, requestId) {
      const caller = await options.callers.fromApiKey(apiKey.trim())
      if (caller.role !== 'admin') {
        const refused = new PatchbayError(
          'forbidden',
          'Only an admin key can sign in here. This is a key for programs.',
        )
        await events.write([
          events.event({
            ...by(caller, requestId),
            type: 'sign_in.refused',
            outcome: 'refused',
            code: refused.code,
            message: refused.message,
          }),
        ])
        throw refused
      }
      const cookie = newSecret('')
      const expiresAt = now() + LIFE_MS
      await storage.sessions.create(
        {
          hash: secretHash(cookie),
          apiKeyId: caller.actor.id,
          projectId: caller.projectId,
          createdAt: now(),
          expiresAt,
        },
        [events.event({ ...by(caller, requestId), type: 'session.created' })],
      )
      return { cookie, caller: { ...caller, actor: { type: 'session', id: caller.actor.id } }, expiresAt }
    },

    async end(cookie, requestId) {
      const caller = await options.callers.fromSession(cookie)
      await storage.sessions.remove(
        secretHash(cookie),
        caller ? [events.event({ ...by(caller, requestId), type: 'session.ended' })] : [],
      )
    },
  }
}
