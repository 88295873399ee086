import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { z } from 'zod'
import { appCaller, createSmallGateway, notes, PUBLIC_URL, type SmallGateway } from '../../test/small-gateway.ts'
import type { Caller } from './caller.ts'
import type { Connection } from './connection.ts'
import type { Connector, Tool } from './connector.ts'
import type { PatchbayError } from './errors.ts'
import type { ToolCall } from './gateway.ts'

let world: SmallGateway
const start = async (options: Parameters<typeof createSmallGateway>[0] = {}) => {
  await world?.remove()
  world = await createSmallGateway(options)
}
beforeEach(async () => {
  world = await createSmallGateway()
})
afterEach(async () => {
  vi.restoreAllMocks()
  await world.remove()
})

function call(
  name: string,
  args: Record<string, unknown> = {},
  about: Partial<ToolCall> = {},
  caller: Caller = appCaller(),
) {
  return world.gateway.tools.call(caller, {
    userId: 'ann',
    name,
    arguments: args,
    requestId: 'r1',
    signal: new AbortController().signal,
    via: 'rest',
    ...about,
  })
}
const sent = () => world.requests.map(({ method, url, body }) => [`${method} ${url}`, body ?? null])
const rows = (table: string) => world.place.execute(`select * from ${table}`)
const without = (run: Tool['run'], input: Tool['input'] = z.object({}), more: Partial<Tool> = {}): Connector => ({
  ...(notes as Connector),
  tools: { NOTES_RUN: { ...(notes.tools['NOTES_SEARCH'] as Tool), shape: undefined as never, input, run, ...more } },
})

describe('a request line', () => {
  test.each<[string, Record<string, unknown>, string, string | null]>([
    ['NOTES_GET_NOTE', { note_id: 'a b/ü?#%' }, 'GET /notes/a%20b%2F%C3%BC%3F%23%25?limit=10', null],
    ['NOTES_GET_NOTE', { note_id: '...' }, 'GET /notes/...?limit=10', null],
    ['NOTES_GET_NOTE', { note_id: '%2e%2e' }, 'GET /notes/%252e%252e?limit=10', null],
    [
      'NOTES_GET_NOTE',
      { note_id: '1', fields: ['a', 'b'], part: 'x&y' },
      'GET /notes/1?part=x%26y&fields=a&fields=b&limit=10',
      null,
    ],
    ['NOTES_SEARCH', { query: 'ä' }, 'POST /search', '{"query":"ä"}'],
    ['NOTES_SEARCH', {}, 'POST /search', null],
    ['NOTES_CREATE_NOTE', { text: 'Hi', folder: 'to do' }, 'POST /folders/to%20do/notes', '{"text":"Hi"}'],
    ['NOTES_CREATE_NOTE', { text: 'Hi' }, 'POST /folders/inbox/notes', '{"text":"Hi"}'],
    ['NOTES_SHARE_NOTE', { note_id: '1' }, 'PUT /notes/1/share', null],
    ['NOTES_DELETE_NOTE', { note_id: '1' }, 'DELETE /notes/1', null],
  ])('%s of %j asks for %s', async (name, args, line, body) => {
    await world.connect('ann')

    await call(name, args)

    const [method, path] = line.split(' ')
    expect(sent()).toEqual([[`${method} https://api.notes.test/v1${path}`, body]])
  })

  test.each(['', '.', '..'])('takes no %j for a part of its address', async (note_id) => {
    await world.connect('ann')

    await expect(call('NOTES_DELETE_NOTE', { note_id })).rejects.toMatchObject({
      code: 'invalid_input',
      message: '"note_id" must not be empty, "." or "..".',
    })
    expect(world.requests).toEqual([])
  })

  test('hands its answer on as its tool shapes it', async () => {
    await start({
      connectors: [without('GET /all', z.object({}), { shape: (answer) => answer.items.map((one: any) => one.id) })],
    })
    await world.connect('ann')
    world.answers.push({ body: { items: [{ id: 1, noise: 'x' }, { id: 2 }] } })

    expect((await call('NOTES_RUN')).data).toEqual([1, 2])
  })
})

describe('the account of a call', () => {
  let first: Connection
  let second: Connection
  beforeEach(async () => {
    const account = { id: 'A-1', label: 'Ann @ Work', email: 'ann@work.test' }
    first = await world.connect('ann', { label: 'Work', account })
    world.advance(1)
    second = await world.connect('ann', { label: 'Home', account: { id: 'A-2', label: 'Ann', email: 'ann@home.test' } })
    await world.connect('bob', { label: 'Bob', account: { id: 'B-1', label: 'Bob', email: 'bob@work.test' } })
  })
  const used = async (account?: unknown, about: Partial<ToolCall> = {}) =>
    (await call('NOTES_SEARCH', account === undefined ? {} : { account }, about)).connectionId

  test('is the default one unless it is named, by id, label, e-mail or the service’s own id, in any case', async () => {
    expect(await used()).toBe(first.id)
    expect(await used(null)).toBe(first.id)
    for (const name of [second.id, 'Home', 'hOmE', 'ANN@home.test', 'a-2', 'Ann'])
      expect(await used(name)).toBe(second.id)
    expect(await used(undefined, { account: 'home' })).toBe(second.id)
    expect(await used('Work', { account: 'Home' })).toBe(second.id)

    await world.gateway.connections.update(appCaller(), 'ann', second.id, { isDefault: true }, 'r')
    await expect.poll(() => used()).toBe(second.id)
    expect(world.requests.every(({ body }) => body === undefined)).toBe(true)
  })

  test.each<[unknown, string, RegExp]>([
    ['bob@work.test', 'invalid_input', /no Notes account "bob@work\.test"\. Choose one of: Work, Home\.$/],
    ['Bob', 'invalid_input', /Choose one of/],
    ['x'.repeat(100_000), 'invalid_input', /^.{0,300}$/],
    [7, 'invalid_input', /"account" must be text/],
    [{ id: 'A-2' }, 'invalid_input', /"account" must be text/],
  ])('that is %j is refused', async (account, code, message) => {
    await expect(used(account)).rejects.toMatchObject({ code, message: expect.stringMatching(message) })
    expect(world.requests).toEqual([])
  })

  test('that several answer to has to be told by id', async () => {
    const third = await world.connect('ann', { label: 'home', account: { id: 'A-3', label: 'Third' } })

    const error = (await used('Home').catch((thrown) => thrown)) as PatchbayError

    expect(error.code).toBe('ambiguous_account')
    expect(error.message).toContain(second.id)
    expect(error.message).toContain(third.id)
    expect(await used(third.id)).toBe(third.id)
  })

  test('that is dead is not silently replaced by another one', async () => {
    const reason = { code: 'invalid_grant', message: 'Access was withdrawn.', fix: 'Connect Notes again', at: 1 }
    await world.storage.connections.setStatus(first.id, first.generation, 'needs_reauth', reason, [])

    const error = (await used().catch((thrown) => thrown)) as PatchbayError

    expect(error).toMatchObject({ code: 'needs_reauth', message: expect.stringContaining('Access was withdrawn.') })
    expect(error.fix).toMatchObject({
      action: 'Connect Notes again',
      url: expect.stringContaining(`${PUBLIC_URL}/connect/`),
    })
    expect(await rows('connect_link')).toMatchObject([{ connection_id: first.id }])
    expect(world.requests).toEqual([])
    expect(await used('Home')).toBe(second.id)
  })

  test('that is still being connected is no account yet', async () => {
    await world.gateway.connect.start(appCaller(), { userId: 'eve', connectorId: 'notes' }, 'r')

    await expect(call('NOTES_SEARCH', {}, { userId: 'eve' })).rejects.toMatchObject({ code: 'not_connected' })
  })
})

describe('the input of a call', () => {
  beforeEach(() => world.connect('ann'))

  test('may use other names of tool and parameters, any case, and null for what is not given', async () => {
    const result = await call('notes_fetch', { id: '7', only: null, fields: null, limit: null })

    expect(result.name).toBe('NOTES_GET_NOTE')
    expect(sent()).toEqual([['GET https://api.notes.test/v1/notes/7?limit=10', null]])
  })

  test.each<[string, Record<string, unknown>, string]>([
    ['NOTES_GET_NOTE', {}, 'NOTES_GET_NOTE: "note_id" is required: expected string.'],
    [
      'notes_fetch',
      { noteid: '7' },
      'NOTES_GET_NOTE: "note_id" is required: expected string; has no field "noteid", did you mean "note_id"?.',
    ],
    ['NOTES_GET_NOTE', { note_id: 7 }, 'NOTES_GET_NOTE: "note_id" invalid input: expected string, received number.'],
  ])('%s of %j is refused before anything is sent: %s', async (name, args, message) => {
    await expect(call(name, args)).rejects.toMatchObject({ code: 'invalid_input', message })
    expect(world.requests).toEqual([])
  })

  test.each([
    ['NOTES_GET_NOT', 'There is no tool "NOTES_GET_NOT". Did you mean NOTES_GET_NOTE?'],
    ['MAIL', 'There is no tool "MAIL". GET /api/tools lists them.'],
    ['__proto__', 'There is no tool "__proto__". GET /api/tools lists them.'],
  ])('for the tool %s: %s', async (name, message) => {
    await expect(call(name)).rejects.toMatchObject({ code: 'not_found', message })
  })
})

describe('a permission that is missing', () => {
  test('is named, with a link that asks for exactly that, and nothing is sent', async () => {
    const connection = await world.connect('ann', { scopes: { default: ['notes.read'] } })

    const error = (await call('NOTES_SHARE_NOTE', { note_id: '1' }).catch((thrown) => thrown)) as PatchbayError

    expect(error).toMatchObject({
      code: 'missing_scope',
      message: 'NOTES_SHARE_NOTE needs a permission that "ann@example.com" was not given: Write notes.',
      details: { missing: ['notes.write'], connection_id: connection.id },
    })
    const token = error.fix?.url?.slice(`${PUBLIC_URL}/connect/`.length) as string
    const opened = await world.gateway.connectLinks.open(token, 'browser', 'r2')
    expect(opened.connectors).toMatchObject([{ connector: { id: 'notes' }, scopes: ['notes.read', 'notes.write'] }])
    expect(await rows('connect_link')).toMatchObject([{ connection_id: connection.id }])
    expect(world.requests).toEqual([])
  })

  test('by the word of the service carries the same link', async () => {
    await world.connect('ann')
    world.answers.push({ body: { failed: { code: 'no', as: 'missing_scope', scope: 'notes.write' } } })

    await expect(call('NOTES_SEARCH')).rejects.toMatchObject({
      code: 'missing_scope',
      fix: { url: expect.stringContaining('/connect/cl_') },
    })
  })
})

describe('calls at once', () => {
  test('are limited per connection and per user, and one user does not slow another', async () => {
    await start({ limits: { perUser: 3, perConnection: 2 } })
    for (const label of ['One', 'Two']) await world.connect('ann', { label })
    await world.connect('bob')
    const held: (() => void)[] = []
    const hold = () => new Promise<object>((resolve) => held.push(() => resolve({})))
    world.answers.push(hold, hold, hold, hold)

    const going = [
      call('NOTES_SEARCH', { account: 'One' }),
      call('NOTES_SEARCH', { account: 'One' }),
      call('NOTES_SEARCH', { account: 'Two' }),
    ]
    await expect.poll(() => held.length).toBe(3)
    await expect(call('NOTES_SEARCH', { account: 'Two' })).rejects.toMatchObject({
      code: 'rate_limited',
      message: 'User "ann" already has 3 calls under way. Wait for some to end.',
      retryAfter: 1,
    })
    const bobs = call('NOTES_SEARCH', {}, { userId: 'bob' })
    await expect.poll(() => held.length).toBe(4)
    held[2]?.()
    await going[2]
    await expect(call('NOTES_SEARCH', { account: 'One' })).rejects.toMatchObject({
      code: 'rate_limited',
      message: 'The connection "One" already has 2 calls under way. Wait for some to end.',
    })
    for (const end of held) end()
    await Promise.all([...going, bobs])

    await expect(call('NOTES_SEARCH', { account: 'One' })).resolves.toBeDefined()
  })
})

describe('a call that does not end by itself', () => {
  /** As the way out: ends when the signal says so. */
  const untilAborted = ({ signal }: { signal?: AbortSignal | undefined }) =>
    new Promise<never>((_, reject) => {
      signal?.addEventListener('abort', () => reject(new Error('aborted')))
    })

  test('is cancelled when its caller goes away, and that is told', async () => {
    await world.connect('ann')
    const caller = new AbortController()
    world.answers.push((request) => {
      setImmediate(() => caller.abort())
      return untilAborted(request)
    })

    await expect(call('NOTES_SEARCH', {}, { signal: caller.signal })).rejects.toMatchObject({ code: 'cancelled' })
    expect((await world.events()).at(-1)).toMatchObject({ type: 'tool.called', outcome: 'error', code: 'cancelled' })
  })

  test('of a caller that has gone already sends nothing', async () => {
    await world.connect('ann')

    await expect(call('NOTES_SEARCH', {}, { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'cancelled' })
    expect(world.requests).toEqual([])
  })

  test('is ended after a minute', async () => {
    await world.connect('ann')
    const real = globalThis.setTimeout
    vi.spyOn(globalThis, 'setTimeout').mockImplementation(((go: () => void, ms = 0) =>
      real(go, ms === 60_000 ? 1 : ms)) as typeof setTimeout)
    world.answers.push(untilAborted)

    await expect(call('NOTES_SEARCH')).rejects.toMatchObject({
      code: 'timeout',
      message: 'Notes took longer than 60 s.',
      retryable: true,
    })
  })
})

describe('the event of a call', () => {
  test.each<[string, string, object, () => Promise<unknown>]>([
    [
      'that worked',
      'tool.called',
      { outcome: 'ok', code: null, message: null, details: { via: 'mcp' } },
      async () => {
        await world.connect('ann')
        await call('NOTES_CREATE_NOTE', { text: 'a private thought' }, { via: 'mcp' })
      },
    ],
    [
      'that the service refused',
      'tool.called',
      { outcome: 'error', code: 'provider_rejected', message: 'Notes: No.' },
      async () => {
        await world.connect('ann')
        world.answers.push({ status: 400, body: { message: 'No.' } })
        await call('NOTES_CREATE_NOTE', { text: 'a private thought' })
      },
    ],
    [
      'with a wrong input',
      'tool.called',
      { outcome: 'error', code: 'invalid_input' },
      async () => {
        await world.connect('ann')
        await call('NOTES_CREATE_NOTE', { text: ['a private thought'] })
      },
    ],
    [
      'without a connection',
      'tool.called',
      { outcome: 'error', code: 'not_connected', connectionId: null },
      () => call('NOTES_CREATE_NOTE', { text: 'a private thought' }),
    ],
    [
      'that a rule refused',
      'tool.refused',
      { outcome: 'refused', code: 'policy_denied' },
      async () => {
        await world.connect('ann')
        await call('NOTES_CREATE_NOTE', { text: 'a private thought' }, {}, appCaller({ policy: { effects: ['read'] } }))
      },
    ],
    [
      'that failed in a way nobody foresaw',
      'tool.called',
      { outcome: 'error', code: 'internal' },
      async () => {
        await world.connect('ann')
        world.answers.push(() => {
          throw new TypeError('a private thought')
        })
        await call('NOTES_CREATE_NOTE', { text: 'a private thought' })
      },
    ],
  ])('%s is %s, and never holds what was said', async (_, type, members, what) => {
    await what().catch(() => {})

    const events = (await world.events({ userId: 'ann' })).filter((event) => event.type.startsWith('tool.'))
    expect(events).toMatchObject([
      {
        type,
        tool: 'NOTES_CREATE_NOTE',
        connectorId: 'notes',
        userId: 'ann',
        requestId: 'r1',
        actor: { id: 'key_1' },
        ...members,
      },
    ])
    expect(JSON.stringify(events)).not.toContain('a private thought')
  })

  test('has the id that the answer names', async () => {
    await world.connect('ann')

    const { eventId, durationMs } = await call('NOTES_SEARCH')

    expect((await world.events()).at(-1)).toMatchObject({ id: eventId, durationMs })
  })

  test('of a user the caller may not act for is none of theirs', async () => {
    await world.connect('bob')

    await expect(call('NOTES_SEARCH', {}, { userId: 'bob' }, appCaller({ userId: 'ann' }))).rejects.toMatchObject({
      code: 'not_found',
    })
    expect(await world.events({ userId: 'bob' })).toEqual([])
  })
})

describe('what comes back', () => {
  beforeEach(() => world.connect('ann'))

  test.each([
    ['mcp', 200_000],
    ['page', 2_000_000],
    ['rest', 20_000_000],
  ] as const)('over %s holds at most about %i characters, and says where it was cut', async (via, most) => {
    world.answers.push({ body: { text: 'x'.repeat(most + 1_000), rest: 'more' } })
    const cut = await call('NOTES_SEARCH', {}, { via })
    world.answers.push({ body: { text: 'x'.repeat(most - 1_000) } })
    const whole = await call('NOTES_SEARCH', {}, { via })

    expect(cut.truncated).toBe(true)
    expect(JSON.stringify(cut.data).length).toBeLessThan(most + 500)
    expect(JSON.stringify(cut.data)).toMatch(/\[cut: \d+ more characters\]/)
    expect(whole.truncated).toBe(false)
    expect((whole.data as { text: string }).text).toHaveLength(most - 1_000)
  })

  test('hides nothing from whoever reads along, and keeps what scripts and emoji need', async () => {
    const tags = String.fromCodePoint(...[...'obey'].map((letter) => 0xe0000 + letter.charCodeAt(0)))
    world.answers.push({ body: { [`k\u200b`]: `می‌خواهم 👩‍👩‍👧${tags}\u202e` } })

    expect((await call('NOTES_SEARCH')).data).toEqual({ k: 'می‌خواهم 👩‍👩‍👧' })
  })
})

describe('the list of tools', () => {
  const list = (filter: object = {}, caller = appCaller()) => world.gateway.tools.list(caller, 'ann', filter)

  test('holds the tools of connected services; others only when asked for, with how to connect them', async () => {
    expect(await list()).toEqual([])
    const [unconnected] = await list({ all: true })
    expect(unconnected).toMatchObject({
      name: 'NOTES_GET_NOTE',
      available: false,
      unavailable: { code: 'not_connected', fix: { action: 'Connect Notes' } },
      connections: [],
    })

    await world.connect('ann')
    await expect.poll(async () => (await list()).length).toBe(5)
    expect((await list()).every((one) => one.available && !one.unavailable)).toBe(true)
  })

  test('adds `account` where there are several connections, and only there', async () => {
    const properties = async () => Object.keys((await list())[0]?.inputSchema['properties'] as object)
    await world.connect('ann', { label: 'Work' })
    expect(await properties()).toEqual(['note_id', 'part', 'fields', 'limit'])

    world.advance(1)
    await world.connect('ann', { label: 'Home' })

    await expect.poll(properties).toEqual(['note_id', 'part', 'fields', 'limit', 'account'])
    const [first] = await list()
    expect(first?.inputSchema).toMatchObject({
      properties: {
        account: { type: 'string', description: 'Which account to use. One of: Work, Home. Default: Work.' },
      },
      required: ['note_id'],
    })
    expect(world.gateway.catalogue.inputSchema('NOTES_GET_NOTE')).not.toHaveProperty('properties.account')
  })

  test('says why a tool is not available: a dead connection, or a permission that was not given', async () => {
    const reason = { code: 'revoked', message: 'Access was withdrawn.', fix: 'Connect Notes again', at: 1 }
    const dead = await world.connect('ann', { status: 'revoked', statusReason: reason })
    expect((await list()).map((one) => one.unavailable?.code)).toEqual(Array(5).fill('needs_reauth'))
    expect((await list())[0]?.unavailable).toMatchObject({
      message: 'Access was withdrawn.',
      fix: { action: 'Connect Notes again' },
    })

    await world.storage.connections.remove('default', 'ann', dead.id, [])
    await world.connect('ann', { scopes: { default: ['notes.read'] } })

    await expect
      .poll(async () => (await list()).map((one) => one.unavailable?.code ?? 'available'))
      .toEqual(['available', 'available', 'missing_scope', 'missing_scope', 'missing_scope'])
  })

  test('makes one link for all tools that lack the same, and none where links are not asked for', async () => {
    await world.connect('ann', { scopes: { default: ['notes.read'] } })
    await list()
    expect(await rows('connect_link')).toEqual([])

    const urls = async () => (await list({ linksFor: 'r9' })).flatMap((one) => one.unavailable?.fix?.url ?? [])
    const first = await urls()
    const second = await urls()

    expect(first).toHaveLength(3)
    expect(new Set([...first, ...second]).size).toBe(1)
    expect(await rows('connect_link')).toHaveLength(1)
    expect((await world.events()).filter((event) => event.type === 'connect_link.created')).toMatchObject([
      { requestId: 'r9', userId: 'ann' },
    ])
  })

  test('holds only what the caller may use, and what the words describe', async () => {
    await world.connect('ann')
    const names = async (filter: object, caller?: Caller) => (await list(filter, caller)).map((one) => one.name)

    expect(await names({}, appCaller({ policy: { effects: ['read'] } }))).toEqual(['NOTES_GET_NOTE', 'NOTES_SEARCH'])
    expect(await names({}, appCaller({ policy: { deny_tools: ['NOTES_*'] } }))).toEqual([])
    expect(await names({ query: ' removes  NOTE ' })).toEqual(['NOTES_DELETE_NOTE'])
    expect(await names({ connectorId: 'other' })).toEqual([])
    await expect(list({}, appCaller({ userId: 'bob' }))).rejects.toMatchObject({ code: 'not_found' })
  })

  test('knows of a connection that another process made or removed', async () => {
    const elsewhere = await world.place.open({ now: world.now })
    const count = async () => {
      world.storage.catchUp()
      return (await list()).length
    }
    const connection = await world.connect('ann')
    await expect.poll(count).toBe(5)

    await elsewhere.connections.remove('default', 'ann', connection.id, [])
    await expect.poll(count).toBe(0)
    await elsewhere.connections.create({ ...connection, id: 'conn_again' }, [])
    await expect.poll(count).toBe(5)
  })
})
