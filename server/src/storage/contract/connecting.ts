import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Storage } from '../../core/storage.ts'
import type { Place } from './place.ts'
import { AT, eventsOf, sampleAuthorization, sampleConnectLink, sampleEvent, storedProject } from './samples.ts'

export function connectingContract(makePlace: () => Promise<Place>): void {
  describe('authorizations and connect links', () => {
    let place: Place
    let storage: Storage
    beforeAll(async () => {
      place = await makePlace()
      storage = await place.open()
    })
    afterAll(() => place?.remove())

    test('the first browser to open an authorization is bound to it, another is refused', async () => {
      const projectId = await storedProject(storage)
      const flow = sampleAuthorization(projectId)
      const event = sampleEvent(projectId)
      await storage.authorizations.create(flow, [event])

      expect(await storage.authorizations.open(flow.startHash, 'browser-1', AT)).toEqual({
        ...flow,
        browserHash: 'browser-1',
      })
      expect(await storage.authorizations.open(flow.startHash, 'browser-1', AT)).toMatchObject({
        browserHash: 'browser-1',
      })
      expect(await storage.authorizations.open(flow.startHash, 'browser-2', AT)).toBeUndefined()
      expect(await storage.authorizations.open('unknown', 'browser-1', AT)).toBeUndefined()
      expect(await eventsOf(storage, projectId)).toEqual([event.id])
    })

    test('of many browsers that open it at once exactly one is bound', async () => {
      const flow = sampleAuthorization(await storedProject(storage))
      await storage.authorizations.create(flow, [])

      const opened = await Promise.all(
        Array.from({ length: 20 }, (_, n) => storage.authorizations.open(flow.startHash, `browser-${n}`, AT)),
      )

      expect(opened.filter((each) => each !== undefined)).toHaveLength(1)
    })

    test('an expired or used authorization does not open', async () => {
      const projectId = await storedProject(storage)
      const [expired, used] = [sampleAuthorization(projectId, { expiresAt: AT }), sampleAuthorization(projectId)]
      for (const each of [expired, used]) await storage.authorizations.create(each, [])
      await storage.authorizations.consume(used.stateHash, AT)

      expect(await storage.authorizations.open(expired.startHash, 'browser', AT)).toBeUndefined()
      expect(await storage.authorizations.open(used.startHash, 'browser', AT)).toBeUndefined()
    })

    test('a state is consumed once, by one of many callbacks at once; the others see when', async () => {
      const flow = sampleAuthorization(await storedProject(storage))
      await storage.authorizations.create(flow, [])

      const consumed = await Promise.all(
        Array.from({ length: 50 }, (_, n) => storage.authorizations.consume(flow.stateHash, AT + n)),
      )

      const fresh = consumed.filter((each) => each?.fresh)
      expect(fresh).toHaveLength(1)
      const usedAt = fresh[0]?.authorization.usedAt as number
      expect(usedAt).toBeGreaterThanOrEqual(AT)
      for (const each of consumed) expect(each?.authorization).toEqual({ ...flow, usedAt })
      expect(await storage.authorizations.consume('unknown', AT)).toBeUndefined()
    })

    test('authorizations are removed once they have expired', async () => {
      const projectId = await storedProject(storage)
      const [old, live] = [sampleAuthorization(projectId, { expiresAt: 10 }), sampleAuthorization(projectId)]
      for (const each of [old, live]) await storage.authorizations.create(each, [])

      expect(await storage.authorizations.removeExpired(11)).toBe(1)
      expect(await storage.authorizations.consume(old.stateHash, AT)).toBeUndefined()
      expect(await storage.authorizations.consume(live.stateHash, AT)).toBeDefined()
    })

    test('a connect link is bound to the browser that opens it first', async () => {
      const projectId = await storedProject(storage)
      const link = sampleConnectLink(projectId)
      const event = sampleEvent(projectId)
      await storage.connectLinks.create(link, [event])

      const opened = await Promise.all(
        Array.from({ length: 20 }, (_, n) => storage.connectLinks.open(link.hash, `browser-${n}`, AT)),
      )

      const bound = opened.filter((each) => each !== undefined)
      expect(bound).toHaveLength(1)
      expect(bound[0]).toEqual({ ...link, browserHash: expect.stringMatching(/^browser-/) })
      expect(await storage.connectLinks.open(link.hash, bound[0]?.browserHash as string, AT)).toEqual(bound[0])
      expect(await storage.connectLinks.open('unknown', 'browser', AT)).toBeUndefined()
      expect(await eventsOf(storage, projectId)).toEqual([event.id])
    })

    test('an expired or used connect link is answered, so that its page can say which, but binds nobody', async () => {
      const projectId = await storedProject(storage)
      const [expired, used] = [sampleConnectLink(projectId, { expiresAt: AT }), sampleConnectLink(projectId)]
      for (const each of [expired, used]) await storage.connectLinks.create(each, [])
      await storage.connectLinks.use(used.id, AT)

      expect(await storage.connectLinks.open(expired.hash, 'browser', AT)).toEqual(expired)
      expect(await storage.connectLinks.open(used.hash, 'browser', AT)).toEqual({ ...used, usedAt: AT })
    })

    test('a connect link is used once, however many try', async () => {
      const link = sampleConnectLink(await storedProject(storage))
      await storage.connectLinks.create(link, [])

      const used = await Promise.all(Array.from({ length: 20 }, () => storage.connectLinks.use(link.id, AT)))

      expect(used.filter((each) => each)).toHaveLength(1)
      expect(await storage.connectLinks.use('unknown', AT)).toBe(false)
    })

    test('connect links are removed once they have expired', async () => {
      const projectId = await storedProject(storage)
      const [old, live] = [sampleConnectLink(projectId, { expiresAt: 10 }), sampleConnectLink(projectId)]
      for (const each of [old, live]) await storage.connectLinks.create(each, [])

      expect(await storage.connectLinks.removeExpired(11)).toBe(1)
      expect(await storage.connectLinks.open(old.hash, 'browser', AT)).toBeUndefined()
      expect(await storage.connectLinks.open(live.hash, 'browser', AT)).toBeDefined()
    })
  })
}
