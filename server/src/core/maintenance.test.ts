import { afterEach, beforeEach, expect, test } from 'vitest'
import { appCaller, createSmallGateway, type SmallGateway } from '../../test/small-gateway.ts'
import { newApiKey } from './admin.ts'
import { createMaintenance } from './maintenance.ts'

const HOUR = 3_600_000
const DAY = 24 * HOUR

let world: SmallGateway
let troubles: unknown[]
beforeEach(async () => {
  world = await createSmallGateway()
  troubles = []
})
afterEach(() => world.remove())

function maintenance(eventDays?: number, storage = world.storage) {
  const { gateway, keyring, now } = world
  return createMaintenance({
    storage,
    vault: gateway.vault,
    keyring,
    now,
    eventDays,
    onTrouble: (error) => troubles.push(error),
  })
}

const tables = ['connection', 'authorization', 'connect_link', 'session', 'instance', 'api_key', 'oauth_app', 'event']
const counts = async () => {
  await world.gateway.eventLog.flush()
  const sql = tables.map((table) => `(select count(*) from "${table}") as "${table}"`).join(', ')
  return { ...(await world.place.execute(`select ${sql}`))[0] } as Record<string, number>
}

/** One of everything, a connection of each status among them. */
async function everything() {
  const { gateway } = world
  const root = appCaller({ role: 'admin' })
  for (const status of ['active', 'expiring', 'needs_reauth', 'revoked', 'error'] as const)
    await world.connect('ann', { status })
  await gateway.connect.start(root, { userId: 'ann', connectorId: 'notes' }, 'r1')
  await gateway.connectLinks.create(root, { userId: 'ann' }, 'r2')
  await gateway.instances.create(root, { userId: 'ann' }, 'r3')
  await gateway.admin.saveOAuthApp(root, { providerId: 'notes', clientId: 'c', clientSecret: 's' }, 'r4')
  const { apiKey, secret } = newApiKey({ projectId: 'default', name: 'K', role: 'admin' }, world.now())
  await world.storage.apiKeys.create(apiKey)
  await gateway.sessions.create(secret, 'r5')
}

test('what is under way or in use stays', async () => {
  await everything()
  const before = await counts()
  world.advance(59 * 60_000)

  await maintenance(1).runOnce()

  expect(await counts()).toEqual(before)
  expect(before).toMatchObject({ connection: 6, authorization: 1, connect_link: 1, session: 1 })
})

test('flows, links and connections never finished go an hour after their end, sessions at it, and nothing else', async () => {
  await everything()
  const before = await counts()
  const own = maintenance()
  world.advance(70 * 60_000 + 1)

  await own.runOnce()
  expect(await counts()).toEqual({ ...before, authorization: 0, connect_link: 0, connection: 5 })

  world.advance(11 * HOUR)
  await own.runOnce()
  expect(await counts()).toEqual({ ...before, authorization: 0, connect_link: 0, connection: 5, session: 0 })
})

test('a connection that is being connected anew is kept, though its flow has ended', async () => {
  const dead = await world.connect('ann', { status: 'needs_reauth' })
  await world.gateway.connect.start(appCaller(), { userId: 'ann', connectorId: 'notes', connectionId: dead.id }, 'r1')
  world.advance(2 * HOUR)

  await maintenance().runOnce()

  expect(await counts()).toMatchObject({ connection: 1, authorization: 0 })
})

test('events go after the days set, in every project, and are kept for ever without', async () => {
  const root = appCaller({ role: 'admin' })
  const { project } = await world.gateway.admin.createProject(root, 'Other', 'old')
  const other = { ...root, projectId: project.id }
  const made = async (requestId: string) => {
    for (const caller of [root, other]) await world.gateway.connectLinks.create(caller, { userId: 'ann' }, requestId)
  }
  await made('old')
  world.advance(29 * DAY)
  await made('new')
  world.advance(DAY + 1)

  await maintenance().runOnce()
  expect((await counts())['event']).toBe(5)

  await maintenance(30).runOnce()
  expect((await world.place.execute('select request_id from event')).map((row) => row['request_id'])).toEqual([
    'new',
    'new',
  ])
})

test('a project whose keys do not open is told and keeps no other from being cleaned', async () => {
  const root = appCaller({ role: 'admin' })
  const { project } = await world.gateway.admin.createProject(root, 'Other', 'r1')
  await world.gateway.connectLinks.create({ ...root, projectId: project.id }, { userId: 'ann' }, 'old')
  world.advance(2 * DAY)
  const { storage } = world
  const broken = new Error('this project does not open')
  const dataKeys = {
    ...storage.dataKeys,
    list: async (id: string) => {
      if (id === 'default') throw broken
      return storage.dataKeys.list(id)
    },
  }

  await maintenance(1, { ...storage, dataKeys }).runOnce()

  expect(troubles).toEqual([broken])
  expect(await world.storage.events.list(project.id, { limit: 10 })).toEqual([])
})

test('asked twice at once it runs once, and stopping waits for it', async () => {
  let runs = 0
  const going = Promise.withResolvers<number>()
  const { storage } = world
  const sessions = {
    ...storage.sessions,
    removeExpired: () => {
      runs++
      return going.promise
    },
  }
  const own = maintenance(1, { ...storage, sessions })
  own.start()
  const both = [own.runOnce(), own.runOnce()]
  let stopped = false
  const stopping = own.stop().then(() => {
    stopped = true
  })
  await expect.poll(() => runs).toBe(1)

  expect(stopped).toBe(false)
  going.resolve(0)
  await Promise.all([...both, stopping])

  expect(runs).toBe(1)
})
