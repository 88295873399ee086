import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { newId } from '../../core/secrets.ts'
import type { DataKey, OAuthApp, Storage } from '../../core/storage.ts'
import type { Place } from './place.ts'
import {
  AT,
  sampleApiKey,
  sampleAuthorization,
  sampleConnection,
  sampleConnectLink,
  sampleEvent,
  sampleInstance,
  sampleProject,
  storedProject,
} from './samples.ts'

export function projectsContract(makePlace: () => Promise<Place>): void {
  describe('projects, data keys and OAuth apps', () => {
    let place: Place
    let storage: Storage
    beforeAll(async () => {
      place = await makePlace()
      storage = await place.open()
    })
    afterAll(() => place?.remove())

    const dataKey = (projectId: string, members: Partial<DataKey> = {}): DataKey => ({
      id: newId('dk_'),
      projectId,
      wrapped: 'v1.master.iv.text.tag',
      createdAt: AT,
      ...members,
    })
    const oauthApp = (projectId: string, members: Partial<OAuthApp> = {}): OAuthApp => ({
      id: newId('app_'),
      projectId,
      providerId: 'google',
      clientId: 'client',
      clientSecret: 'v1.sealed',
      createdAt: AT,
      updatedAt: AT,
      ...members,
    })

    test('the storage answers a ping', async () => {
      await expect(storage.ping()).resolves.toBeUndefined()
    })

    test('a project comes back as it was stored', async () => {
      const project = sampleProject()
      await storage.projects.create(project)

      expect(await storage.projects.get(project.id)).toEqual(project)
      expect(await storage.projects.get('nobody')).toBeUndefined()
      expect(await storage.projects.list()).toContainEqual(project)
    })

    test('an update changes what it names and nothing else', async () => {
      const project = sampleProject()
      await storage.projects.create(project)

      expect(await storage.projects.update(project.id, { name: 'New' })).toEqual({ ...project, name: 'New' })
      expect(await storage.projects.update(project.id, { redirectUrls: [] })).toMatchObject({
        name: 'New',
        redirectUrls: [],
      })
      expect(await storage.projects.update(project.id, {})).toMatchObject({ name: 'New' })
      expect(await storage.projects.update('nobody', { name: 'New' })).toBeUndefined()
    })

    test('an id that is taken is a conflict, and what belongs to no project is refused', async () => {
      const id = await storedProject(storage)

      await expect(storage.projects.create(sampleProject({ id }))).rejects.toMatchObject({ code: 'conflict' })
      await expect(storage.dataKeys.create(dataKey('nobody'))).rejects.toMatchObject({ code: 'not_found' })
    })

    test('a NUL character is refused as input and leaves the storage working', async () => {
      const refused = storage.projects.create(sampleProject({ name: 'a\0b' }))

      await expect(refused).rejects.toMatchObject({ code: 'invalid_input' })
      await expect(storage.projects.get('a\0b')).rejects.toMatchObject({ code: 'invalid_input' })
      await expect(storedProject(storage)).resolves.toBeTypeOf('string')
    })

    test('removing a project removes everything in it and nothing of another', async () => {
      const [gone, kept] = [await storedProject(storage), await storedProject(storage)]
      const key = sampleApiKey(gone)
      const [link, flow] = [sampleConnectLink(gone), sampleAuthorization(gone)]
      const [connection, other] = [sampleConnection(gone), sampleConnection(kept)]
      const instance = sampleInstance(gone)
      await storage.dataKeys.create(dataKey(gone))
      await storage.apiKeys.create(key)
      await storage.oauthApps.save(oauthApp(gone))
      await storage.connections.create(connection, [sampleEvent(gone)])
      await storage.connections.create(other, [sampleEvent(kept)])
      await storage.authorizations.create(flow, [])
      await storage.connectLinks.create(link, [])
      await storage.instances.create(instance, [])
      await storage.sessions.create(
        { hash: `s-${gone}`, apiKeyId: key.id, projectId: gone, createdAt: AT, expiresAt: AT + 1 },
        [],
      )

      expect(await storage.projects.remove(gone)).toBe(true)

      expect(await storage.projects.get(gone)).toBeUndefined()
      expect(await storage.dataKeys.list(gone)).toEqual([])
      expect(await storage.apiKeys.findByHash(key.hash)).toBeUndefined()
      expect(await storage.oauthApps.list(gone)).toEqual([])
      expect(await storage.connections.getAsGateway(connection.id)).toBeUndefined()
      expect(await storage.authorizations.consume(flow.stateHash, AT)).toBeUndefined()
      expect(await storage.connectLinks.open(link.hash, 'browser', AT)).toBeUndefined()
      expect(await storage.instances.getForToken(instance.id)).toBeUndefined()
      expect(await storage.sessions.find(`s-${gone}`)).toBeUndefined()
      expect(await storage.events.list(gone, { limit: 10 })).toEqual([])
      expect(await storage.connections.getAsGateway(other.id)).toBeDefined()
      expect(await storage.events.list(kept, { limit: 10 })).toHaveLength(1)
      expect(await storage.projects.remove(gone)).toBe(false)
    })

    test('data keys are listed newest first and swapped only from the value they have', async () => {
      const projectId = await storedProject(storage)
      const [old, newest] = [dataKey(projectId), dataKey(projectId, { createdAt: AT + 1 })]
      await storage.dataKeys.create(newest)
      await storage.dataKeys.create(old)

      expect(await storage.dataKeys.list(projectId)).toEqual([newest, old])
      expect(await storage.dataKeys.rewrap(old.id, 'something else', 'v2')).toBe(false)
      expect(await storage.dataKeys.rewrap(old.id, old.wrapped, 'v2')).toBe(true)
      expect((await storage.dataKeys.list(projectId))[1]?.wrapped).toBe('v2')
      await storage.dataKeys.remove(old.id)
      expect(await storage.dataKeys.list(projectId)).toEqual([newest])
    })

    test('a project has one OAuth app per provider: saving again replaces it and keeps its id', async () => {
      const projectId = await storedProject(storage)
      const other = await storedProject(storage)
      const first = oauthApp(projectId)
      expect(await storage.oauthApps.save(first)).toEqual(first)

      const saved = await storage.oauthApps.save(
        oauthApp(projectId, { clientId: 'new', clientSecret: null, createdAt: AT + 5, updatedAt: AT + 5 }),
      )

      expect(saved).toEqual({ ...first, clientId: 'new', clientSecret: null, updatedAt: AT + 5 })
      expect(await storage.oauthApps.get(projectId, 'google')).toEqual(saved)
      expect(await storage.oauthApps.getById(projectId, first.id)).toEqual(saved)
      expect(await storage.oauthApps.list(projectId)).toEqual([saved])
      expect(await storage.oauthApps.getById(other, first.id)).toBeUndefined()
      expect(await storage.oauthApps.get(other, 'google')).toBeUndefined()
      expect(await storage.oauthApps.remove(other, 'google')).toBe(false)
      expect(await storage.oauthApps.remove(projectId, 'google')).toBe(true)
      expect(await storage.oauthApps.list(projectId)).toEqual([])
    })

    test('a sealed client secret is swapped only from the value it has', async () => {
      const projectId = await storedProject(storage)
      const app = await storage.oauthApps.save(oauthApp(projectId))

      expect(await storage.oauthApps.reseal(app.id, 'something else', 'v2')).toBe(false)
      expect(await storage.oauthApps.reseal(app.id, 'v1.sealed', 'v2')).toBe(true)
      expect((await storage.oauthApps.get(projectId, 'google'))?.clientSecret).toBe('v2')
    })
  })
}
