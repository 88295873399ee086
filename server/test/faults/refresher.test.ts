import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Breaker } from '../../src/core/breaker.ts'
import { createCatalogue } from '../../src/core/catalogue.ts'
import type { Credentials } from '../../src/core/credentials.ts'
import { OAuthError } from '../../src/core/oauth.ts'
import { createRefresher } from '../../src/core/refresher.ts'
import { sampleConnection } from '../../src/storage/contract/samples.ts'
import { whoamiConnector } from './whoami-connector.ts'
import { createWorld, endedToken, gate, HOUR_MS, type World } from './world.ts'

let world: World
beforeEach(async () => {
  world = await createWorld()
})
afterEach(() => world.remove())

function refresherOf(credentials: Credentials) {
  const other = { ...world.provider, id: 'other', tokenUrl: 'https://other.test/token' }
  return createRefresher({
    storage: world.storage,
    credentials,
    catalogue: createCatalogue([whoamiConnector(world.provider), whoamiConnector(other)]),
    now: world.now,
    onTrouble: (error) => {
      throw error
    },
  })
}

const connectMany = (count: number) => Promise.all(Array.from({ length: count }, () => world.connect()))

test('refreshes everything that is due, each once, at most 64 at a time', async () => {
  const connections = await connectMany(200)
  let underWay = 0
  let most = 0
  for (const _ of connections) {
    world.answers.push(async (request) => {
      most = Math.max(most, ++underWay)
      await new Promise(setImmediate)
      underWay--
      return world.rotated(request)
    })
  }

  expect(await refresherOf(world.process()).runOnce()).toBe(200)

  expect(most).toBe(64)
  expect(world.asked).toHaveLength(200)
  expect(await refresherOf(world.process()).runOnce()).toBe(0)
})

test('leaves what is not due alone, and what has failed until its time', async () => {
  const later = await world.connect({ default: { ...endedToken(world.now()), expiresAt: world.now() + HOUR_MS } })
  const failing = await world.connect()
  world.answers.push(() =>
    Promise.reject(new OAuthError('network', 'Mail could not be reached.', { failure: 'transient' })),
  )
  const refresher = refresherOf(world.process())

  expect(await refresher.runOnce()).toBe(0)
  expect(await refresher.runOnce()).toBe(0)
  expect(world.asked).toHaveLength(1)

  world.advance(3_000)
  expect(await refresher.runOnce()).toBe(1)
  expect(await world.row(failing)).toMatchObject({ status: 'active', generation: 2 })
  expect(await world.row(later)).toMatchObject({ generation: 1 })
})

test('two processes share the work', async () => {
  await connectMany(100)

  const counts = await Promise.all([refresherOf(world.process()).runOnce(), refresherOf(world.process()).runOnce()])

  expect(counts[0] + counts[1]).toBe(100)
  expect(world.asked).toHaveLength(100)
})

test('a provider that rests, or a connector that is gone, does not hold up others however many wait for it', async () => {
  const resting: Breaker = {
    restingFor: (key) => (key === world.provider.tokenUrl ? 10 : undefined),
    run: (_key, call) => call(),
  }
  // They are due for longer, and fill more than a page each.
  for (const connectorId of ['mail', 'gone']) {
    for (let n = 0; n < 1_100; n++) {
      await world.storage.connections.create(
        sampleConnection('default', { connectorId, userId: `${connectorId}-${n}`, refreshAfter: 1 }),
        [],
      )
      if (n % 100 === 0) await new Promise(setImmediate)
    }
  }
  const other = await world.connect(undefined, { connectorId: 'other' })
  const asked: string[] = []
  const credentials = world.process({ breaker: resting })
  const refresher = refresherOf({
    ...credentials,
    async refreshIfFree(connection) {
      if (connection.connectorId === 'mail') return credentials.refreshIfFree(connection)
      asked.push(connection.id)
      await world.commit(connection, {
        default: { accessToken: 'at', refreshToken: 'rt', expiresAt: world.now() + HOUR_MS },
      })
      return 'refreshed'
    },
  })

  expect(await refresher.runOnce()).toBe(1)

  expect(asked).toEqual([other.id])
})

test('comes to an end where storage gives rows and takes no leases', async () => {
  await connectMany(10)
  let begins = 0
  const credentials = world.process({
    faults: {
      async beginRefresh() {
        begins++
        throw new Error('the disk is full')
      },
    },
  })

  expect(await refresherOf(credentials).runOnce()).toBe(0)

  expect(begins).toBe(10)
})

test('stopping waits for the refreshes under way, starts no further ones, and what was handed out is stored', async () => {
  const connections = await connectMany(80)
  const answered = gate()
  for (const _ of connections) {
    world.answers.push(async (request) => {
      await answered.promise
      return world.rotated(request)
    })
  }
  const refresher = refresherOf(world.process())
  const run = refresher.runOnce()
  await expect.poll(() => world.asked.length).toBe(64)

  let stopped = false
  const stopping = refresher.stop().then(() => {
    stopped = true
  })
  await new Promise(setImmediate)
  expect(stopped).toBe(false)
  answered.resolve()
  await stopping

  expect(await run).toBe(64)
  expect(world.asked).toHaveLength(64)
  const generations = await Promise.all(connections.map(async (each) => (await world.row(each)).generation))
  expect(generations.filter((generation) => generation === 2)).toHaveLength(64)
})
