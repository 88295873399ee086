import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { newId } from '../../core/secrets.ts'
import type { Session, Storage } from '../../core/storage.ts'
import type { Place } from './place.ts'
import { AT, eventsOf, sampleApiKey, sampleEvent, sampleInstance, storedProject } from './samples.ts'

export function callersContract(makePlace: () => Promise<Place>): void {
  describe('API keys, instances and sessions', () => {
    let place: Place
    let storage: Storage
    beforeAll(async () => {
      place = await makePlace()
      storage = await place.open()
    })
    afterAll(() => place?.remove())

    test('an API key is found by its hash, also when it has ended, and listed newest first', async () => {
      const projectId = await storedProject(storage)
      const [old, newest] = [
        sampleApiKey(projectId, { expiresAt: 5, role: 'user', userId: 'ann', policy: {} }),
        sampleApiKey(projectId, { createdAt: AT + 1 }),
      ]
      for (const each of [old, newest]) await storage.apiKeys.create(each)

      expect(await storage.apiKeys.findByHash(old.hash)).toEqual(old)
      expect(await storage.apiKeys.findByHash('unknown')).toBeUndefined()
      expect(await storage.apiKeys.list(projectId)).toEqual([newest, old])
      expect(await storage.apiKeys.list(await storedProject(storage))).toEqual([])
      await expect(storage.apiKeys.create(sampleApiKey(projectId, { hash: old.hash }))).rejects.toMatchObject({
        code: 'conflict',
      })
    })

    test('an API key is revoked once, in its own project only', async () => {
      const [projectId, other] = [await storedProject(storage), await storedProject(storage)]
      const key = sampleApiKey(projectId)
      await storage.apiKeys.create(key)

      expect(await storage.apiKeys.revoke(other, key.id, AT + 1)).toBe(false)
      expect(await storage.apiKeys.revoke(projectId, key.id, AT + 2)).toBe(true)
      expect(await storage.apiKeys.revoke(projectId, key.id, AT + 3)).toBe(false)
      expect(await storage.apiKeys.findByHash(key.hash)).toEqual({ ...key, revokedAt: AT + 2 })
    })

    test('the last use only moves forward', async () => {
      const projectId = await storedProject(storage)
      const [key, instance] = [sampleApiKey(projectId), sampleInstance(projectId)]
      await storage.apiKeys.create(key)
      await storage.instances.create(instance, [])

      for (const at of [AT + 5, AT + 3]) {
        await storage.apiKeys.touch(key.id, at)
        await storage.instances.touch(instance.id, at)
      }

      expect((await storage.apiKeys.findByHash(key.hash))?.lastUsedAt).toBe(AT + 5)
      expect((await storage.instances.getForToken(instance.id))?.lastUsedAt).toBe(AT + 5)
    })

    test('an instance belongs to one user: others neither see, change nor remove it', async () => {
      const [projectId, other] = [await storedProject(storage), await storedProject(storage)]
      const instance = sampleInstance(projectId)
      await storage.instances.create(instance, [])

      for (const [project, user] of [
        [projectId, 'bob'],
        [other, 'ann'],
      ] as const) {
        expect(await storage.instances.get(project, user, instance.id)).toBeUndefined()
        expect(await storage.instances.list(project, user)).toEqual([])
        expect(
          await storage.instances.update(project, user, instance.id, { name: 'x' }, [sampleEvent(project)]),
        ).toBeUndefined()
        expect(await storage.instances.remove(project, user, instance.id, [sampleEvent(project)])).toBe(false)
        expect(await eventsOf(storage, project)).toEqual([])
      }
      expect(await storage.instances.get(projectId, 'ann', instance.id)).toEqual(instance)
      expect(await storage.instances.getForToken(instance.id)).toEqual(instance)
    })

    test('instances are listed newest first, for one user or the whole project', async () => {
      const projectId = await storedProject(storage)
      const [old, newest] = [sampleInstance(projectId), sampleInstance(projectId, { userId: 'bob', createdAt: AT + 1 })]
      for (const each of [old, newest]) await storage.instances.create(each, [])

      expect(await storage.instances.list(projectId)).toEqual([newest, old])
      expect(await storage.instances.list(projectId, 'ann')).toEqual([old])
    })

    test('an instance changes what is named, with its events, and goes with its own', async () => {
      const projectId = await storedProject(storage)
      const instance = sampleInstance(projectId)
      const [made, changed, gone] = [sampleEvent(projectId), sampleEvent(projectId), sampleEvent(projectId)]
      await storage.instances.create(instance, [made])

      const updated = await storage.instances.update(
        projectId,
        'ann',
        instance.id,
        { name: 'Desk', policy: {}, tokenHash: 'h2', tokenPrefix: 'p2' },
        [changed],
      )

      expect(updated).toEqual({
        ...instance,
        name: 'Desk',
        policy: {},
        tokenHash: 'h2',
        tokenPrefix: 'p2',
        updatedAt: expect.any(Number),
      })
      expect(await storage.instances.remove(projectId, 'ann', instance.id, [gone])).toBe(true)
      expect(await storage.instances.getForToken(instance.id)).toBeUndefined()
      expect(await eventsOf(storage, projectId)).toEqual([gone.id, changed.id, made.id])
    })

    async function signedIn(members: Partial<Session> = {}, keyMembers = {}) {
      const projectId = await storedProject(storage)
      const key = sampleApiKey(projectId, keyMembers)
      await storage.apiKeys.create(key)
      const session = {
        hash: newId('session_'),
        apiKeyId: key.id,
        projectId,
        createdAt: AT,
        expiresAt: AT + 1_000,
        ...members,
      }
      const event = sampleEvent(projectId)
      await storage.sessions.create(session, [event])
      return { projectId, key, session, event }
    }

    test('a session is found until it is removed; ending it twice leaves one event', async () => {
      const { projectId, session, event } = await signedIn()
      const ended = sampleEvent(projectId)

      expect(await storage.sessions.find(session.hash)).toEqual(session)
      expect(await storage.sessions.find('unknown')).toBeUndefined()
      await storage.sessions.remove(session.hash, [ended])
      await storage.sessions.remove(session.hash, [sampleEvent(projectId)])

      expect(await storage.sessions.find(session.hash)).toBeUndefined()
      expect(await eventsOf(storage, projectId)).toEqual([ended.id, event.id])
    })

    test('a session ends with its API key, by revocation or by time', async () => {
      const revoked = await signedIn()
      await storage.apiKeys.revoke(revoked.projectId, revoked.key.id, AT)
      const expired = await signedIn({}, { expiresAt: Date.now() - 60_000 })
      const lasting = await signedIn({}, { expiresAt: Date.now() + 600_000 })

      expect(await storage.sessions.find(revoked.session.hash)).toBeUndefined()
      expect(await storage.sessions.find(expired.session.hash)).toBeUndefined()
      expect(await storage.sessions.find(lasting.session.hash)).toEqual(lasting.session)
    })

    test('sessions are removed once they have expired', async () => {
      const [old, live] = [await signedIn({ expiresAt: 10 }), await signedIn()]

      expect(await storage.sessions.removeExpired(11)).toBe(1)
      expect(await storage.sessions.find(old.session.hash)).toBeUndefined()
      expect(await storage.sessions.find(live.session.hash)).toBeDefined()
    })
  })
}
