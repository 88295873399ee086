import { afterEach, beforeEach, expect, test } from 'vitest'
import { appCaller, createSmallGateway, type SmallGateway } from '../../test/small-gateway.ts'
import { createOAuthApps, type OAuthAppsOf } from './oauth-apps.ts'
import { VaultError } from './vault.ts'

let world: SmallGateway
let apps: OAuthAppsOf
const root = appCaller({ role: 'admin' })

beforeEach(async () => {
  world = await createSmallGateway()
  apps = createOAuthApps({
    storage: world.storage,
    vault: world.gateway.vault,
    environment: { notes: { clientId: 'shared', clientSecret: 'shared-secret' } },
  })
})
afterEach(() => world.remove())

const save = (clientId: string, clientSecret?: string) =>
  world.gateway.admin.saveOAuthApp(root, { providerId: 'notes', clientId, ...(clientSecret && { clientSecret }) }, 'r')

test('the environment serves every project until one has its own, and again when that is removed', async () => {
  const shared = { clientId: 'shared', clientSecret: 'shared-secret', appId: 'environment' }
  expect(await apps.forProject('default', 'notes')).toEqual(shared)
  expect(await apps.forProject('default', 'other')).toBeUndefined()

  const { id } = await save('own', 'own-secret')
  await expect
    .poll(() => apps.forProject('default', 'notes'))
    .toEqual({ clientId: 'own', clientSecret: 'own-secret', appId: id })
  expect(await apps.forProject('another', 'notes')).toEqual(shared)

  await world.gateway.admin.removeOAuthApp(root, 'notes', 'r')
  await expect.poll(() => apps.forProject('default', 'notes')).toEqual(shared)
})

test('a connection keeps the client it was made with as far as that is there', async () => {
  const { id } = await save('own', 'own-secret')

  const client = async (appId: string | null) => (await apps.forConnection('default', 'notes', appId))?.clientId
  await expect.poll(() => client(id)).toBe('own')
  expect(await client('environment')).toBe('shared')
  expect(await client(null)).toBe('own')
  expect(await client('app_replaced')).toBe('own')
})

test('a change of another process is taken in, also where there was nothing before', async () => {
  const elsewhere = await world.place.open({ now: world.now })
  const other = createOAuthApps({ storage: elsewhere, vault: world.gateway.vault, environment: {} })
  const seen = async () => {
    elsewhere.catchUp()
    return other.configured('default', 'notes')
  }
  expect(await seen()).toBe(false)

  await save('own')
  await expect.poll(seen).toBe(true)
  expect(await other.forProject('default', 'notes')).toEqual({ clientId: 'own', appId: expect.any(String) })

  await world.gateway.admin.removeOAuthApp(root, 'notes', 'r')
  await expect.poll(seen).toBe(false)
})

test('a secret copied from another project does not open', async () => {
  await save('own', 'own-secret')
  const { project } = await world.gateway.admin.createProject(root, 'Other', 'r')
  const stored = await world.storage.oauthApps.get('default', 'notes')
  await world.storage.oauthApps.save({
    ...(stored as NonNullable<typeof stored>),
    id: 'app_copy',
    projectId: project.id,
  })

  await expect(apps.forProject(project.id, 'notes')).rejects.toThrow(VaultError)
})

test('a storage that fails once is asked again', async () => {
  let fails = true
  const flaky = createOAuthApps({
    storage: {
      onChange: () => {},
      oauthApps: {
        ...world.storage.oauthApps,
        async get(projectId, providerId) {
          if (fails) throw new Error('away')
          return world.storage.oauthApps.get(projectId, providerId)
        },
      },
    },
    vault: world.gateway.vault,
    environment: {},
  })
  await expect(flaky.configured('default', 'notes')).rejects.toThrow('away')
  fails = false

  expect(await flaky.configured('default', 'notes')).toBe(false)
})
