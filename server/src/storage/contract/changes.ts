import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Change, Storage } from '../../core/storage.ts'
import type { Place } from './place.ts'
import {
  AT,
  sampleApiKey,
  sampleConnection,
  sampleEvent,
  sampleInstance,
  sampleProject,
  storedProject,
} from './samples.ts'

export function changesContract(makePlace: () => Promise<Place>): void {
  describe('changes', () => {
    let place: Place
    let storage: Storage
    let other: Storage
    beforeAll(async () => {
      place = await makePlace()
      storage = await place.open()
      other = await place.open()
    })
    afterAll(() => place?.remove())

    /** What `listener` is told of, up to the project `last`. */
    function changesUntil(listener: Storage, last: string): Promise<Change[]> {
      const heard: Change[] = []
      return new Promise((resolve) => {
        listener.onChange((change) => {
          heard.push(change)
          if (change.kind === 'project' && change.id === last) resolve(heard)
        })
      })
    }

    /** Every change that `action` makes, as `listener` hears it. */
    async function changesOf(listener: Storage, action: () => Promise<unknown>): Promise<Change[]> {
      listener.catchUp()
      const [first, last] = [sampleProject(), sampleProject()]
      const heard = changesUntil(listener, last.id)
      await storage.projects.create(first)
      await action()
      await storage.projects.create(last)
      // A storage may look once a turn only.
      await new Promise(setImmediate)
      listener.catchUp()
      const all = await heard
      return all.slice(all.findIndex((change) => change.kind === 'project' && change.id === first.id) + 1, -1)
    }

    test('changes of one process reach its own listeners and those of another', async () => {
      const projectId = await storedProject(storage)
      const connection = sampleConnection(projectId, { userId: 'ann:1 "ü"' })
      const owned = { kind: 'connection', id: connection.id, projectId, userId: 'ann:1 "ü"' } as const
      const key = sampleApiKey(projectId)
      const instance = sampleInstance(projectId)
      await storage.apiKeys.create(key)
      await storage.instances.create(instance, [])

      const actions = async () => {
        await storage.connections.create(connection, [])
        await storage.connections.reseal(connection.id, connection.credential as string, 'v2')
        await storage.connections.setStatus(connection.id, 1, 'expiring', null, [])
        await storage.connections.remove(projectId, connection.userId, connection.id, [])
        await storage.apiKeys.revoke(projectId, key.id, AT)
        await storage.instances.update(projectId, 'ann', instance.id, { name: 'x' }, [])
        await storage.dataKeys.create({ id: `dk-${projectId}`, projectId, wrapped: 'w', createdAt: AT })
      }
      const told = changesOf(other, actions)

      expect(await told).toEqual([
        owned,
        owned,
        owned,
        owned,
        { kind: 'api_key', id: key.id },
        { kind: 'instance', id: instance.id },
        { kind: 'data_key', id: `dk-${projectId}` },
      ])
      const connectionAgain = sampleConnection(projectId)
      expect(await changesOf(storage, () => storage.connections.create(connectionAgain, []))).toEqual([
        { kind: 'connection', id: connectionAgain.id, projectId, userId: 'ann' },
      ])
    })

    test('a change has been told here when its write resolves', async () => {
      const projectId = await storedProject(storage)
      const heard: Change[] = []
      storage.onChange((change) => heard.push(change))
      const app = { providerId: 'google', clientId: 'c', clientSecret: null, createdAt: AT, updatedAt: AT }

      await storage.oauthApps.save({ ...app, id: `app-${projectId}`, projectId })

      expect(heard).toContainEqual({ kind: 'oauth_app', id: `app-${projectId}` })
    })

    test('what one process has committed another reads at once', async () => {
      const projectId = await storedProject(storage)
      const connection = sampleConnection(projectId)

      await storage.connections.create(connection, [])

      expect(await other.connections.get(projectId, 'ann', connection.id)).toMatchObject({ id: connection.id })
    })

    test('events, uses, leases and what failed are no changes', async () => {
      const projectId = await storedProject(storage)
      const connection = sampleConnection(projectId)
      const key = sampleApiKey(projectId)
      await storage.connections.create(connection, [])
      await storage.apiKeys.create(key)

      const told = await changesOf(other, async () => {
        await storage.events.append([sampleEvent(projectId)])
        await storage.apiKeys.touch(key.id, AT)
        await storage.connections.beginRefresh(connection.id, 1, 'p', 60_000)
        await storage.connections.commitRefresh(
          connection.id,
          9,
          9,
          { credential: 'x', expiresAt: null, refreshAfter: null, scopes: {} },
          [],
        )
        await storage.connections.create(connection, []).catch(() => {})
      })

      expect(told).toEqual([])
    })

    test('removing a project tells of everything, since what hung on it is gone', async () => {
      const projectId = await storedProject(storage)

      expect(await changesOf(other, () => storage.projects.remove(projectId))).toEqual([
        { kind: 'project', id: projectId },
        { kind: 'everything' },
      ])
    })
  })
}
