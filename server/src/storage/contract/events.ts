import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Event } from '../../core/events.ts'
import type { EventFilter, Storage } from '../../core/storage.ts'
import type { Place } from './place.ts'
import { AT, eventsOf, sampleEvent, storedProject } from './samples.ts'

export function eventsContract(makePlace: () => Promise<Place>): void {
  describe('events', () => {
    let place: Place
    let storage: Storage
    beforeAll(async () => {
      place = await makePlace()
      storage = await place.open()
    })
    afterAll(() => place?.remove())

    test('events come back as they were appended, newest first, to their project only', async () => {
      const [projectId, other] = [await storedProject(storage), await storedProject(storage)]
      const [full, bare] = [
        sampleEvent(projectId, { outcome: 'error', code: 'timeout', message: 'Too slow.' }),
        sampleEvent(projectId, {
          type: 'project.updated',
          userId: null,
          connectorId: null,
          connectionId: null,
          tool: null,
          durationMs: null,
          requestId: null,
          details: null,
        }),
      ]
      await storage.events.append([full, bare, sampleEvent(other)])
      await storage.events.append([])

      expect(await storage.events.list(projectId, { limit: 10 })).toEqual([bare, full])
    })

    test('an event tells of refused input even if it holds what a database cannot store', async () => {
      const projectId = await storedProject(storage)
      const event = sampleEvent(projectId, {
        tool: 'A\0B',
        userId: '\0',
        message: 'x\0',
        details: { said: '\0\ud800' },
      })

      await storage.events.append([event])

      expect(await storage.events.list(projectId, { limit: 1 })).toEqual([
        { ...event, tool: 'A\uFFFDB', userId: '\uFFFD', message: 'x\uFFFD' },
      ])
    })

    test('sending events again after an answer that never came stores them once', async () => {
      const projectId = await storedProject(storage)
      const events = [sampleEvent(projectId), sampleEvent(projectId)]

      await storage.events.append(events)
      await storage.events.append([...events, sampleEvent(projectId)])

      expect(await eventsOf(storage, projectId)).toHaveLength(3)
    })

    test('a large group is stored whole, paged without gaps and streamed oldest first', async () => {
      const projectId = await storedProject(storage)
      const events = Array.from({ length: 1_234 }, (_, n) => sampleEvent(projectId, { at: AT + n }))
      await storage.events.append(events)

      const paged: Event[] = []
      for (let cursor: string | undefined; ; ) {
        const page = await storage.events.list(projectId, { limit: 400, ...(cursor && { cursor }) })
        if (page.length === 0) break
        paged.push(...page)
        cursor = page.at(-1)?.id
      }
      const streamed = await Array.fromAsync(storage.events.stream(projectId, {}))

      expect(streamed).toEqual(events)
      expect(paged).toEqual(events.toReversed())
    })

    test('every filter narrows lists and streams alike', async () => {
      const projectId = await storedProject(storage)
      const match = sampleEvent(projectId, {
        at: AT + 50,
        type: 'tool.refused',
        outcome: 'refused',
        userId: 'bob',
        connectorId: 'slack',
        connectionId: 'conn-2',
        tool: 'SLACK_SEND',
        requestId: 'req-2',
      })
      await storage.events.append([sampleEvent(projectId, { at: AT }), match, sampleEvent(projectId, { at: AT + 100 })])
      const filters: EventFilter[] = [
        { userId: 'bob' },
        { connectorId: 'slack' },
        { connectionId: 'conn-2' },
        { tool: 'SLACK_SEND' },
        { types: ['tool.refused', 'project.deleted'] },
        { outcome: 'refused' },
        { requestId: 'req-2' },
        { from: AT + 50, to: AT + 50 },
        { userId: 'bob', types: ['tool.refused'], from: AT + 1, to: AT + 99, outcome: 'refused' },
      ]

      for (const filter of filters) {
        expect(await storage.events.list(projectId, { ...filter, limit: 10 })).toEqual([match])
        expect(await Array.fromAsync(storage.events.stream(projectId, filter))).toEqual([match])
      }
      expect(await storage.events.list(projectId, { types: [], limit: 10 })).toHaveLength(3)
      expect(await storage.events.list(projectId, { tool: 'SLACK_SEND', userId: 'ann', limit: 10 })).toEqual([])
    })

    test('old events are removed, in one project only', async () => {
      const [projectId, other] = [await storedProject(storage), await storedProject(storage)]
      const old = Array.from({ length: 2_500 }, () => sampleEvent(projectId, { at: AT }))
      const young = sampleEvent(projectId, { at: AT + 1 })
      await storage.events.append([...old, young, sampleEvent(other, { at: AT })])

      expect(await storage.events.removeOlder(projectId, AT + 1)).toBe(2_500)

      expect(await eventsOf(storage, projectId)).toEqual([young.id])
      expect(await eventsOf(storage, other)).toHaveLength(1)
    })
  })
}
