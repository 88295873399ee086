import { afterEach, beforeEach, expect, test } from 'vitest'
import { appCaller, createSmallGateway, type SmallGateway } from '../../test/small-gateway.ts'
import type { InstancesOf } from './gateway.ts'
import { secretHash } from './secrets.ts'

let world: SmallGateway
let instances: InstancesOf

beforeEach(async () => {
  world = await createSmallGateway()
  instances = world.gateway.instances
})
afterEach(() => world.remove())

test('an instance is limited to what its maker may do, now and after every change', async () => {
  const maker = appCaller({ policy: { effects: ['read'], tools: ['NOTES_*'] } })

  const { instance } = await instances.create(
    maker,
    { userId: 'ann', policy: { effects: ['read', 'write'], tools: ['*'] } },
    'r1',
  )
  const changed = await instances.update(maker, 'ann', instance.id, { policy: {} }, 'r2')

  expect(instance.policy).toEqual({ effects: ['read'], tools: ['NOTES_*'] })
  expect(changed.policy).toEqual({ effects: ['read'], tools: ['NOTES_*'] })
})

test('a key cannot take the token of an instance that may do more than it', async () => {
  const wide = await instances.create(appCaller(), { userId: 'ann', name: 'Desk' }, 'r1')
  const reader = appCaller({ policy: { effects: ['read'] } })
  const own = await instances.create(reader, { userId: 'ann' }, 'r1')

  await expect(instances.rotateToken(reader, 'ann', wide.instance.id, 'r2')).rejects.toMatchObject({
    code: 'forbidden',
    message: expect.stringContaining('"Desk" may do more than this key'),
  })

  await expect(world.gateway.callers.fromInstanceToken(wide.instance.id, wide.token)).resolves.toBeDefined()
  await expect(instances.rotateToken(reader, 'ann', own.instance.id, 'r3')).resolves.toMatchObject({
    instance: { id: own.instance.id },
  })
})

test('a key limited to some users sees and touches only their instances', async () => {
  const anns = await instances.create(appCaller(), { userId: 'ann' }, 'r1')
  const bobs = await instances.create(appCaller(), { userId: 'bob' }, 'r1')
  const caller = appCaller({ policy: { users: ['ann'] } })

  expect((await instances.list(caller)).map((one) => one.id)).toEqual([anns.instance.id])
  const attempts = [
    () => instances.list(caller, 'bob'),
    () => instances.create(caller, { userId: 'bob' }, 'r2'),
    () => instances.get(caller, 'bob', bobs.instance.id),
    () => instances.get(caller, 'ann', bobs.instance.id),
    () => instances.update(caller, 'ann', bobs.instance.id, { name: 'Mine' }, 'r2'),
    () => instances.rotateToken(caller, 'ann', bobs.instance.id, 'r2'),
    () => instances.remove(caller, 'ann', bobs.instance.id, 'r2'),
  ]
  for (const attempt of attempts) await expect(attempt()).rejects.toMatchObject({ code: 'not_found' })
  await expect(instances.rotateToken(caller, 'ann', anns.instance.id, 'r3')).resolves.toBeDefined()
})

test('only a hash of the token is stored, and every change is an event', async () => {
  const { instance, token } = await instances.create(appCaller(), { userId: 'ann', name: 'Desk' }, 'r1')
  await instances.update(appCaller(), 'ann', instance.id, { name: 'Lap' }, 'r2')
  const rotated = await instances.rotateToken(appCaller(), 'ann', instance.id, 'r3')
  await instances.remove(appCaller(), 'ann', instance.id, 'r4')

  expect(instance.tokenHash).toBe(secretHash(token))
  expect(rotated.token).not.toBe(token)
  expect((await world.events({ userId: 'ann' })).map(({ type, requestId }) => `${requestId} ${type}`)).toEqual([
    'r1 instance.created',
    'r2 instance.updated',
    'r3 instance.token_rotated',
    'r4 instance.deleted',
  ])
  await expect(instances.get(appCaller(), 'ann', instance.id)).rejects.toMatchObject({ code: 'not_found' })
})

test('a user has a hundred at most', async () => {
  for (let made = 0; made < 100; made++) await instances.create(appCaller(), { userId: 'ann' }, 'r1')

  await expect(instances.create(appCaller(), { userId: 'ann' }, 'r1')).rejects.toMatchObject({ code: 'conflict' })
  await expect(instances.create(appCaller(), { userId: 'bob' }, 'r1')).resolves.toBeDefined()
})
