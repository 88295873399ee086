import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { appCaller, createSmallGateway, type SmallGateway } from '../../test/small-gateway.ts'
import { newApiKey } from './admin.ts'
import type { Caller, Policy } from './caller.ts'
import { createCallers } from './callers.ts'
import type { Callers } from './gateway.ts'
import { newSecret, secretHash } from './secrets.ts'
import type { Storage } from './storage.ts'

let world: SmallGateway
let callers: Callers
/** Another process on the same database. */
let elsewhere: Storage

const admin = appCaller({ role: 'admin' })

beforeEach(async () => {
  world = await createSmallGateway()
  callers = world.gateway.callers
  elsewhere = await world.place.open({ now: world.now })
})
afterEach(() => world.remove())

async function key(
  role: Caller['role'] = 'app',
  about: { policy?: Policy; expiresAt?: number } = {},
): Promise<{ id: string; secret: string }> {
  const { apiKey, secret } = newApiKey({ projectId: 'default', name: 'A key', role, ...about }, world.now())
  await world.storage.apiKeys.create(apiKey)
  return { id: apiKey.id, secret }
}

describe('an API key', () => {
  test('acts for its project with its role and policy', async () => {
    const { id, secret } = await key('app', { policy: { effects: ['read'] } })

    expect(await callers.fromApiKey(secret)).toEqual({
      projectId: 'default',
      role: 'app',
      userId: null,
      actor: { type: 'api_key', id },
      policy: { effects: ['read'] },
    })
  })

  test.each([
    ['missing', undefined, 'This needs an API key'],
    ['empty', '', 'This needs an API key'],
    ['unknown', 'pb_app_made-up', 'Unknown API key'],
  ])('that is %s is refused with what is wrong', async (_, secret, said) => {
    await expect(callers.fromApiKey(secret)).rejects.toMatchObject({
      code: 'unauthorized',
      message: expect.stringContaining(said),
    })
  })

  test('that has expired is refused by name from that moment on, though it is held in memory', async () => {
    const { secret } = await key('app', { expiresAt: world.now() + 1_000 })
    await callers.fromApiKey(secret)
    world.advance(1_000)

    await expect(callers.fromApiKey(secret)).rejects.toMatchObject({
      code: 'unauthorized',
      message: 'The API key "A key" has expired. Make a new one.',
    })
  })

  test('is read once, and again when another process has revoked it', async () => {
    const { id, secret } = await key()
    await callers.fromApiKey(secret)
    await expect(callers.fromApiKey(secret)).resolves.toBeDefined()

    await elsewhere.apiKeys.revoke('default', id, world.now())

    await expect
      .poll(() => callers.fromApiKey(secret).catch((error: Error) => error.message))
      .toBe('The API key "A key" was revoked. Make a new one.')
  })

  test('that was unknown is not remembered as unknown', async () => {
    const { apiKey, secret } = newApiKey({ projectId: 'default', name: 'Later', role: 'app' }, world.now())
    await expect(callers.fromApiKey(secret)).rejects.toMatchObject({ code: 'unauthorized' })

    await elsewhere.apiKeys.create(apiKey)

    await expect(callers.fromApiKey(secret)).resolves.toMatchObject({ actor: { id: apiKey.id } })
  })

  test('of a project that another process deleted is unknown', async () => {
    const { project, adminKey } = await world.gateway.admin.createProject(admin, 'Short', 'r1')
    await callers.fromApiKey(adminKey)

    await elsewhere.projects.remove(project.id)

    await expect
      .poll(() => callers.fromApiKey(adminKey).catch((error: Error) => error.message))
      .toMatch(/^Unknown API key/)
  })

  test('says when it was last used at most once a minute', async () => {
    const { id, secret } = await key()
    const used = async () => (await world.storage.apiKeys.list('default')).find((one) => one.id === id)?.lastUsedAt
    const first = world.now()
    await callers.fromApiKey(secret)
    await expect.poll(used).toBe(first)

    world.advance(59_000)
    await callers.fromApiKey(secret)
    world.advance(2_000)
    await callers.fromApiKey(secret)

    await expect.poll(used).toBe(first + 61_000)
  })
})

test('a storage that fails once is asked again', async () => {
  const { secret } = await key()
  let fails = true
  const flaky = createCallers({
    now: world.now,
    storage: {
      ...world.storage,
      catchUp: () => {},
      apiKeys: {
        ...world.storage.apiKeys,
        async findByHash(hash) {
          if (fails) throw new Error('away')
          return world.storage.apiKeys.findByHash(hash)
        },
      },
    },
  })
  await expect(flaky.fromApiKey(secret)).rejects.toThrow('away')
  fails = false

  await expect(flaky.fromApiKey(secret)).resolves.toMatchObject({ role: 'app' })
})

describe('the token of an instance', () => {
  test('acts for its one user under its policy', async () => {
    const { instance, token } = await world.gateway.instances.create(
      admin,
      { userId: 'ann', policy: { connectors: ['notes'] } },
      'r1',
    )

    expect((await callers.fromInstanceToken(instance.id, token)).caller).toEqual({
      projectId: 'default',
      role: 'user',
      userId: 'ann',
      actor: { type: 'instance', id: instance.id },
      policy: { connectors: ['notes'] },
    })
  })

  test('and an instance that is not there are refused with the same words', async () => {
    const { instance, token } = await world.gateway.instances.create(admin, { userId: 'ann' }, 'r1')
    const other = await world.gateway.instances.create(admin, { userId: 'ann' }, 'r1')
    const refusals = await Promise.all(
      (
        [
          [instance.id, undefined],
          [instance.id, ''],
          [instance.id, other.token],
          [instance.id, token.slice(0, -1)],
          [instance.id, `${token}x`],
          ['inst_made-up', token],
          ['inst_made-up', undefined],
        ] as const
      ).map(([id, given]) =>
        callers.fromInstanceToken(id, given).then(
          () => 'let in',
          (error: Error & { code: string }) => `${error.code}: ${error.message}`,
        ),
      ),
    )

    expect(new Set(refusals)).toEqual(
      new Set(['unauthorized: This MCP address needs its own bearer token: "Authorization: Bearer pb_inst_…".']),
    )
  })

  test('that another process made anew no longer works here', async () => {
    const { instance, token } = await world.gateway.instances.create(admin, { userId: 'ann' }, 'r1')
    await callers.fromInstanceToken(instance.id, token)

    await elsewhere.instances.update('default', 'ann', instance.id, { tokenHash: secretHash('another') }, [])

    await expect
      .poll(() => callers.fromInstanceToken(instance.id, token).catch((error) => error.code))
      .toBe('unauthorized')
  })
})

describe('a session', () => {
  test('is an administrator, and can do no more than the key that signed in', async () => {
    const { secret, id } = await key('admin', { policy: { effects: ['read'], users: ['ann'] } })
    const { cookie, caller } = await world.gateway.sessions.create(secret, 'r1')

    const later = await callers.fromSession(cookie)

    expect(later).toEqual(caller)
    expect(later).toEqual({
      projectId: 'default',
      role: 'admin',
      userId: null,
      actor: { type: 'session', id },
      policy: { effects: ['read'], users: ['ann'] },
    })
  })

  test('ends after twelve hours, with its key, and when another process ends it', async () => {
    const { secret } = await key('admin', { expiresAt: world.now() + 3_600_000 })
    const lasting = await key('admin')
    const ofShortKey = (await world.gateway.sessions.create(secret, 'r1')).cookie
    const ended = (await world.gateway.sessions.create(lasting.secret, 'r1')).cookie
    const own = (await world.gateway.sessions.create(lasting.secret, 'r1')).cookie
    const alive = async () => (await Promise.all([ofShortKey, ended, own].map(callers.fromSession))).map(Boolean)
    expect(await alive()).toEqual([true, true, true])

    await elsewhere.sessions.remove(secretHash(ended), [])
    await expect.poll(alive).toEqual([true, false, true])
    world.advance(3_600_000)
    expect(await alive()).toEqual([false, false, true])
    world.advance(11 * 3_600_000)
    expect(await alive()).toEqual([false, false, false])
  })

  test('ends everywhere when its key is revoked', async () => {
    const { id, secret } = await key('admin')
    const { cookie } = await world.gateway.sessions.create(secret, 'r1')
    expect(await callers.fromSession(cookie)).toBeDefined()

    await elsewhere.apiKeys.revoke('default', id, world.now())

    await expect.poll(() => callers.fromSession(cookie)).toBeUndefined()
  })

  test('nobody started is nobody', async () => {
    expect(await callers.fromSession(newSecret(''))).toBeUndefined()
  })
})
