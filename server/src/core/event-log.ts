import type { Actor, Caller } from './caller.ts'
import type { Event, EventType } from './events.ts'
import { newEventId } from './secrets.ts'
import type { Storage } from './storage.ts'

/** Tool-call events wait at most this long for their group. */
const GROUP_MS = 50
/** What came while a group was being written has waited already. */
const NEXT_GROUP_MS = 20
/** A group is written at once when it is this large. */
const GROUP_SIZE = 500
/** Beyond this many unwritten events callers wait until there is room: memory stays bounded when storage is away. */
const MAX_WAITING = 5_000
/** Longest pause between tries while storage refuses. */
const MAX_PAUSE_MS = 2_000
/** How long a shutdown waits for a storage that refuses. */
const FLUSH_MS = 10_000

export interface EventLog {
  /** An event that is committed with something else, or by `write`. */
  event(about: EventInput): Event
  /** Durable when it resolves. */
  write(events: readonly Event[]): Promise<void>
  /** Durable within 100 ms while storage answers. Resolves at once, unless storage has fallen far behind; never rejects. */
  record(event: Event): Promise<void> | undefined
  /** Writes what waits. For shutdown: when storage refuses for longer than 10 s, throws what it said. */
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
  /** Callers held back until there is room. */
  let held: (() => void)[] = []
  let timer: NodeJS.Timeout | undefined
  let writing: Promise<void> | undefined
  let refusals = 0

  /** What was written without our hearing of it is sent again: an event that is there already is left alone. */
  async function writeGroup(): Promise<void> {
    const group = waiting.slice(0, GROUP_SIZE)
    try {
      await options.storage.events.append(group)
    } catch (error) {
      refusals++
      options.onTrouble(error, waiting.length)
      throw error
    }
    refusals = 0
    waiting.splice(0, group.length)
    if (waiting.length > MAX_WAITING) return
    for (const goOn of held) goOn()
    held = []
  }

  /** One group after the other; a refused one stays and is tried again. */
  function startWriting(): Promise<void> {
    clearTimeout(timer)
    timer = undefined
    writing ??= writeGroup().finally(() => {
      writing = undefined
      if (waiting.length > 0) writeIn(refusals > 0 ? pauseMs() : waiting.length < GROUP_SIZE ? NEXT_GROUP_MS : 0)
    })
    return writing
  }

  function writeIn(ms: number): void {
    timer ??= setTimeout(() => void startWriting().catch(() => {}), ms)
  }

  function pauseMs(): number {
    return refusals === 0 ? GROUP_MS : Math.min(GROUP_MS * 2 ** refusals, MAX_PAUSE_MS)
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
      if (!writing) {
        if (waiting.length >= GROUP_SIZE && refusals === 0) startWriting().catch(() => {})
        else writeIn(pauseMs())
      }
      if (waiting.length <= MAX_WAITING) return undefined
      return new Promise((resolve) => held.push(resolve))
    },

    async flush() {
      const giveUpAt = performance.now() + FLUSH_MS
      while (waiting.length > 0) {
        try {
          await startWriting()
        } catch (error) {
          if (performance.now() > giveUpAt) throw error
          await new Promise((resolve) => setTimeout(resolve, pauseMs()))
        }
      }
      clearTimeout(timer)
      timer = undefined
    },
  }
}
