import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Place, postgresPlace, sqlitePlace } from '../../src/storage/contract/place.ts'
import { type Connected, type Stage, setStage } from './stage.ts'
import type { KillStep, UseOutcome } from './worker.ts'

/*
 * A process is killed (SIGKILL) at each step of a refresh; another one takes over once the lease has run out. What can
 * be saved is saved; what the provider has spent without our ever storing the answer says so.
 */

type Step =
  | KillStep
  | 'during the call, which the provider never acts on'
  | 'during the call, which the provider carries out'

/** Whether the connection is usable afterwards, at a provider with a grace window and at a strict one. */
const STEPS: [step: Step, graceful: 'usable' | 'lost', strict: 'usable' | 'lost'][] = [
  ['before the call', 'usable', 'usable'],
  ['during the call, which the provider never acts on', 'usable', 'usable'],
  ['during the call, which the provider carries out', 'usable', 'lost'],
  ['before the commit', 'usable', 'lost'],
  ['after the commit', 'usable', 'usable'],
]
const CASES = STEPS.flatMap(([step, graceful, strict]) => [
  { step, provider: 'graceful' as const, becomes: graceful },
  { step, provider: 'strict' as const, becomes: strict },
])
const LEASE_MS = 3_000
const HOUR_MS = 3_600_000
const { TEST_POSTGRES_URL } = process.env

const engines: [string, (() => Promise<Place>) | undefined][] = [
  ['on SQLite', sqlitePlace],
  [
    TEST_POSTGRES_URL ? 'on PostgreSQL' : 'on PostgreSQL (TEST_POSTGRES_URL is not set)',
    TEST_POSTGRES_URL ? () => postgresPlace(TEST_POSTGRES_URL) : undefined,
  ],
]

for (const [engine, makePlace] of engines) {
  describe.skipIf(!makePlace)(`a process killed in the middle of a refresh ${engine}`, () => {
    let stage: Stage
    /** By case: the connection, what the killed process ended with, and what its next use elsewhere gave. */
    const found = new Map<(typeof CASES)[number], { connected: Connected; how: string | number; outcome: UseOutcome }>()

    beforeAll(async () => {
      stage = await setStage(await (makePlace as () => Promise<Place>)())
      const connections = [
        ...(await stage.connect('graceful', STEPS.length)),
        ...(await stage.connect('strict', STEPS.length)),
      ]
      const killed = CASES.map((each) => {
        const connected = connections[
          connections.findIndex(({ connectorId }) => connectorId === each.provider)
        ] as Connected
        connections.splice(connections.indexOf(connected), 1)
        return { each, connected }
      })
      // A few at a time, so that a busy machine does not make a call outlast its lease.
      for (let n = 0; n < killed.length; n += 5) {
        await Promise.all(
          killed.slice(n, n + 5).map(async ({ each, connected }) => {
            const how = await killedAt(each.step, connected)
            found.set(each, { connected, how, outcome: { code: 'never used', reason: undefined, message: '' } })
          }),
        )
      }

      const rescuer = await stage.start()
      await rescuer.advance(HOUR_MS)
      const cases = [...found.values()]
      const outcomes = await rescuer.use(cases.map(({ connected }) => connected))
      for (const [n, outcome] of outcomes.entries()) Object.assign(cases[n] as object, { outcome })
    }, 60_000)
    afterAll(() => stage?.remove())

    async function killedAt(step: Step, connected: Connected): Promise<string | number> {
      const killAt = step.startsWith('during') ? undefined : (step as KillStep)
      const worker = await stage.start({ leaseMs: LEASE_MS, ...(killAt && { killAt }) })
      if (!killAt) {
        stage.onRefresh.set(connected.refreshToken, async () => {
          stage.onRefresh.delete(connected.refreshToken)
          await worker.kill()
          return step.endsWith('never acts on') ? 'drop' : undefined
        })
      }
      await worker.advance(HOUR_MS)
      await worker.use([connected]).catch(() => {})
      return worker.ended
    }

    test.each(CASES)('$step, at a $provider provider: $becomes', async (each) => {
      const { connected, how, outcome } = found.get(each) ?? expect.fail('it never ran')
      expect(how).toBe('SIGKILL')
      const row = await stage.row(connected)
      const refreshes = await eventsOf(connected)

      if (each.becomes === 'usable') {
        expect(outcome).toEqual({ token: expect.any(String) })
        expect(row).toMatchObject({
          status: 'active',
          generation: 2,
          statusReason: null,
          refreshIntent: null,
          leaseUntil: null,
        })
        const cutShort = each.step !== 'after the commit'
        expect(refreshes).toEqual([
          expect.objectContaining({
            type: 'connection.refreshed',
            details: expect.objectContaining({ rotated: true }),
          }),
        ])
        expect(refreshes[0]?.details?.['interrupted']).toBe(cutShort || undefined)
      } else {
        expect(outcome).toMatchObject({
          code: 'needs_reauth',
          reason: 'refresh_interrupted',
          message: expect.stringMatching(/A refresh was cut short .* no longer accepts the token stored before it/),
        })
        expect(row).toMatchObject({
          status: 'needs_reauth',
          generation: 1,
          statusReason: { code: 'refresh_interrupted', fix: expect.stringMatching(/^Connect .* again$/) },
          leaseUntil: null,
        })
        expect(refreshes).toEqual([expect.objectContaining({ type: 'connection.refresh_failed', outcome: 'error' })])
      }
    })

    test('no other connection was harmed, and each used its refresh token at most twice', () => {
      for (const { connected } of found.values()) {
        if (connected.connectorId !== 'strict') continue
        expect(stage.strict.refreshCalls.get(connected.refreshToken)).toBeLessThanOrEqual(2)
      }
    })

    async function eventsOf({ id }: Connected) {
      const events = await stage.storage.events.list('default', { connectionId: id, limit: 100 })
      return events.filter(({ type }) => type.startsWith('connection.'))
    }
  })
}
