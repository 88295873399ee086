import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Connection } from '../../core/connection.ts'
import type { Storage } from '../../core/storage.ts'
import type { Place } from './place.ts'
import { AT, eventsOf, sampleConnection, sampleEvent, storedProject } from './samples.ts'

const FRESH = {
  credential: 'v1.fresh',
  expiresAt: AT + 9_000_000,
  refreshAfter: AT + 8_000_000,
  scopes: { default: ['mail.read'] },
}
const REASON = { code: 'provider_unavailable', message: 'It did not answer.', fix: 'Wait', at: AT }

export function refreshContract(makePlace: () => Promise<Place>): void {
  describe('refreshes', () => {
    let place: Place
    let storage: Storage
    beforeAll(async () => {
      place = await makePlace()
      storage = await place.open()
    })
    afterAll(() => place?.remove())

    async function stored(members: Partial<Connection> = {}): Promise<Connection> {
      const connection = sampleConnection(await storedProject(storage), { isDefault: true, ...members })
      await storage.connections.create(connection, [])
      return connection
    }
    const row = async (id: string) => (await storage.connections.getAsGateway(id)) as Connection

    test('a lease carries a higher fence and leaves its intent on the row', async () => {
      const connection = await stored()

      const lease = await storage.connections.beginRefresh(connection.id, 1, 'p"1\\', 60_000)

      expect(lease?.interrupted).toBeNull()
      expect(lease?.connection).toEqual({
        ...connection,
        fence: 1,
        leaseUntil: expect.any(Number),
        refreshIntent: { generation: 1, owner: 'p"1\\', startedAt: expect.any(Number) },
      })
      const { leaseUntil, refreshIntent } = await row(connection.id)
      expect((leaseUntil as number) - (refreshIntent?.startedAt as number)).toBe(60_000)
      expect(Math.abs((refreshIntent?.startedAt as number) - Date.now())).toBeLessThan(60_000)
      expect(await row(connection.id)).toEqual(lease?.connection)
    })

    test('of 100 that ask at once, from two processes, exactly one gets the lease', async () => {
      const connection = await stored()
      const other = await place.open()

      const leases = await Promise.all(
        Array.from({ length: 100 }, (_, n) =>
          (n % 2 ? storage : other).connections.beginRefresh(connection.id, 1, `p${n}`, 60_000),
        ),
      )

      const won = leases.filter((lease) => lease !== undefined)
      expect(won).toHaveLength(1)
      expect((await row(connection.id)).fence).toBe(1)
    })

    test('a lease is not given for a generation that has moved, nor for a row that is gone', async () => {
      const connection = await stored({ generation: 3 })

      expect(await storage.connections.beginRefresh(connection.id, 2, 'p', 60_000)).toBeUndefined()
      expect(await storage.connections.beginRefresh('conn_gone', 1, 'p', 60_000)).toBeUndefined()
      expect((await row(connection.id)).refreshIntent).toBeNull()
    })

    test('a lease is not given where a refresh cannot help', async () => {
      for (const status of ['pending', 'needs_reauth', 'revoked'] as const) {
        const { id } = await stored({ status })
        expect(await storage.connections.beginRefresh(id, 1, 'p', 60_000)).toBeUndefined()
      }
      const forgotten = await stored({ credential: null })
      expect(await storage.connections.beginRefresh(forgotten.id, 1, 'p', 60_000)).toBeUndefined()

      for (const status of ['active', 'expiring', 'error'] as const) {
        const { id } = await stored({ status })
        expect(await storage.connections.beginRefresh(id, 1, 'p', 60_000)).toBeDefined()
      }
    })

    test('with a count of failures a lease is given only if none has come since', async () => {
      const { id } = await stored({ refreshFailures: 2 })

      expect(await storage.connections.beginRefresh(id, 1, 'p', 60_000, 1)).toBeUndefined()
      expect(await storage.connections.beginRefresh(id, 1, 'p', 60_000, 2)).toBeDefined()
    })

    test('a lease that ran out passes on with a higher fence and tells of the refresh that never ended', async () => {
      const connection = await stored()
      const first = await storage.connections.beginRefresh(connection.id, 1, 'p1', 0)

      const second = await storage.connections.beginRefresh(connection.id, 1, 'p2', 60_000)

      expect(second?.connection.fence).toBe(2)
      expect(second?.interrupted).toEqual(first?.connection.refreshIntent)
      expect(second?.connection.refreshIntent?.owner).toBe('p2')
    })

    test('committing stores the credential with its events and ends everything the refresh had begun', async () => {
      const connection = await stored({ status: 'expiring', statusReason: REASON, refreshFailures: 2 })
      await storage.connections.beginRefresh(connection.id, 1, 'p', 60_000)
      const event = sampleEvent(connection.projectId)

      expect(await storage.connections.commitRefresh(connection.id, 1, 1, FRESH, [event])).toBe(true)

      expect(await row(connection.id)).toEqual({
        ...connection,
        ...FRESH,
        generation: 2,
        fence: 1,
        status: 'active',
        statusReason: null,
        refreshFailures: 0,
        updatedAt: expect.any(Number),
      })
      expect(await eventsOf(storage, connection.projectId)).toEqual([event.id])
      expect((await storage.connections.beginRefresh(connection.id, 2, 'p', 60_000))?.interrupted).toBeNull()
    })

    test('a stale fence or generation commits nothing and leaves no event', async () => {
      const connection = await stored()
      await storage.connections.beginRefresh(connection.id, 1, 'p1', 0)
      await storage.connections.beginRefresh(connection.id, 1, 'p2', 60_000)
      const event = sampleEvent(connection.projectId)

      expect(await storage.connections.commitRefresh(connection.id, 1, 1, FRESH, [event])).toBe(false)
      expect(await storage.connections.commitRefresh(connection.id, 0, 2, FRESH, [event])).toBe(false)
      expect(await storage.connections.commitRefresh(connection.id, 2, null, FRESH, [event])).toBe(false)

      expect((await row(connection.id)).credential).toBe(connection.credential)
      expect(await eventsOf(storage, connection.projectId)).toEqual([])
    })

    test('without a fence a commit holds on the generation alone, once', async () => {
      const connection = await stored()
      await storage.connections.beginRefresh(connection.id, 1, 'p1', 0)
      await storage.connections.beginRefresh(connection.id, 1, 'p2', 60_000)

      const commits = await Promise.all(
        Array.from({ length: 10 }, () => storage.connections.commitRefresh(connection.id, 1, null, FRESH, [])),
      )

      expect(commits.filter((done) => done)).toHaveLength(1)
      expect(await row(connection.id)).toMatchObject({ generation: 2, credential: 'v1.fresh', leaseUntil: null })
    })

    test('a failure frees the lease, counts, and keeps the credential', async () => {
      const connection = await stored()
      await storage.connections.beginRefresh(connection.id, 1, 'p', 60_000)
      const outcome = { status: 'expiring' as const, reason: REASON, refreshAfter: AT + 5, keepIntent: false }
      const event = sampleEvent(connection.projectId)

      expect(await storage.connections.failRefresh(connection.id, 1, 1, outcome, [event])).toBe(true)

      expect(await row(connection.id)).toMatchObject({
        status: 'expiring',
        statusReason: REASON,
        refreshAfter: AT + 5,
        refreshFailures: 1,
        refreshIntent: null,
        leaseUntil: null,
        credential: connection.credential,
        generation: 1,
      })
      expect(await eventsOf(storage, connection.projectId)).toEqual([event.id])
    })

    test('a failure in which the provider may have acted keeps the intent for the next try', async () => {
      const connection = await stored()
      const lease = await storage.connections.beginRefresh(connection.id, 1, 'p1', 60_000)
      const outcome = { status: 'expiring' as const, reason: REASON, refreshAfter: null, keepIntent: true }

      await storage.connections.failRefresh(connection.id, 1, 1, outcome, [])

      const next = await storage.connections.beginRefresh(connection.id, 1, 'p2', 60_000)
      expect(next?.interrupted).toEqual(lease?.connection.refreshIntent)
    })

    test('a failure under a stale fence or generation changes nothing', async () => {
      const connection = await stored()
      await storage.connections.beginRefresh(connection.id, 1, 'p1', 0)
      const held = await storage.connections.beginRefresh(connection.id, 1, 'p2', 60_000)
      const outcome = { status: 'error' as const, reason: REASON, refreshAfter: null, keepIntent: false }
      const event = sampleEvent(connection.projectId)

      expect(await storage.connections.failRefresh(connection.id, 1, 1, outcome, [event])).toBe(false)
      expect(await storage.connections.failRefresh(connection.id, 2, 2, outcome, [event])).toBe(false)

      expect(await row(connection.id)).toEqual(held?.connection)
      expect(await eventsOf(storage, connection.projectId)).toEqual([])
    })

    test('due are usable rows whose time has come and that nobody holds, longest due first', async () => {
      const projectId = await storedProject(storage)
      const due = async (refreshAfter: number | null, members: Partial<Connection> = {}) => {
        const connection = sampleConnection(projectId, { refreshAfter, ...members })
        await storage.connections.create(connection, [])
        return connection.id
      }
      const [second, first] = [await due(AT - 20), await due(AT - 30, { status: 'expiring' })]
      const exact = await due(AT)
      await due(AT + 1)
      await due(null)
      await due(AT - 50, { status: 'needs_reauth' })
      await due(AT - 50, { status: 'error' })
      const held = await due(AT - 40)
      await storage.connections.beginRefresh(held, 1, 'p', 60_000)
      const lapsed = await due(AT - 10)
      await storage.connections.beginRefresh(lapsed, 1, 'p', 0)

      const found = await storage.connections.dueForRefresh(AT, 1_000)

      expect(found.filter((each) => each.projectId === projectId).map((each) => each.id)).toEqual([
        first,
        second,
        lapsed,
        exact,
      ])
      expect(await storage.connections.dueForRefresh(AT, 2)).toHaveLength(2)
      await due(AT - 60, { connectorId: 'slack' })
      const rest = await storage.connections.dueForRefresh(AT, 1_000, ['gmail', 'github'])
      expect(rest.filter((each) => each.projectId === projectId).map((each) => each.connectorId)).toEqual(['slack'])
    })
  })
}
