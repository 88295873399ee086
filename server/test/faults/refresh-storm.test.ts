import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type Place, postgresPlace, sqlitePlace } from '../../src/storage/contract/place.ts'
import { type Connected, type Stage, setStage } from './stage.ts'

/*
 * Processes that share a database use connections whose tokens ended together, at a provider that rotates refresh
 * tokens and ends the whole grant when one comes twice.
 */

const CONNECTIONS = 40
const USES = 1_000
const WAVES = 2
const HOUR_MS = 3_600_000
const { TEST_POSTGRES_URL } = process.env

const crews: [string, number, (() => Promise<Place>) | undefined][] = [
  ['four processes on one SQLite file', 4, sqlitePlace],
  [
    TEST_POSTGRES_URL
      ? 'eight processes on one PostgreSQL'
      : 'eight processes on one PostgreSQL (TEST_POSTGRES_URL is not set)',
    8,
    TEST_POSTGRES_URL ? () => postgresPlace(TEST_POSTGRES_URL) : undefined,
  ],
]

for (const [name, processes, makePlace] of crews) {
  describe.skipIf(!makePlace)(name, () => {
    let stage: Stage
    beforeEach(async () => {
      stage = await setStage(await (makePlace as () => Promise<Place>)(), { tokenDelayMs: 50 })
    })
    afterEach(() => stage?.remove())

    const crew = () => Promise.all(Array.from({ length: processes }, () => stage.start()))

    test('refresh each generation exactly once, and every one of 1,000 uses at once succeeds', {
      timeout: 60_000,
    }, async () => {
      const [connections, workers] = await Promise.all([stage.connect('strict', CONNECTIONS), crew()])
      const known = new Set<string>()

      for (let wave = 1; wave <= WAVES; wave++) {
        await Promise.all(workers.map((worker) => worker.advance(HOUR_MS)))
        const started = performance.now()
        const uses = Array.from({ length: USES }, (_, n) => connections[n % CONNECTIONS] as Connected)
        const share = USES / processes
        const outcomes = (
          await Promise.all(workers.map((worker, n) => worker.use(uses.slice(n * share, (n + 1) * share))))
        ).flat()
        console.log(
          `${name}: ${USES} uses of ${CONNECTIONS} ended connections in ${Math.round(performance.now() - started)} ms`,
        )

        const tokens = new Map<string, Set<unknown>>()
        for (const [n, outcome] of outcomes.entries()) {
          const { id } = uses[n] as Connected
          expect(outcome).toEqual({ token: expect.any(String) })
          tokens.set(id, (tokens.get(id) ?? new Set()).add('token' in outcome && outcome.token))
        }
        // All processes got the same new token of a connection: there was one refresh.
        expect([...tokens.values()].map(({ size }) => size)).toEqual(connections.map(() => 1))
        const fresh = [...tokens.values()].flatMap((each) => [...each] as string[])
        expect(fresh.filter((token) => known.has(token))).toEqual([])
        for (const token of fresh) known.add(token)

        expect(stage.strict.tokenCalls.refresh_token).toBe(CONNECTIONS * wave)
        expect(Math.max(...stage.strict.refreshCalls.values())).toBe(1)
        for (const connection of connections) {
          expect(await stage.row(connection)).toMatchObject({
            status: 'active',
            generation: 1 + wave,
            refreshFailures: 0,
            refreshIntent: null,
            leaseUntil: null,
          })
        }
      }
    })

    test('refresh ahead of expiry in the background, together and still once', { timeout: 60_000 }, async () => {
      const [connections, workers] = await Promise.all([stage.connect('strict', CONNECTIONS), crew()])

      await Promise.all(workers.map((worker) => worker.advance(HOUR_MS * 0.9)))
      const background = Promise.all(workers.map((worker) => worker.refreshDue()))
      const used = (await Promise.all(workers.map((worker) => worker.use(connections)))).flat()

      expect(used.filter((outcome) => 'code' in outcome)).toEqual([])
      const refreshed = (await background).reduce((sum, each) => sum + each, 0)
      // Uses notice too that a refresh is due; whoever it was, the provider was asked once for each.
      expect(refreshed).toBeLessThanOrEqual(CONNECTIONS)
      await Promise.all(workers.map((worker) => worker.refreshDue()))
      await expect
        .poll(() => Promise.all(connections.map(async (each) => (await stage.row(each)).generation)))
        .toEqual(connections.map(() => 2))
      expect(stage.strict.tokenCalls.refresh_token).toBe(CONNECTIONS)
      expect(Math.max(...stage.strict.refreshCalls.values())).toBe(1)
    })

    test('survive the death of one of them in the middle: what it held is usable, or says why not', {
      timeout: 60_000,
    }, async () => {
      const [connections, [dying, ...others]] = await Promise.all([
        stage.connect('strict', CONNECTIONS),
        Promise.all(Array.from({ length: processes }, () => stage.start({ leaseMs: 5_000 }))),
      ])
      await Promise.all([dying, ...others].map((worker) => worker?.advance(HOUR_MS)))
      let calls = 0
      const third = Promise.withResolvers<void>()
      const joined = Promise.withResolvers<void>()
      for (const connection of connections) {
        stage.onRefresh.set(connection.refreshToken, async () => {
          const { refreshIntent } = await stage.row(connection)
          if (refreshIntent?.owner === `worker/${dying?.pid}` && ++calls === 3) {
            third.resolve()
            await joined.promise
            await dying?.kill()
          }
          return undefined
        })
      }

      const dead = dying?.use(connections.slice(0, 10)).catch((error: Error) => error.message)
      // The others join once it is in the middle of refreshing, so that it surely holds some when it dies.
      await third.promise
      const using = Promise.all(others.map((worker) => worker.use(connections)))
      joined.resolve()
      const outcomes = (await using).flat()

      expect(await dead).toMatch(/SIGKILL/)
      for (const outcome of outcomes) {
        if ('code' in outcome) expect(outcome).toMatchObject({ code: 'needs_reauth', reason: 'refresh_interrupted' })
      }
      const rows = await Promise.all(connections.map((each) => stage.row(each)))
      const lost = rows.filter(({ status }) => status !== 'active')
      for (const row of lost)
        expect(row).toMatchObject({ status: 'needs_reauth', statusReason: { code: 'refresh_interrupted' } })
      for (const row of rows) expect(row).toMatchObject({ leaseUntil: null, refreshIntent: null })
      expect(lost.length).toBeGreaterThan(0)
      expect(lost.length).toBeLessThanOrEqual(10)
      // Lost is exactly what the provider had carried out for the dead process: only that was presented again.
      const twice = connections.filter(({ refreshToken }) => stage.strict.refreshCalls.get(refreshToken) !== 1)
      expect(new Set(lost.map(({ id }) => id))).toEqual(new Set(twice.map(({ id }) => id)))
      expect(Math.max(...stage.strict.refreshCalls.values())).toBeLessThanOrEqual(2)
      console.log(
        `${name}: one killed in the middle of ${CONNECTIONS} refreshes, ${CONNECTIONS - lost.length} usable, ${lost.length} say why not`,
      )
    })
  })
}
