import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { appCaller, createSmallGateway, type SmallGateway } from '../../test/small-gateway.ts'
import { createAdmin } from './admin.ts'
import type { Admin } from './gateway.ts'
import { createOAuthApps } from './oauth-apps.ts'
import { createVault } from './vault.ts'

let world: SmallGateway
let admin: Admin
const root = appCaller({ role: 'admin' })

beforeEach(async () => {
  world = await createSmallGateway()
  admin = world.gateway.admin
})
afterEach(() => world.remove())

describe('a key', () => {
  test('can do no more than the key that made it', async () => {
    const maker = appCaller({ role: 'admin', policy: { effects: ['read'], users: ['ann'] } })

    const { apiKey } = await admin.createApiKey(
      maker,
      { name: 'More', role: 'admin', policy: { effects: ['read', 'destructive'], connectors: ['notes'] } },
      'r1',
    )

    expect(apiKey.policy).toEqual({ effects: ['read'], users: ['ann'], connectors: ['notes'] })
  })

  test.each([
    ['by a user key', { role: 'user', userId: 'ann' }, { role: 'user', userId: 'ann' }, 'forbidden'],
    ['of a higher role', { role: 'app' }, { role: 'admin' }, 'forbidden'],
    ['of the same role, by an app', { role: 'app' }, { role: 'app' }, 'forbidden'],
    [
      'for a user outside its own',
      { role: 'app', policy: { users: ['ann'] } },
      { role: 'user', userId: 'bob' },
      'not_found',
    ],
    ['for no user', { role: 'admin' }, { role: 'user' }, 'invalid_input'],
    ['of an app, for one user', { role: 'admin' }, { role: 'app', userId: 'ann' }, 'invalid_input'],
    [
      'for a user and two days',
      { role: 'admin' },
      { role: 'user', userId: 'ann', expiresInSeconds: 172_800 },
      'invalid_input',
    ],
  ] as const)('%s is not made', async (_, maker, asked, code) => {
    const before = (await admin.apiKeys(root)).length

    await expect(admin.createApiKey(appCaller(maker), { name: 'No', ...asked }, 'r1')).rejects.toMatchObject({ code })

    expect(await admin.apiKeys(root)).toHaveLength(before)
  })

  test('for one user ends after an hour unless asked otherwise, others last', async () => {
    const made = async (request: object) =>
      (await admin.createApiKey(root, { name: 'K', role: 'user', userId: 'ann', ...request }, 'r1')).apiKey.expiresAt

    expect(await made({})).toBe(world.now() + 3_600_000)
    expect(await made({ expiresInSeconds: 60 })).toBe(world.now() + 60_000)
    expect(await made({ role: 'app', userId: undefined })).toBeNull()
  })

  test('that is the last admin key cannot be revoked; one that has ended does not count', async () => {
    const [first] = await admin.apiKeys(root)
    const id = first?.id as string
    await admin.createApiKey(root, { name: 'Soon over', role: 'admin', expiresInSeconds: 60 }, 'r1')
    world.advance(60_000)
    await expect(admin.revokeApiKey(root, id, 'r2')).rejects.toMatchObject({ code: 'conflict' })

    await admin.createApiKey(root, { name: 'Second', role: 'admin' }, 'r3')
    await admin.revokeApiKey(root, id, 'r4')

    expect((await admin.apiKeys(root)).find((one) => one.id === id)?.revokedAt).toBe(world.now())
    await expect(admin.revokeApiKey(root, 'key_made-up', 'r5')).rejects.toMatchObject({ code: 'not_found' })
  })
})

describe('a project', () => {
  test('that deletes itself is told in the log of the one that runs the gateway', async () => {
    const { project } = await admin.createProject(root, 'Short', 'r1')
    const own = appCaller({ role: 'admin', projectId: project.id, actor: { type: 'api_key', id: 'key_own' } })

    await admin.removeProject(own, project.id, 'r2')

    expect((await world.events()).find((event) => event.type === 'project.deleted')).toMatchObject({
      requestId: 'r2',
      actor: { type: 'api_key', id: 'key_own' },
      details: { project_id: project.id },
    })
  })

  test('does not exist for the administrator of another, and the one that runs the gateway stays', async () => {
    const { project } = await admin.createProject(root, 'Other', 'r1')
    const own = appCaller({ role: 'admin', projectId: project.id })

    expect((await admin.projects(own)).map((one) => one.id)).toEqual([project.id])
    await expect(admin.createProject(own, 'Third', 'r2')).rejects.toMatchObject({ code: 'forbidden' })
    await expect(admin.updateProject(own, 'default', { name: 'Mine' }, 'r3')).rejects.toMatchObject({
      code: 'not_found',
    })
    await expect(admin.removeProject(own, 'default', 'r4')).rejects.toMatchObject({ code: 'not_found' })
    await expect(admin.removeProject(root, 'default', 'r5')).rejects.toMatchObject({ code: 'conflict' })
  })

  test('takes no redirect address that could lead elsewhere', async () => {
    await expect(
      admin.updateProject(root, 'default', { redirectUrls: ['https://app.test/done', 'https://*.test/'] }, 'r1'),
    ).rejects.toMatchObject({
      code: 'invalid_input',
      message: '"redirect_urls": "https://*.test/" may hold a * only as its last path segment.',
    })
    expect((await admin.project(root)).redirectUrls).toEqual([])
  })
})

describe('an OAuth app', () => {
  const app = { providerId: 'notes', clientId: 'own' }
  const opened = async () => {
    const { storage, keyring } = world
    const vault = createVault(keyring, storage)
    return createOAuthApps({ storage, vault, environment: {} }).forProject('default', 'notes')
  }

  test('goes before that of the environment, which is listed until then', async () => {
    expect((await admin.oauthApps(root)).map(({ source, clientId }) => [source, clientId])).toEqual([
      ['environment', 'client'],
    ])

    await admin.saveOAuthApp(root, { ...app, clientSecret: 'hush' }, 'r1')

    const listed = await admin.oauthApps(root)
    expect(listed.map(({ source, clientId }) => [source, clientId])).toEqual([['stored', 'own']])
    expect(JSON.stringify(listed)).not.toContain('hush')
    expect(await opened()).toMatchObject({ clientId: 'own', clientSecret: 'hush' })
    expect(JSON.stringify(await world.events())).not.toContain('hush')
  })

  test('saved without a secret keeps the one of the same client, and of no other', async () => {
    await admin.saveOAuthApp(root, { ...app, clientSecret: 'hush' }, 'r1')
    await admin.saveOAuthApp(root, app, 'r2')
    expect(await opened()).toMatchObject({ clientId: 'own', clientSecret: 'hush' })

    await admin.saveOAuthApp(root, { ...app, clientId: 'another' }, 'r3')
    expect(await opened()).toEqual({ clientId: 'another', appId: expect.any(String) })
  })

  test('saved by two processes at once opens whichever came last', async () => {
    const storage = await world.place.open({ now: world.now })
    const vault = createVault(world.keyring, storage)
    const oauthApps = createOAuthApps({ storage, vault, environment: {} })
    const { catalogue, eventLog: events } = world.gateway
    const other = createAdmin({
      storage,
      vault,
      catalogue,
      oauthApps,
      environmentApps: {},
      events,
      publicUrl: 'https://gateway.test',
      now: world.now,
    })
    await vault.currentKeyId('default')

    await Promise.all([
      admin.saveOAuthApp(root, { ...app, clientSecret: 'hush' }, 'r1'),
      other.saveOAuthApp(root, { ...app, clientSecret: 'hush' }, 'r2'),
    ])

    expect(await opened()).toMatchObject({ clientId: 'own', clientSecret: 'hush' })
  })

  test('of an unknown provider is refused, with those there are', async () => {
    await expect(admin.saveOAuthApp(root, { providerId: 'nots', clientId: 'x' }, 'r1')).rejects.toMatchObject({
      code: 'not_found',
      message: 'There is no provider "nots". Known: notes.',
    })
  })
})

test.each(['app', 'user'] as const)('a key of the role %s administrates nothing', async (role) => {
  const caller = appCaller({ role, userId: role === 'user' ? 'ann' : null })
  const attempts = [
    () => admin.projects(caller),
    () => admin.createProject(caller, 'P', 'r'),
    () => admin.updateProject(caller, 'default', {}, 'r'),
    () => admin.removeProject(caller, 'default', 'r'),
    () => admin.apiKeys(caller),
    () => admin.revokeApiKey(caller, 'key_first', 'r'),
    () => admin.oauthApps(caller),
    () => admin.saveOAuthApp(caller, { providerId: 'notes', clientId: 'x' }, 'r'),
    () => admin.removeOAuthApp(caller, 'notes', 'r'),
    () => admin.connections(caller, { limit: 1 }),
  ]
  for (const attempt of attempts) await expect(attempt()).rejects.toMatchObject({ code: 'forbidden' })
})

test('an administrator limited to some users lists theirs only', async () => {
  await world.connect('ann')
  await world.connect('bob')
  const limited = appCaller({ role: 'admin', policy: { users: ['ann'] } })

  expect(await admin.users(limited)).toEqual(['ann'])
  await expect(admin.connections(limited, { limit: 10 })).rejects.toMatchObject({ code: 'invalid_input' })
  await expect(admin.connections(limited, { userId: 'bob', limit: 10 })).rejects.toMatchObject({ code: 'not_found' })
  expect((await admin.connections(limited, { userId: 'ann', limit: 10 })).map((one) => one.userId)).toEqual(['ann'])
})
