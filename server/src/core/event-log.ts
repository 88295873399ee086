import type { Actor, Caller } from './caller.ts'
import type { Event, EventType } from './events.ts'
import { newEventId } from './secrets.ts'
import type { Storage } from './storage.ts'

/** Tool-call events wait at most this long for their group. */
const GROUP_MS = 50
/** A group is written at once when it is this large. */
const GROUP_SIZE = 500
/** Beyond this many unwritten events callers wait for the writing: memory stays bounded when storage is slow. */
const MAX_WAITING = 5_000

export interface EventLog {
  /** An event that is committed with something else, or by `write`. */
  event(about: EventInput): Event
  /** Durable when it resolves. */
  write(events: readonly Event[]): Promise<void>
  /** Durable within 100 ms. Resolves at once, unless storage has fallen far behind. */
  record(event: Event): Promise<void> | undefined
  /** Writes what waits. For shutdown. */
  flush(): Promise<void>
}

export interface EventInput {
  projectId: string
  type: EventType
  actor: Actor
  outcome?: Event['outcome']
  userId?: string | null
  connectorId?: string | null
  connectionId?: string | null
  tool?: string | null
  code?: string | null
  message?: string | null
  durationMs?: number | null
  requestId?: string | null
  details?: Record<string, unknown> | null
}

/** Members every event of a caller's request shares. */
export function by(caller: Caller, requestId: string): Pick<EventInput, 'projectId' | 'actor' | 'requestId'> {
  return { projectId: caller.projectId, actor: caller.actor, requestId }
}

export function createEventLog(options: {
  storage: Pick<Storage, 'events'>
  now: () => number
  /** Storage refused a group; the events stay and are tried again. */
  onTrouble: (error: unknown, waiting: number) => void
}): EventLog {
  const waiting: Event[] = []
  let timer: NodeJS.Timeout | undefined
  let writing: Promise<void> | undefined

  async function writeGroup(): Promise<void> {
    timer = undefined
    const group = waiting.slice(0, GROUP_SIZE)
    try {
      await options.storage.events.append(group)
      waiting.splice(0, group.length)
    } catch (error) {
      options.onTrouble(error, waiting.length)
      throw error
    }
  }

  function startWriting(): Promise<void> {
    clearTimeout(timer)
    writing ??= writeGroup().finally(() => {
      writing = undefined
      if (waiting.length > 0) timer = setTimeout(() => void startWriting().catch(() => {}), GROUP_MS)
    })
    return writing
  }

  return {
    event(about) {
      const at = options.now()
      return {
        id: newEventId(at),
        projectId: about.projectId,
        at,
        type: about.type,
        outcome: about.outcome ?? 'ok',
        actor: about.actor,
        userId: about.userId ?? null,
        connectorId: about.connectorId ?? null,
        connectionId: about.connectionId ?? null,
        tool: about.tool ?? null,
        code: about.code ?? null,
        message: about.message ?? null,
        durationMs: about.durationMs ?? null,
        requestId: about.requestId ?? null,
        details: about.details ?? null,
      }
    },

    write: (events) => options.storage.events.append(events),

    record(event) {
      waiting.push(event)
      if (waiting.length >= GROUP_SIZE) {
        const done = startWriting()
        if (waiting.length > MAX_WAITING) return done
        done.catch(() => {})
      } else if (!timer && !writing) {
        timer = setTimeout(() => void startWriting().catch(() => {}), GROUP_MS)
      }
      return undefined
    },

    async flush() {
      while (waiting.length > 0) await startWriting()
      clearTimeout(timer)
      timer = undefined
    },
  }
}
