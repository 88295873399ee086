import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createEventLog, type EventLog } from './event-log.ts'
import type { Event } from './events.ts'

let stored: Event[]
let groups: number[]
/** Set: storage refuses with it. */
let refusal: Error | undefined
let troubles: number[]
let log: EventLog

beforeEach(() => {
  vi.useFakeTimers()
  stored = []
  groups = []
  refusal = undefined
  troubles = []
  log = createEventLog({
    storage: {
      events: {
        async append(events: readonly Event[]) {
          if (refusal) throw refusal
          // As storage does: what is there already is left alone.
          const known = new Set(stored.map(({ id }) => id))
          stored.push(...events.filter(({ id }) => !known.has(id)))
          groups.push(events.length)
        },
      } as never,
    },
    now: Date.now,
    onTrouble: (_error, waiting) => troubles.push(waiting),
  })
})
afterEach(() => vi.useRealTimers())

const called = () => log.event({ projectId: 'default', type: 'tool.called', actor: { type: 'api_key', id: 'key' } })

test('tool calls of a moment are stored in one group, within 100 ms', async () => {
  const events = Array.from({ length: 40 }, called)
  for (const event of events) expect(log.record(event)).toBeUndefined()
  expect(groups).toEqual([])

  await vi.advanceTimersByTimeAsync(99)

  expect(groups).toEqual([40])
  expect(stored).toEqual(events)
})

test('a large group does not wait', async () => {
  for (let n = 0; n < 500; n++) void log.record(called())

  await vi.advanceTimersByTimeAsync(0)

  expect(groups).toEqual([500])
})

test('what comes while a group is written follows soon, in order', async () => {
  const first = called()
  void log.record(first)
  await vi.advanceTimersByTimeAsync(50)
  const later = Array.from({ length: 3 }, called)
  for (const event of later) void log.record(event)

  await vi.advanceTimersByTimeAsync(50)

  expect(stored).toEqual([first, ...later])
})

test('an event that must be stored with the answer is stored when `write` resolves, or the failure is told', async () => {
  const event = called()
  await log.write([event])
  expect(stored).toEqual([event])

  refusal = new Error('disk full')
  await expect(log.write([called()])).rejects.toThrow('disk full')
})

test('shutting down stores what waits', async () => {
  for (let n = 0; n < 1_200; n++) void log.record(called())

  await log.flush()

  expect(stored).toHaveLength(1_200)
  expect(vi.getTimerCount()).toBe(0)
})

test('a storage that is away for a while loses nothing, is asked ever more rarely, and callers are never failed', async () => {
  refusal = new Error('connection refused')
  const events = Array.from({ length: 300 }, called)
  for (const event of events) expect(log.record(event)).toBeUndefined()

  await vi.advanceTimersByTimeAsync(60_000)
  expect(stored).toEqual([])
  expect(troubles.length).toBeGreaterThan(5)
  expect(troubles.length).toBeLessThan(50)

  refusal = undefined
  await vi.advanceTimersByTimeAsync(2_000)
  expect(stored).toEqual(events)
})

test('memory is bounded: beyond 5,000 unwritten events a caller waits until there is room', async () => {
  refusal = new Error('connection refused')
  for (let n = 0; n < 5_000; n++) expect(log.record(called())).toBeUndefined()
  let released = 0
  const held = Array.from({ length: 20 }, () => log.record(called())?.then(() => released++))
  expect(held.every((each) => each instanceof Promise)).toBe(true)
  await vi.advanceTimersByTimeAsync(10_000)
  expect(released).toBe(0)

  refusal = undefined
  await vi.advanceTimersByTimeAsync(3_000)

  expect(released).toBe(20)
  expect(stored).toHaveLength(5_020)
})

test('shutting down while storage is away waits for it, but not for ever', async () => {
  refusal = new Error('connection refused')
  void log.record(called())
  const flushed = log.flush()
  await vi.advanceTimersByTimeAsync(3_000)
  refusal = undefined
  await vi.advanceTimersByTimeAsync(2_000)
  await flushed
  expect(stored).toHaveLength(1)

  refusal = new Error('connection refused')
  void log.record(called())
  const given = expect(log.flush()).rejects.toThrow('connection refused')
  await vi.advanceTimersByTimeAsync(15_000)
  await given
})
