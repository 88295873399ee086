import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Connection } from '../../src/core/connection.ts'
import type { PatchbayError } from '../../src/core/errors.ts'
import { OAuthError } from '../../src/core/oauth.ts'
import { createWorld, endedToken, gate, HOUR_MS, type World } from './world.ts'

let world: World
beforeEach(async () => {
  world = await createWorld()
})
afterEach(() => world.remove())

const invalidGrant = () =>
  new OAuthError('invalid_grant', 'Mail refused the refresh token.', { failure: 'user', status: 400 })
const failing = (error: unknown) => () => Promise.reject(error)
const failure = (call: Promise<unknown>): Promise<PatchbayError> =>
  call.then(
    () => expect.fail('it did not fail'),
    (error) => error,
  )
const presented = () => world.asked.map(({ refreshToken }) => refreshToken)

describe('one process', () => {
  test('asks the provider once for any number of uses of an ended token', async () => {
    const credentials = world.process()
    const connection = await world.connect()

    const used = await Promise.all(Array.from({ length: 100 }, () => credentials.use(connection, ['default'])))

    expect(new Set(used.map(({ accessToken }) => accessToken))).toEqual(new Set(['at_new_1']))
    expect(presented()).toEqual(['rt_old'])
    expect(await world.row(connection)).toMatchObject({ generation: 2, status: 'active', refreshIntent: null })
  })

  test('commits the new pair before anyone gets it', async () => {
    const order: string[] = []
    const credentials = world.process({
      faults: {
        async commitRefresh(...commit) {
          const stored = await world.storage.connections.commitRefresh(...commit)
          order.push('committed')
          return stored
        },
      },
    })
    const connection = await world.connect()

    await credentials.use(connection, ['default']).then(() => order.push('used'))

    expect(order).toEqual(['committed', 'used'])
  })

  test('refreshes ahead of expiry without holding up the use that noticed', async () => {
    const credentials = world.process()
    const token = { ...endedToken(world.now()), expiresAt: world.now() + HOUR_MS }
    const connection = await world.connect({ default: token })
    const answered = gate()
    world.answers.push(async (request) => {
      await answered.promise
      return world.rotated(request)
    })
    world.advance(HOUR_MS * 0.9)

    const used = await Promise.all(Array.from({ length: 10 }, () => credentials.use(connection, ['default'])))

    expect(used.map(({ accessToken }) => accessToken)).toEqual(used.map(() => 'at_old'))
    answered.resolve()
    await credentials.settled()
    expect(await world.row(connection)).toMatchObject({ generation: 2 })
    expect(presented()).toEqual(['rt_old'])
  })

  test('settles only when what a provider has handed out is stored', async () => {
    const credentials = world.process()
    const connection = await world.connect({
      default: { ...endedToken(world.now()), expiresAt: world.now() + HOUR_MS },
    })
    const [reached, answered] = [gate(), gate()]
    world.answers.push(async (request) => {
      reached.resolve()
      await answered.promise
      return world.rotated(request)
    })
    world.advance(HOUR_MS * 0.9)
    await credentials.use(connection, ['default'])
    await reached.promise

    let settled = false
    const settling = credentials.settled().then(() => {
      settled = true
    })
    await new Promise(setImmediate)
    expect(settled).toBe(false)
    answered.resolve()
    await settling

    expect((await world.tokens(connection))['default']?.refreshToken).toBe('rt_new_1')
  })

  test('uses the last seconds of a token while the provider is away', async () => {
    const credentials = world.process()
    const connection = await world.connect({ default: { ...endedToken(world.now()), expiresAt: world.now() + 5_000 } })
    world.answers.push(failing(new OAuthError('network', 'Mail could not be reached.', { failure: 'transient' })))

    expect(await credentials.use(connection, ['default'])).toMatchObject({ accessToken: 'at_old', generation: 1 })

    world.advance(5_001)
    expect(await credentials.use(connection, ['default'])).toMatchObject({ accessToken: 'at_new_1', generation: 2 })
  })

  test('keeps several tokens of a connection apart and renews each once, also asked for at once', async () => {
    await world.remove()
    world = await createWorld({ tokenAt: { bot: '$', user: '$.authed_user' } })
    const credentials = world.process()
    const connection = await world.connect({
      bot: endedToken(world.now(), 'bot'),
      user: endedToken(world.now(), 'user'),
    })

    const uses = Array.from({ length: 20 }, (_, n) => credentials.use(connection, [n % 2 ? 'bot' : 'user']))
    const used = await Promise.all(uses)

    expect(presented().sort()).toEqual(['rt_bot', 'rt_user'])
    const byName = (name: string) =>
      new Set(used.filter((one) => one.name === name).map(({ accessToken }) => accessToken))
    const tokens = await world.tokens(connection)
    expect(byName('bot')).toEqual(new Set([tokens['bot']?.accessToken]))
    expect(byName('user')).toEqual(new Set([tokens['user']?.accessToken]))
    expect(tokens['bot']?.accessToken).not.toBe(tokens['user']?.accessToken)
    expect(await world.row(connection)).toMatchObject({ generation: 3 })
  })

  test('renews a refused token also when only another token of the connection was renewed meanwhile', async () => {
    await world.remove()
    world = await createWorld({ tokenAt: { bot: '$', user: '$.authed_user' } })
    const credentials = world.process()
    const live = (name: string) => ({ ...endedToken(world.now(), name), expiresAt: world.now() + HOUR_MS })
    const connection = await world.connect({ bot: live('bot'), user: live('user') })
    const used = await credentials.use(connection, ['user'])
    await world.commit(connection, { bot: live('bot2'), user: live('user') })

    const renewed = await credentials.renew(connection, used)

    expect(renewed).toMatchObject({ accessToken: 'at_new_1', name: 'user', generation: 3 })
    expect(presented()).toEqual(['rt_user'])
  })

  test('does not take the generation that was refused for a newer one', async () => {
    // A use with an old row is about to learn of generation 2, whose token a service has just refused.
    const [reached, goOn] = [gate(), gate()]
    let begins = 0
    const credentials = world.process({
      faults: {
        async beginRefresh(...begin) {
          if (begins++ === 0) {
            reached.resolve()
            await goOn.promise
          }
          return world.storage.connections.beginRefresh(...begin)
        },
      },
    })
    const old = await world.connect()
    const live = { ...endedToken(world.now(), 'second'), expiresAt: world.now() + HOUR_MS }
    await world.commit(old, { default: live })
    const late = credentials.use(old, ['default'])
    await reached.promise

    const renewing = credentials.renew(old, { accessToken: 'at_second', name: 'default', generation: 2 })
    for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate)
    goOn.resolve()

    expect(await late).toMatchObject({ generation: 2 })
    expect(await renewing).toMatchObject({ accessToken: 'at_new_1', generation: 3 })
  })

  test('answers 50 refused calls at once with one refresh', async () => {
    const credentials = world.process()
    const connection = await world.connect({
      default: { ...endedToken(world.now()), expiresAt: world.now() + HOUR_MS },
    })
    const used = await credentials.use(connection, ['default'])

    const renewed = await Promise.all(Array.from({ length: 50 }, () => credentials.renew(connection, used)))

    expect(new Set(renewed.map(({ generation }) => generation))).toEqual(new Set([2]))
    expect(presented()).toEqual(['rt_old'])
  })

  test('marks a connection dead whose token is refused and cannot be renewed', async () => {
    const credentials = world.process()
    const connection = await world.connect({ default: { accessToken: 'at_only' } })
    const used = await credentials.use(connection, ['default'])

    const error = await failure(credentials.renew(connection, used))

    expect(error).toMatchObject({
      code: 'needs_reauth',
      details: { reason: 'no_refresh_token' },
      fix: { action: 'Connect Mail again' },
    })
    expect(await world.row(connection)).toMatchObject({
      status: 'needs_reauth',
      statusReason: { code: 'no_refresh_token' },
      leaseUntil: null,
    })
    expect(world.asked).toEqual([])
  })

  test('says that there is nothing to trade, and leaves a token alone that has no refresh token', async () => {
    const credentials = world.process()
    const connection = await world.connect({ default: { accessToken: 'at_only' } })

    expect(await failure(credentials.refresh(connection))).toMatchObject({
      code: 'conflict',
      message: expect.stringContaining('nothing to trade'),
    })

    expect(await world.row(connection)).toEqual(connection)
    expect(await credentials.use(connection, ['default'])).toMatchObject({ accessToken: 'at_only' })
  })

  test('ends a grant at the provider whose connection was deleted while it was made', async () => {
    const credentials = world.process()
    const connection = await world.connect()
    world.answers.push(async (request) => {
      await world.storage.connections.remove('default', connection.userId, connection.id, [])
      return world.rotated(request)
    })

    expect(await failure(credentials.use(connection, ['default']))).toMatchObject({ code: 'not_found' })

    expect(world.revoked).toEqual(['rt_new_1'])
  })

  test('a failing connection harms no other, nor another host of the same provider', async () => {
    await world.remove()
    world = await createWorld({
      tokenUrl: 'https://{shop}.mail.test/token',
      connectionParams: [{ key: 'shop', label: 'Shop', required: true, pattern: '[a-z]+' }],
    })
    const credentials = world.process()
    const down = new OAuthError('http_503', 'Mail answered with something that is no OAuth reply.', {
      failure: 'transient',
      status: 503,
    })
    for (let n = 0; n < 8; n++) {
      world.answers.push(failing(down))
      await failure(credentials.use(await world.connect(undefined, { settings: { shop: 'dead' } }), ['default']))
    }

    const resting = await failure(
      credentials.use(await world.connect(undefined, { settings: { shop: 'dead' } }), ['default']),
    )
    const other = await credentials.use(await world.connect(undefined, { settings: { shop: 'alive' } }), ['default'])

    expect(resting).toMatchObject({
      code: 'provider_unavailable',
      retryAfter: expect.any(Number),
      message: expect.stringContaining('several times in a row'),
    })
    expect(world.asked).toHaveLength(9)
    expect(other).toMatchObject({ generation: 2 })
  })
})

describe('several processes', () => {
  test('use the pair that another one stored when the provider says the token is spent', async () => {
    const credentials = world.process()
    const connection = await world.connect()
    const theirs = { ...endedToken(world.now(), 'theirs'), expiresAt: world.now() + HOUR_MS }
    world.answers.push(async () => {
      await world.commit(connection, { default: theirs })
      throw invalidGrant()
    })

    expect(await credentials.use(connection, ['default'])).toMatchObject({ accessToken: 'at_theirs', generation: 2 })

    expect(await world.row(connection)).toMatchObject({ status: 'active', statusReason: null })
    expect((await world.events(connection)).map(({ type }) => type)).toEqual([])
  })

  test('one that lost its lease leaves the outcome to the one that holds it', async () => {
    const [slow, other] = [world.process(), world.process()]
    const connection = await world.connect()
    const theirs = gate()
    let second: Promise<unknown> | undefined
    const asking = gate()
    world.answers.push(async () => {
      world.advance(25_000)
      second = other.use(connection, ['default'])
      await asking.promise
      throw invalidGrant()
    })
    world.answers.push(async (request) => {
      asking.resolve()
      await theirs.promise
      return world.rotated(request)
    })

    const first = slow.use(connection, ['default'])
    await asking.promise
    for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate)
    theirs.resolve()

    expect(await first).toMatchObject({ accessToken: 'at_new_1', generation: 2 })
    expect(await second).toMatchObject({ accessToken: 'at_new_1', generation: 2 })
    expect(await world.row(connection)).toMatchObject({ status: 'active' })
  })

  test('one that was stopped until its lease ran out does not present the spent token', async () => {
    const connection = await world.connect()
    const other = world.process()
    const paused = world.process({
      oauthApps: {
        async forConnection() {
          world.advance(25_000)
          await other.use(connection, ['default'])
          return { clientId: 'gateway' }
        },
        forProject: async () => undefined,
        configured: async () => true,
      },
    })

    expect(await paused.use(connection, ['default'])).toMatchObject({ accessToken: 'at_new_1', generation: 2 })

    expect(presented()).toEqual(['rt_old'])
  })

  test('store the pair of one whose lease ran out when nobody has stored another', async () => {
    const [slow, other] = [world.process(), world.process()]
    const connection = await world.connect()
    world.answers.push(async (request) => {
      world.advance(25_000)
      const taken = await world.storage.connections.beginRefresh(connection.id, 1, 'crashed', 1_000)
      expect(taken).toBeDefined()
      return world.rotated(request)
    })

    expect(await slow.use(connection, ['default'])).toMatchObject({ accessToken: 'at_new_1', generation: 2 })

    expect(await other.use(await world.row(connection), ['default'])).toMatchObject({ accessToken: 'at_new_1' })
    expect(presented()).toEqual(['rt_old'])
  })

  test('do not repeat what has just failed in one of them', async () => {
    const [first, second] = [world.process(), world.process()]
    const connection = await world.connect()
    const [asking, answered] = [gate(), gate()]
    world.answers.push(async () => {
      asking.resolve()
      await answered.promise
      throw new OAuthError('http_502', 'Mail answered with something that is no OAuth reply.', {
        failure: 'transient',
        status: 502,
      })
    })

    const failed = failure(first.use(connection, ['default']))
    await asking.promise
    const waiting = failure(second.use(connection, ['default']))
    answered.resolve()

    expect(await failed).toMatchObject({ code: 'provider_unavailable', providerStatus: 502 })
    expect(await waiting).toMatchObject({
      code: 'provider_unavailable',
      retryable: true,
      retryAfter: expect.any(Number),
    })
    expect(world.asked).toHaveLength(1)
  })

  test('do not ask again for a connection that one of them found dead', async () => {
    const [first, second] = [world.process(), world.process()]
    const connection = await world.connect()
    world.answers.push(failing(invalidGrant()))

    await failure(first.use(connection, ['default']))
    // Still with the row as it was before.
    const late = await failure(second.use(connection, ['default']))
    const refused = await failure(second.renew(connection, { accessToken: 'at_old', name: 'default', generation: 1 }))

    expect(late).toMatchObject({ code: 'needs_reauth', details: { reason: 'invalid_grant' } })
    expect(refused).toMatchObject({ code: 'needs_reauth' })
    expect(world.asked).toHaveLength(1)
  })

  test('with clocks apart still share one refresh', async () => {
    const ahead = world.process()
    const behind = world.process({ now: () => world.now() - 120_000 })
    const connection = await world.connect()

    await ahead.use(connection, ['default'])
    // By its own clock the token has not ended, and by the row it holds nothing has changed: the service refuses it.
    const used = await behind.use(connection, ['default'])
    expect(used).toMatchObject({ accessToken: 'at_old' })
    const renewed = await behind.renew(connection, used)

    expect(renewed).toMatchObject({ accessToken: 'at_new_1', generation: 2 })
    expect(presented()).toEqual(['rt_old'])
  })
})

describe('a failed refresh', () => {
  const cases: {
    what: string
    error: OAuthError
    left?: number
    status: Connection['status']
    reason: string
    code: string
    message: RegExp
    /** Milliseconds until the next try, at least and at most; none when only the user can mend it. */
    again?: [number, number]
    intent: boolean
  }[] = [
    {
      what: 'a network that broke before anything was sent',
      error: new OAuthError('network', 'Mail could not be reached.', { failure: 'transient' }),
      status: 'expiring',
      reason: 'provider_unavailable',
      code: 'provider_unavailable',
      message: /did not refresh the access/,
      again: [1_500, 2_500],
      intent: false,
    },
    {
      what: 'a timeout that leaves open whether the provider acted',
      error: new OAuthError('timeout', 'Mail did not answer in time.', { failure: 'transient', ambiguous: true }),
      status: 'expiring',
      reason: 'provider_unavailable',
      code: 'provider_unavailable',
      message: /did not answer in time/,
      again: [1_500, 2_500],
      intent: true,
    },
    {
      what: 'a rate limit that says when to come back',
      error: new OAuthError('slow_down', 'Mail asks to slow down.', {
        failure: 'transient',
        status: 429,
        retryAfter: 90,
      }),
      status: 'expiring',
      reason: 'provider_unavailable',
      code: 'provider_unavailable',
      message: /slow down/,
      again: [90_000, 90_000],
      intent: false,
    },
    {
      what: 'an OAuth app that is refused',
      error: new OAuthError('invalid_client', 'Mail did not accept the client id or secret of its OAuth app.', {
        failure: 'configuration',
        status: 401,
      }),
      status: 'error',
      reason: 'invalid_client',
      code: 'not_configured',
      message: /refuses the gateway's OAuth app \(invalid_client\)/,
      again: [30_000, 30_000],
      intent: false,
    },
    {
      what: 'an OAuth app that is refused while the token still works',
      error: new OAuthError('invalid_client', 'Mail did not accept the client id or secret of its OAuth app.', {
        failure: 'configuration',
        status: 401,
      }),
      left: 600_000,
      status: 'expiring',
      reason: 'invalid_client',
      code: 'provider_unavailable',
      message: /did not accept the client id/,
      again: [30_000, 30_000],
      intent: false,
    },
    {
      what: 'access that was revoked',
      error: invalidGrant(),
      status: 'needs_reauth',
      reason: 'invalid_grant',
      code: 'needs_reauth',
      message: /ended this access: it was revoked, it expired/,
      intent: false,
    },
    {
      what: "a provider's policy",
      error: new OAuthError('admin_policy_enforced', "The account's administrator does not allow this app.", {
        failure: 'policy',
        status: 400,
      }),
      status: 'needs_reauth',
      reason: 'admin_policy_enforced',
      code: 'needs_reauth',
      message: /administrator does not allow/,
      intent: false,
    },
  ]

  test.each(cases)('by $what says so', async ({ error, left, status, reason, code, message, again, intent }) => {
    const credentials = world.process()
    const connection = await world.connect({
      default: { ...endedToken(world.now()), ...(left && { expiresAt: world.now() + left }) },
    })
    world.answers.push(failing(error))

    const thrown = await failure(credentials.refresh(connection))

    expect(thrown).toMatchObject({ code, message: expect.stringMatching(message) })
    expect(JSON.stringify([thrown.message, thrown.details, thrown.fix])).not.toMatch(/rt_old|at_old|secret-of/)
    const row = await world.row(connection)
    expect(row).toMatchObject({
      status,
      statusReason: { code: reason, message: expect.any(String), fix: expect.any(String) },
      generation: 1,
      refreshFailures: 1,
      leaseUntil: null,
    })
    expect(row.credential).toBe(connection.credential)
    expect(row.refreshIntent !== null).toBe(intent)
    if (again) {
      const wait = (row.refreshAfter as number) - world.now()
      expect(wait).toBeGreaterThanOrEqual(again[0])
      expect(wait).toBeLessThanOrEqual(again[1])
    } else expect(row.refreshAfter).toBeNull()
    expect(await world.events(connection)).toEqual([
      {
        type: 'connection.refresh_failed',
        code: error.code,
        details: expect.objectContaining({ class: error.failure, status }),
      },
    ])
    if (left) expect(await credentials.use(row, ['default'])).toMatchObject({ accessToken: 'at_old' })
  })

  test('waits longer each time, two minutes at most, and then heals by itself', async () => {
    const credentials = world.process()
    const connection = await world.connect()
    const waits: number[] = []
    for (let n = 0; n < 10; n++) {
      world.answers.push(
        failing(new OAuthError('network', 'Mail could not be reached.', { failure: 'transient', status: 429 })),
      )
      await failure(credentials.use(await world.row(connection), ['default']))
      waits.push(((await world.row(connection)).refreshAfter as number) - world.now())
      // Before its time nobody is asked.
      expect(await failure(credentials.use(await world.row(connection), ['default']))).toMatchObject({
        code: 'provider_unavailable',
      })
      world.advance((waits.at(-1) as number) + 1)
    }

    expect(world.asked).toHaveLength(10)
    for (const [n, wait] of waits.entries()) {
      const base = Math.min(2_000 * 2 ** n, 120_000)
      expect(wait).toBeGreaterThanOrEqual(base * 0.75)
      expect(wait).toBeLessThanOrEqual(base * 1.25)
    }
    expect(await credentials.use(await world.row(connection), ['default'])).toMatchObject({ generation: 2 })
    expect(await world.row(connection)).toMatchObject({ status: 'active', statusReason: null, refreshFailures: 0 })
  })

  test('by a wrong OAuth app heals on the next use after a while, or at once when someone asks for it', async () => {
    const credentials = world.process()
    const wrong = new OAuthError('invalid_client', 'Mail did not accept the client id.', {
      failure: 'configuration',
      status: 401,
    })
    const [one, two] = [await world.connect(), await world.connect()]
    world.answers.push(failing(wrong), failing(wrong))
    await failure(credentials.use(one, ['default']))
    await failure(credentials.use(two, ['default']))

    expect(await failure(credentials.use(await world.row(one), ['default']))).toMatchObject({ code: 'not_configured' })
    expect(await credentials.refresh(await world.row(two))).toMatchObject({ status: 'active', generation: 2 })
    world.advance(31_000)
    expect(await credentials.use(await world.row(one), ['default'])).toMatchObject({ generation: 2 })
  })

  test.each([
    ['is refused afterwards, says that a refresh was cut short', false],
    ['works all the same, goes on', true],
  ])('whose answer was lost keeps that in mind: when the old token %s', async (_, works) => {
    const credentials = world.process()
    const connection = await world.connect()
    world.answers.push(
      failing(new OAuthError('timeout', 'Mail did not answer in time.', { failure: 'transient', ambiguous: true })),
    )
    // Nothing was sent this time: the doubt about the first remains.
    world.answers.push(failing(new OAuthError('network', 'Mail could not be reached.', { failure: 'transient' })))
    for (let n = 0; n < 2; n++) {
      await failure(credentials.use(await world.row(connection), ['default']))
      world.advance(10_000)
    }
    if (!works) world.answers.push(failing(invalidGrant()))

    const outcome = await credentials
      .use(await world.row(connection), ['default'])
      .catch((error: PatchbayError) => error.details?.['reason'])

    if (works) {
      expect(outcome).toMatchObject({ generation: 2 })
      expect((await world.events(connection)).at(-1)).toMatchObject({
        type: 'connection.refreshed',
        details: { interrupted: true },
      })
    } else {
      expect(outcome).toBe('refresh_interrupted')
      expect(await world.row(connection)).toMatchObject({
        status: 'needs_reauth',
        statusReason: { message: expect.stringContaining('cut short') },
      })
    }
  })
})

describe('a storage that fails', () => {
  test.each([
    ['refuses the commit for a while', false],
    ['commits and does not say so', true],
  ])('and %s does not lose the pair', async (_, commits) => {
    let refusals = 3
    const credentials = world.process({
      faults: {
        async commitRefresh(...commit) {
          if (refusals-- > 0) {
            if (commits) await world.storage.connections.commitRefresh(...commit)
            throw new Error('the connection to the database was lost')
          }
          return world.storage.connections.commitRefresh(...commit)
        },
      },
    })
    const connection = await world.connect()

    expect(await credentials.use(connection, ['default'])).toMatchObject({ accessToken: 'at_new_1', generation: 2 })

    expect(await world.tokens(connection)).toMatchObject({ default: { refreshToken: 'rt_new_1' } })
    expect(presented()).toEqual(['rt_old'])
    expect((await world.events(connection)).map(({ type }) => type)).toEqual(['connection.refreshed'])
  })

  test('also loses no pair when its data keys cannot be read for a moment', async () => {
    const connection = await world.connect()
    const { vault } = world
    let refusals = 2
    const seal = vault.seal
    const credentials = world.process()
    world.answers.push(async (request) => {
      vault.seal = async (...args) => {
        if (refusals-- > 0) throw new Error('the connection to the database was lost')
        return seal(...args)
      }
      return world.rotated(request)
    })

    expect(await credentials.use(connection, ['default'])).toMatchObject({ accessToken: 'at_new_1' })
    expect(refusals).toBe(-1)
    expect(presented()).toEqual(['rt_old'])
  })

  test('when it cannot give the lease says nothing about the provider and changes nothing', async () => {
    const credentials = world.process({
      faults: { beginRefresh: () => Promise.reject(new Error('the disk is full')) },
    })
    const connection = await world.connect()

    await expect(credentials.use(connection, ['default'])).rejects.toThrow('the disk is full')

    expect(await world.row(connection)).toEqual(connection)
    expect(world.asked).toEqual([])
  })

  test('whose sealed value was altered frees the lease and keeps the row', async () => {
    const credentials = world.process()
    const connection = await world.connect()
    const sealed = connection.credential as string
    await world.storage.connections.reseal(connection.id, sealed, `${sealed.slice(0, -4)}AAAA`)

    // The row at hand still opens; the one under the lease does not.
    const error = await failure(credentials.use(connection, ['default']))

    expect(error.message).toMatch(/does not open: it was altered/)
    expect(await world.row(connection)).toMatchObject({ status: 'active', leaseUntil: null, refreshFailures: 1 })
    expect(world.asked).toEqual([])
  })
})
