import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { appCaller, createSmallGateway, notes, PUBLIC_URL, type SmallGateway } from '../../test/small-gateway.ts'
import { createConnectLinks } from './connect-links.ts'
import type { Connector } from './connector.ts'
import type { ConnectLinksOf } from './gateway.ts'

const tasks: Connector = {
  ...notes,
  id: 'tasks',
  name: 'Tasks',
  tools: { TASKS_GET: { ...notes.tools['NOTES_SEARCH'], run: 'GET /tasks' } as never },
}

let world: SmallGateway
let links: ConnectLinksOf

beforeEach(async () => {
  world = await createSmallGateway({ connectors: [notes as Connector, tasks] })
  links = world.gateway.connectLinks
})
afterEach(() => world.remove())

const tokenOf = (url: string) => url.slice(`${PUBLIC_URL}/connect/`.length)
const rows = async () => (await world.place.execute('select * from connect_link')) as Record<string, unknown>[]

describe('a link', () => {
  test('of a key limited to a connector offers only that, whatever was asked for', async () => {
    const limited = appCaller({ policy: { connectors: ['notes'] } })
    const { url } = await links.create(limited, { userId: 'ann' }, 'r1')

    const opened = await links.open(tokenOf(url), 'browser', 'r2')

    expect(opened.connectors.map((one) => one.connector.id)).toEqual(['notes'])
    await expect(links.start(tokenOf(url), 'browser', { connectorId: 'tasks' }, 'r3')).rejects.toMatchObject({
      code: 'policy_denied',
    })
    await expect(links.create(limited, { userId: 'ann', connectors: ['tasks'] }, 'r4')).rejects.toMatchObject({
      code: 'policy_denied',
      details: { rule: 'connectors' },
    })
    await expect(
      links.create(appCaller({ policy: { connectors: [] } }), { userId: 'ann' }, 'r5'),
    ).rejects.toMatchObject({ code: 'policy_denied' })
  })

  test.each([
    ['another user', { userId: 'bob' }, 'not_found'],
    ['an unknown connector', { userId: 'ann', connectors: ['nots'] }, 'not_found'],
    ['an unknown tool', { userId: 'ann', tools: ['NOTES_FLY'] }, 'invalid_input'],
    ['an unknown connection', { userId: 'ann', connectionId: 'conn_made-up' }, 'not_found'],
    ['a foreign address to return to', { userId: 'ann', redirectUrl: 'https://evil.test/' }, 'invalid_input'],
  ])('for %s is refused, and nothing is stored', async (_, request, code) => {
    await expect(links.create(appCaller({ userId: 'ann' }), request, 'r1')).rejects.toMatchObject({ code })

    expect(await rows()).toEqual([])
  })

  test('for a connection of another user is refused', async () => {
    const bobs = await world.connect('bob')

    await expect(links.create(appCaller(), { userId: 'ann', connectionId: bobs.id }, 'r1')).rejects.toMatchObject({
      code: 'not_found',
    })
  })

  test('belongs to the browser that opened it first, and ends after ten minutes', async () => {
    const { url } = await links.create(appCaller(), { userId: 'ann' }, 'r1')
    await links.open(tokenOf(url), 'first', 'r2')

    await expect(links.open(tokenOf(url), 'second', 'r3')).rejects.toMatchObject({ code: 'not_found' })
    await expect(links.open(tokenOf(url), 'first', 'r4')).resolves.toMatchObject({ userId: 'ann' })
    world.advance(10 * 60_000)
    await expect(links.open(tokenOf(url), 'first', 'r5')).rejects.toMatchObject({
      message: expect.stringContaining('has expired'),
    })
  })

  test('says what connecting will ask for: reading, or what its tools need', async () => {
    const plain = await links.create(appCaller(), { userId: 'ann', connectors: ['notes'] }, 'r1')
    const writing = await links.create(
      appCaller(),
      { userId: 'ann', connectors: ['notes'], tools: ['NOTES_DELETE_NOTE'] },
      'r2',
    )

    const asks = async (url: string) => (await links.open(tokenOf(url), 'browser', 'r3')).connectors[0]?.scopes
    expect(await asks(plain.url)).toEqual(['notes.read'])
    expect(await asks(writing.url)).toEqual(['notes.read', 'notes.write'])
  })
})

describe('the link of an error', () => {
  function created() {
    return createConnectLinks({
      storage: world.storage,
      catalogue: world.gateway.catalogue,
      connect: world.gateway.connect,
      oauthApps: {
        configured: async () => true,
        forProject: async () => undefined,
        forConnection: async () => undefined,
      },
      events: world.gateway.eventLog,
      strangers: { refused: (_type, error) => error },
      publicUrl: PUBLIC_URL,
      now: world.now,
    })
  }
  const need = { userId: 'ann', connectorId: 'notes' }

  test('is one link for many who lack the same at once, and for five minutes', async () => {
    const own = created()

    const urls = await Promise.all(Array.from({ length: 50 }, () => own.urlFor(appCaller(), need, 'r1')))
    world.advance(5 * 60_000 - 1)
    urls.push(await own.urlFor(appCaller(), need, 'r2'))
    expect(new Set(urls).size).toBe(1)
    expect(await rows()).toHaveLength(1)

    world.advance(1)
    expect(await own.urlFor(appCaller(), need, 'r3')).not.toBe(urls[0])
  })

  test.each([
    ['user', { ...need, userId: 'bob' }],
    ['connector', { ...need, connectorId: 'tasks' }],
    ['tools', { ...need, tools: ['NOTES_DELETE_NOTE'] }],
  ])('is another one for another %s', async (_, other) => {
    const own = created()

    expect(await own.urlFor(appCaller(), need, 'r1')).not.toBe(await own.urlFor(appCaller(), other, 'r1'))
  })

  test('that was followed to its end is not handed out again', async () => {
    const own = created()
    const url = await own.urlFor(appCaller(), need, 'r1')
    const [link] = await rows()

    await own.finished(String(link?.['id']))

    expect(await own.urlFor(appCaller(), need, 'r2')).not.toBe(url)
    await expect(own.open(tokenOf(url), 'browser', 'r3')).rejects.toMatchObject({
      message: expect.stringContaining('was used already'),
    })
  })

  test('that could not be made keeps no other from ending, and is made at the next need', async () => {
    const own = created()
    const url = await own.urlFor(appCaller(), need, 'r1')
    const [link] = await rows()
    const refused = own.urlFor(appCaller(), { ...need, connectionId: 'conn_made-up' }, 'r2')

    await Promise.all([
      expect(refused).rejects.toMatchObject({ code: 'not_found' }),
      own.finished(String(link?.['id'])),
    ])

    expect(await own.urlFor(appCaller(), need, 'r3')).not.toBe(url)
  })
})
