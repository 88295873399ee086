import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Storage } from '../../core/storage.ts'
import type { Place } from './place.ts'
import { AT, eventsOf, pendingConnection, sampleConnection, sampleEvent, storedProject } from './samples.ts'

const GRANTED = {
  label: 'Renamed',
  account: { id: 'acc-9', label: 'ann@work.example' },
  settings: {},
  captured: { realm: '9' },
  scopes: { bot: ['chat'], user: ['search'] },
  credential: 'v1.granted',
  expiresAt: AT + 7_200_000,
  refreshAfter: AT + 7_000_000,
  oauthAppId: 'app-2',
}

export function connectionsContract(makePlace: () => Promise<Place>): void {
  describe('connections', () => {
    let place: Place
    let storage: Storage
    beforeAll(async () => {
      place = await makePlace()
      storage = await place.open()
    })
    afterAll(() => place?.remove())

    test('a connection comes back to its owner as it was stored, with its events', async () => {
      const projectId = await storedProject(storage)
      const connection = sampleConnection(projectId, {
        isDefault: true,
        refreshIntent: { generation: 1, startedAt: AT, owner: 'p1' },
        leaseUntil: AT + 9,
        fence: 3,
      })
      const event = sampleEvent(projectId)

      await storage.connections.create(connection, [event])

      expect(await storage.connections.get(projectId, 'ann', connection.id)).toEqual(connection)
      expect(await storage.connections.getAsGateway(connection.id)).toEqual(connection)
      expect(await storage.connections.list(projectId, 'ann')).toEqual([connection])
      expect(await eventsOf(storage, projectId)).toEqual([event.id])
    })

    test('neither another user nor another project can see, change or remove it', async () => {
      const [projectId, other] = [await storedProject(storage), await storedProject(storage)]
      const connection = sampleConnection(projectId)
      await storage.connections.create(connection, [])

      for (const [project, user] of [
        [projectId, 'bob'],
        [other, 'ann'],
      ] as const) {
        const event = [sampleEvent(project)]
        expect(await storage.connections.get(project, user, connection.id)).toBeUndefined()
        expect(await storage.connections.list(project, user)).toEqual([])
        expect(await storage.connections.update(project, user, connection.id, { label: 'x' }, event)).toBeUndefined()
        expect(await storage.connections.authorise(project, user, connection.id, GRANTED, event)).toBeUndefined()
        expect(await storage.connections.remove(project, user, connection.id, event)).toBe(false)
        expect(await eventsOf(storage, project)).toEqual([])
      }
      expect(await storage.connections.getAsGateway(connection.id)).toMatchObject({ label: connection.label })
    })

    test('what is refused leaves neither the row nor its events', async () => {
      const projectId = await storedProject(storage)
      const connection = sampleConnection(projectId)
      await storage.connections.create(connection, [])

      const again = storage.connections.create({ ...connection, label: 'again' }, [sampleEvent(projectId)])

      await expect(again).rejects.toMatchObject({ code: 'conflict' })
      expect(await eventsOf(storage, projectId)).toEqual([])
      expect((await storage.connections.getAsGateway(connection.id))?.label).toBe(connection.label)
    })

    test('the first connection of a user and connector is the default, the second is not', async () => {
      const projectId = await storedProject(storage)
      const [first, second] = [sampleConnection(projectId), sampleConnection(projectId, { createdAt: AT + 1 })]
      const [slack, bobs] = [
        sampleConnection(projectId, { connectorId: 'slack' }),
        sampleConnection(projectId, { userId: 'bob' }),
      ]
      for (const each of [first, second, slack, bobs]) await storage.connections.create(each, [])

      const defaults = new Map(
        (await storage.connections.listProject(projectId, { limit: 9 })).map((c) => [c.id, c.isDefault]),
      )
      expect(defaults).toEqual(
        new Map([
          [first.id, true],
          [second.id, false],
          [slack.id, true],
          [bobs.id, true],
        ]),
      )
    })

    test('of many first connections made at once exactly one becomes the default', async () => {
      const projectId = await storedProject(storage)

      await Promise.all(Array.from({ length: 20 }, () => storage.connections.create(sampleConnection(projectId), [])))

      const rows = await storage.connections.list(projectId, 'ann')
      expect(rows).toHaveLength(20)
      expect(rows.filter((row) => row.isDefault)).toHaveLength(1)
    })

    test('making one the default takes it from its sibling', async () => {
      const projectId = await storedProject(storage)
      const [first, second] = [sampleConnection(projectId), sampleConnection(projectId, { createdAt: AT + 1 })]
      for (const each of [first, second]) await storage.connections.create(each, [])
      const event = sampleEvent(projectId)

      const updated = await storage.connections.update(
        projectId,
        'ann',
        second.id,
        { label: 'Work\0', isDefault: true },
        [event],
      )

      expect(updated).toMatchObject({ id: second.id, label: 'Work\uFFFD', isDefault: true })
      expect((await storage.connections.list(projectId, 'ann')).map((row) => row.isDefault)).toEqual([false, true])
      expect(await eventsOf(storage, projectId)).toEqual([event.id])
      await Promise.all(
        [first, second, first].map(({ id }) =>
          storage.connections.update(projectId, 'ann', id, { isDefault: true }, []),
        ),
      )
      expect((await storage.connections.list(projectId, 'ann')).filter((row) => row.isDefault)).toHaveLength(1)
    })

    test('removing the default hands it to the oldest other connection that was finished', async () => {
      const projectId = await storedProject(storage)
      const [first, unfinished, third, fourth] = [
        sampleConnection(projectId),
        pendingConnection(projectId, { createdAt: AT + 1 }),
        sampleConnection(projectId, { createdAt: AT + 2 }),
        sampleConnection(projectId, { createdAt: AT + 3 }),
      ]
      for (const each of [first, unfinished, third, fourth]) await storage.connections.create(each, [])
      const event = sampleEvent(projectId)

      expect(await storage.connections.remove(projectId, 'ann', first.id, [event])).toBe(true)

      const rows = await storage.connections.list(projectId, 'ann')
      expect(rows.map((row) => [row.id, row.isDefault])).toEqual([
        [unfinished.id, false],
        [third.id, true],
        [fourth.id, false],
      ])
      expect(await eventsOf(storage, projectId)).toEqual([event.id])
      expect(await storage.connections.remove(projectId, 'ann', first.id, [sampleEvent(projectId)])).toBe(false)
    })

    test('a default that was never finished gives way to the first that connects', async () => {
      const projectId = await storedProject(storage)
      const [unfinished, second] = [pendingConnection(projectId), pendingConnection(projectId, { createdAt: AT + 1 })]
      for (const each of [unfinished, second]) await storage.connections.create(each, [])

      const granted = await storage.connections.authorise(projectId, 'ann', second.id, GRANTED, [])

      expect(granted?.isDefault).toBe(true)
      expect((await storage.connections.list(projectId, 'ann')).map((row) => row.isDefault)).toEqual([false, true])
    })

    test('authorising stores the grant, raises the generation and ends what was under way', async () => {
      const projectId = await storedProject(storage)
      const connection = sampleConnection(projectId, {
        status: 'error',
        statusReason: { code: 'expired', message: 'Ended.', fix: 'Connect again', at: AT },
        refreshFailures: 4,
      })
      await storage.connections.create(connection, [])
      const lease = await storage.connections.beginRefresh(connection.id, 1, 'p1', 60_000)
      const event = sampleEvent(projectId)

      const granted = await storage.connections.authorise(projectId, 'ann', connection.id, GRANTED, [event])

      expect(granted).toEqual({
        ...connection,
        ...GRANTED,
        isDefault: true,
        status: 'active',
        statusReason: null,
        generation: 2,
        refreshFailures: 0,
        refreshIntent: null,
        leaseUntil: null,
        fence: expect.any(Number),
        updatedAt: expect.any(Number),
      })
      expect(granted?.fence).toBeGreaterThan(lease?.connection.fence as number)
      expect(await storage.connections.get(projectId, 'ann', connection.id)).toEqual(granted)
      expect(await eventsOf(storage, projectId)).toEqual([event.id])
    })

    test('a status is set only for the generation it was judged on', async () => {
      const projectId = await storedProject(storage)
      const connection = sampleConnection(projectId)
      await storage.connections.create(connection, [])
      const reason = { code: 'revoked', message: 'Access was taken away.', fix: 'Connect again', at: AT }

      expect(await storage.connections.setStatus(connection.id, 7, 'revoked', reason, [sampleEvent(projectId)])).toBe(
        false,
      )
      expect(await eventsOf(storage, projectId)).toEqual([])
      expect(await storage.connections.setStatus(connection.id, 1, 'needs_reauth', reason, [])).toBe(true)
      expect(await storage.connections.getAsGateway(connection.id)).toMatchObject({
        status: 'needs_reauth',
        statusReason: reason,
        credential: connection.credential,
      })
    })

    test('a forgotten credential stays forgotten, also for a refresh that was under way', async () => {
      const projectId = await storedProject(storage)
      const connection = sampleConnection(projectId)
      await storage.connections.create(connection, [])
      const lease = await storage.connections.beginRefresh(connection.id, 1, 'p1', 60_000)
      const reason = { code: 'revoked', message: 'Disconnected.', fix: 'Connect again', at: AT }

      expect(await storage.connections.setStatus(connection.id, 1, 'revoked', reason, [], true)).toBe(true)

      const fresh = { credential: 'v1.late', expiresAt: null, refreshAfter: null, scopes: {} }
      const fence = lease?.connection.fence as number
      expect(await storage.connections.commitRefresh(connection.id, 1, fence, fresh, [])).toBe(false)
      expect(await storage.connections.commitRefresh(connection.id, 1, null, fresh, [])).toBe(false)
      expect(await storage.connections.getAsGateway(connection.id)).toMatchObject({
        status: 'revoked',
        credential: null,
      })
    })

    test('lists are filtered by connector and status', async () => {
      const projectId = await storedProject(storage)
      const [mail, chat] = [
        sampleConnection(projectId),
        sampleConnection(projectId, { connectorId: 'slack', status: 'error', createdAt: AT + 1 }),
      ]
      for (const each of [mail, chat]) await storage.connections.create(each, [])
      const ids = (rows: { id: string }[]) => rows.map((row) => row.id)

      expect(ids(await storage.connections.list(projectId, 'ann', { connectorId: 'slack' }))).toEqual([chat.id])
      expect(ids(await storage.connections.list(projectId, 'ann', { status: 'active' }))).toEqual([mail.id])
      expect(ids(await storage.connections.list(projectId, 'ann', { status: 'active', connectorId: 'slack' }))).toEqual(
        [],
      )
      expect(
        ids(await storage.connections.listProject(projectId, { limit: 5, status: 'error', userId: 'ann' })),
      ).toEqual([chat.id])
    })

    test('pages of a project go from newest to oldest without gaps, and a cursor that is gone says so', async () => {
      const projectId = await storedProject(storage)
      const made = Array.from({ length: 5 }, (_, n) =>
        sampleConnection(projectId, { createdAt: AT + Math.floor(n / 2), userId: `user-${n}` }),
      )
      for (const each of made) await storage.connections.create(each, [])
      const expected = made
        .toSorted((a, b) => b.createdAt - a.createdAt || (a.id < b.id ? 1 : -1))
        .map((connection) => connection.id)

      const pages: string[][] = []
      for (let cursor: string | undefined; ; ) {
        const page = await storage.connections.listProject(projectId, { limit: 2, ...(cursor && { cursor }) })
        if (page.length === 0) break
        pages.push(page.map((row) => row.id))
        cursor = page.at(-1)?.id
      }

      expect(pages.flat()).toEqual(expected)
      expect(pages.map((page) => page.length)).toEqual([2, 2, 1])
      await expect(storage.connections.listProject(projectId, { limit: 2, cursor: 'conn_gone' })).rejects.toMatchObject(
        { code: 'invalid_input' },
      )
    })

    test('users are listed once each, in order, up to a limit', async () => {
      const projectId = await storedProject(storage)
      for (const userId of ['cem', 'ann', 'bob', 'ann']) {
        await storage.connections.create(sampleConnection(projectId, { userId }), [])
      }

      expect(await storage.connections.listUsers(projectId, 10)).toEqual(['ann', 'bob', 'cem'])
      expect(await storage.connections.listUsers(projectId, 2)).toEqual(['ann', 'bob'])
    })

    test('only usable connections of the same account and OAuth app count as sharing a grant', async () => {
      const projectId = await storedProject(storage)
      for (const members of [
        {},
        { connectorId: 'google-drive', status: 'expiring' as const },
        { status: 'revoked' as const },
        { oauthAppId: 'app-2' },
        { account: { id: 'acc-2', label: 'other' } },
      ]) {
        await storage.connections.create(sampleConnection(projectId, members), [])
      }

      expect(await storage.connections.countSharing(projectId, 'app-1', 'acc-1')).toBe(2)
      expect(await storage.connections.countSharing(projectId, 'app-1', 'nobody')).toBe(0)
    })

    test('connections that were started and never finished are swept, those with a credential are not', async () => {
      const projectId = await storedProject(storage)
      const [old, fresh, active, reconnecting] = [
        pendingConnection(projectId, { createdAt: 10 }),
        pendingConnection(projectId, { createdAt: 2_000 }),
        sampleConnection(projectId, { connectorId: 'slack', createdAt: 10 }),
        pendingConnection(projectId, { connectorId: 'github', credential: 'v1.kept', createdAt: 10 }),
      ]
      for (const each of [old, fresh, active, reconnecting]) await storage.connections.create(each, [])

      expect(await storage.connections.removePending(1_000)).toBe(1)

      const left = await storage.connections.list(projectId, 'ann')
      expect(left.map((row) => row.id).toSorted()).toEqual([fresh.id, active.id, reconnecting.id].toSorted())
      expect(left.every((row) => row.isDefault)).toBe(true)
      expect(await storage.connections.removePending(1_000)).toBe(0)
    })

    test('sealed credentials are paged by id, and swapped only from the value they have', async () => {
      const [projectId, other] = [await storedProject(storage), await storedProject(storage)]
      const sealed = [sampleConnection(projectId), sampleConnection(projectId), sampleConnection(projectId)].toSorted(
        (a, b) => (a.id < b.id ? -1 : 1),
      )
      for (const each of [...sealed, pendingConnection(projectId), sampleConnection(other)]) {
        await storage.connections.create(each, [])
      }
      const [first, second, third] = sealed.map(({ id, credential }) => ({ id, credential }))

      expect(await storage.connections.listSealed(projectId, null, 2)).toEqual([first, second])
      expect(await storage.connections.listSealed(projectId, second?.id as string, 2)).toEqual([third])
      expect(await storage.connections.reseal(first?.id as string, 'something else', 'v2')).toBe(false)
      expect(await storage.connections.reseal(first?.id as string, first?.credential as string, 'v2')).toBe(true)
      expect(await storage.connections.getAsGateway(first?.id as string)).toMatchObject({
        credential: 'v2',
        generation: 1,
      })
    })
  })
}
