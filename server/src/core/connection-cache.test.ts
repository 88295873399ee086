import { afterEach, beforeEach, expect, test } from 'vitest'
import { createSmallGateway, type SmallGateway } from '../../test/small-gateway.ts'
import { type ConnectionCache, createConnectionCache } from './connection-cache.ts'
import type { Connections, Storage } from './storage.ts'

let world: SmallGateway
let elsewhere: Storage
let lists: string[]
let failing: boolean
let cache: ConnectionCache

beforeEach(async () => {
  world = await createSmallGateway()
  elsewhere = await world.place.open({ now: world.now })
  lists = []
  failing = false
  const connections: Connections = {
    ...world.storage.connections,
    async list(projectId, userId, filter) {
      lists.push(userId)
      if (failing) throw new Error('away')
      return world.storage.connections.list(projectId, userId, filter)
    },
  }
  cache = createConnectionCache({ connections, onChange: world.storage.onChange })
})
afterEach(() => world.remove())

const labels = async (userId: string, projectId = 'default') => {
  world.storage.catchUp()
  return (await cache(projectId, userId)).map((one) => one.label)
}

test('the database is asked once per user, however many ask at once', async () => {
  await world.connect('ann')

  await Promise.all(Array.from({ length: 20 }, () => cache('default', 'ann')))

  expect(await labels('ann')).toEqual(['ann@example.com'])
  expect(lists).toEqual(['ann'])
})

test('a change of this or another process drops that user’s list and nobody else’s', async () => {
  const connection = await world.connect('ann')
  await world.connect('bob')
  expect([await labels('ann'), await labels('bob')]).toEqual([['ann@example.com'], ['bob@example.com']])
  lists = []

  await world.storage.connections.update('default', 'ann', connection.id, { label: 'Here' }, [])
  await expect.poll(() => labels('ann')).toEqual(['Here'])
  await elsewhere.connections.update('default', 'ann', connection.id, { label: 'There' }, [])
  await expect.poll(() => labels('ann')).toEqual(['There'])
  await labels('bob')

  expect(lists).toEqual(['ann', 'ann'])
})

test('users of the same name in two projects are two users', async () => {
  await world.connect('ann')

  expect(await labels('ann', 'another')).toEqual([])
  expect(await labels('ann')).toEqual(['ann@example.com'])
})

test('a change that comes while a list is loading is seen by the next who asks', async () => {
  const connection = await world.connect('ann')
  const loading = cache('default', 'ann')

  await world.storage.connections.remove('default', 'ann', connection.id, [])
  await loading

  await expect.poll(() => labels('ann')).toEqual([])
})

test('a database that fails once is asked again', async () => {
  await world.connect('ann')
  failing = true
  await expect(cache('default', 'ann')).rejects.toThrow('away')
  failing = false

  expect(await labels('ann')).toEqual(['ann@example.com'])
})

test('a deleted project leaves nothing behind', async () => {
  const project = { id: 'proj_x', name: 'X', redirectUrls: [], createdAt: world.now() }
  await world.storage.projects.create(project)
  await world.connect('ann', { projectId: 'proj_x' })
  expect(await labels('ann', 'proj_x')).toHaveLength(1)

  await elsewhere.projects.remove('proj_x')

  await expect.poll(() => labels('ann', 'proj_x')).toEqual([])
})
