import { rmSync } from 'node:fs'
import type { Event } from '@patchbay/sdk/wire'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Emulators, startEmulators } from '../../../examples/demo/emulators.ts'
import { type AuthorizationServer, startAuthorizationServer } from '../authorization-server.ts'
import { type Browser, newBrowser, type Page } from '../end-to-end/browser.ts'
import { STRICT_URL, strictConnectorFolder } from '../end-to-end/strict-connector.ts'
import { emulatorEnv, freePort, startGateway } from '../gateway.ts'

/** Everything that can go wrong, by accident or on purpose, between pressing Connect and being connected. */

const DONE = 'https://app.example/done'
const BELOW = 'https://app.example/below/*'
const PAGE_ORIGIN = 'https://pages.example'

let gateway: Awaited<ReturnType<typeof startGateway>>
let emulators: Emulators
let strict: AuthorizationServer
let consent: 'all' | 'none' | readonly string[] = 'all'
let folder: string

beforeAll(async () => {
  const port = await freePort()
  const publicUrl = `http://localhost:${port}`
  emulators = await startEmulators(publicUrl)
  strict = await startAuthorizationServer({
    redirectUris: [`${publicUrl}/oauth/callback/strict`],
    consent: () => consent,
  })
  folder = strictConnectorFolder(strict.provider)
  const env = emulatorEnv(emulators)
  gateway = await startGateway({
    ...env,
    SERVICE_URLS: JSON.stringify({ ...JSON.parse(env['SERVICE_URLS'] ?? '{}'), [STRICT_URL]: strict.issuer }),
    PORT: String(port),
    CONNECTORS_DIR: folder,
    CORS_ORIGINS: PAGE_ORIGIN,
  })
  const { clientId, clientSecret = '' } = strict.client
  await gateway.client.oauthApps.save('strict', { client_id: clientId, client_secret: clientSecret })
  await gateway.client.projects.update('default', { redirect_urls: [DONE, BELOW] })
})
afterAll(async () => {
  await gateway.stop()
  await strict.stop()
  await emulators.close()
  rmSync(folder, { recursive: true, force: true })
})
beforeEach(() => {
  consent = 'all'
})

let users = 0
const newUser = () => `user-${++users}`

const isCallback = (url: URL) => url.origin === gateway.url && url.pathname.startsWith('/oauth/callback/')
const isApp = (url: URL) => url.hostname.endsWith('.example')

/** A flow that has come back from the provider, its callback not opened yet. */
async function returned(connector = 'strict', request: object = {}) {
  const user = newUser()
  const started = await gateway.client.connect({ user_id: user, provider: connector, ...request })
  const browser = newBrowser()
  const page = await browser.go(started.auth_url, { until: isCallback })
  const callback = new URL(page.url)
  expect(callback.searchParams.get('code')).toBeTruthy()
  return { user, browser, callback, started }
}

async function eventsOf(user: string | undefined, type: string): Promise<Event[]> {
  await gateway.served.gateway.eventLog.flush()
  const { items } = await gateway.client.events.list({ types: [type] as never, limit: 200 })
  return items.filter((event) => (user === undefined ? event.user_id === null : event.user_id === user))
}

/** Nobody is connected, and no credential lies anywhere for this user. */
async function expectNothingStored(user: string): Promise<void> {
  const { items } = await gateway.client.connections.list({ user_id: user })
  expect(items.filter(({ status, account }) => status !== 'pending' || account !== null)).toEqual([])
  const tools = await gateway.client.tools.list({ user_id: user })
  expect(tools.items).toEqual([])
}

function expectRefusalPage(
  page: Page,
  { status, says }: { status: number; says: RegExp },
  secrets: readonly (string | null)[],
): void {
  expect(page.status, page.text.slice(-800)).toBe(status)
  expect(new URL(page.url).origin).toBe(gateway.url)
  expect(page.headers.get('content-type')).toContain('text/html')
  const body = page.text.replace(/<style>[\s\S]*?<\/style>/, '')
  expect(body).toMatch(says)
  expect(body).toMatch(/req_[0-9a-f]{32}/)
  expect(page.headers.get('content-security-policy')).toContain("default-src 'none'")
  for (const secret of secrets) if (secret) expect(page.text).not.toContain(secret)
}

interface Refusal {
  title: string
  /** Leads the flow astray; answers the page the person ends up on. */
  act(flow: Awaited<ReturnType<typeof returned>>): Promise<Page>
  status: number
  says: RegExp
  event: Partial<Event>
  /** The event belongs to no user, because the request names no flow. */
  ofNobody?: true
}

const REFUSALS: Refusal[] = [
  {
    title: 'a state nobody made',
    act: ({ browser, callback }) => browser.go(changed(callback, { state: 'A'.repeat(43) }), { until: isApp }),
    status: 400,
    says: /was not started here/,
    event: { outcome: 'refused', code: 'oauth_failed', actor: { type: 'browser', id: 'unknown' } },
    ofNobody: true,
  },
  {
    title: 'no state',
    act: ({ browser, callback }) => browser.go(changed(callback, { state: null }), { until: isApp }),
    status: 400,
    says: /was not started here/,
    event: { outcome: 'refused', code: 'oauth_failed' },
    ofNobody: true,
  },
  {
    title: 'a state that has expired',
    act: ({ browser, callback }) => {
      gateway.advance(11 * 60_000)
      return browser.go(callback.href, { until: isApp })
    },
    status: 400,
    says: /took longer than 10 minutes/,
    event: { outcome: 'refused', code: 'oauth_failed' },
  },
  {
    title: 'a browser without the cookie',
    act: ({ callback }) => newBrowser().go(callback.href, { until: isApp }),
    status: 400,
    says: /started in another browser/,
    event: { outcome: 'refused', code: 'oauth_failed' },
  },
  {
    title: 'a browser with the cookie of another flow',
    async act({ callback }) {
      const other = await returned()
      return other.browser.go(callback.href, { until: isApp })
    },
    status: 400,
    says: /started in another browser/,
    event: { outcome: 'refused', code: 'oauth_failed' },
  },
  {
    title: "another provider's callback",
    act: ({ browser, callback }) =>
      browser.go(callback.href.replace('/callback/strict', '/callback/github'), { until: isApp }),
    status: 400,
    says: /came from another provider/,
    event: { outcome: 'refused', code: 'oauth_failed' },
  },
  {
    title: "another provider's callback, by the older address",
    act: ({ browser, callback }) =>
      browser.go(`${gateway.url}/api/integrations/callback${callback.search}&provider=github`, { until: isApp }),
    status: 400,
    says: /came from another provider/,
    event: { outcome: 'refused', code: 'oauth_failed' },
  },
  {
    title: 'another issuer',
    act: ({ browser, callback }) => browser.go(changed(callback, { iss: 'https://evil.example' }), { until: isApp }),
    status: 400,
    says: /names another issuer/,
    event: { outcome: 'error', code: 'oauth_failed' },
  },
  {
    title: 'a code nobody gave',
    act: ({ browser, callback }) => browser.go(changed(callback, { code: 'made-up' }), { until: isApp }),
    status: 400,
    says: /Strict was not connected/,
    event: { outcome: 'error', code: 'oauth_failed' },
  },
  {
    title: 'no code',
    act: ({ browser, callback }) => browser.go(changed(callback, { code: null }), { until: isApp }),
    status: 400,
    says: /carries no code/,
    event: { outcome: 'error', code: 'oauth_failed' },
  },
  {
    title: 'two codes',
    act: ({ browser, callback }) => browser.go(`${callback.href}&code=another`, { until: isApp }),
    status: 400,
    says: /twice/,
    event: { outcome: 'error', code: 'oauth_failed' },
  },
]

describe.each(REFUSALS)('coming back with $title', ({ act, status, says, event, ofNobody }) => {
  test('shows a clear page, notes it, asks the provider nothing it should not, and stores nothing', async () => {
    const flow = await returned('strict', { redirect_url: DONE })
    const before = (await eventsOf(undefined, 'connection.callback')).length
    const exchanges = strict.tokenCalls.authorization_code

    const page = await act(flow)

    const { searchParams } = flow.callback
    if (event.outcome === 'refused' || page.status !== 0) {
      expectRefusalPage(page, { status, says }, [
        searchParams.get('state'),
        searchParams.get('code'),
        strict.client.clientSecret ?? null,
      ])
    } else {
      // The right person in the right browser goes back to the app, which is told that it failed.
      const url = new URL(page.url)
      expect(url.origin + url.pathname).toBe(DONE)
      expect(Object.fromEntries(url.searchParams)).toMatchObject({
        status: 'failed',
        appName: 'strict',
        error: event.code,
      })
    }
    const events = await eventsOf(ofNobody ? undefined : flow.user, 'connection.callback')
    expect(events.length).toBe(ofNobody ? before + 1 : 1)
    expect(events[0]).toMatchObject(event)
    expect(events[0]?.message?.length).toBeGreaterThan(20)
    if (event.outcome === 'refused') expect(strict.tokenCalls.authorization_code).toBe(exchanges)
    await expectNothingStored(flow.user)
  })

  if (event.outcome !== 'refused') {
    test('shows a clear page where there is no app to go back to', async () => {
      const flow = await returned()

      const page = await act(flow)

      expectRefusalPage(page, { status, says }, [
        flow.callback.searchParams.get('state'),
        strict.client.clientSecret ?? null,
      ])
      await expectNothingStored(flow.user)
    })
  }
})

describe('a state that was used', () => {
  test('is refused, and the connection it made stays as it was', async () => {
    const { user, browser, callback, started } = await returned()
    expect((await browser.go(callback.href)).text).toContain('Strict is connected')
    const before = await gateway.client.connections.get(started.connection_id, { user_id: user })
    const exchanges = strict.tokenCalls.authorization_code

    const page = await browser.go(callback.href)

    expectRefusalPage(page, { status: 400, says: /already finished once/ }, [
      callback.searchParams.get('state'),
      callback.searchParams.get('code'),
    ])
    expect(await gateway.client.connections.get(started.connection_id, { user_id: user })).toEqual(before)
    expect(strict.tokenCalls.authorization_code).toBe(exchanges)
    expect((await eventsOf(user, 'connection.callback'))[0]).toMatchObject({ outcome: 'refused', code: 'oauth_failed' })
  })

  test('by twenty requests at once is accepted once', async () => {
    const { user, browser, callback } = await returned()

    const pages = await Promise.all(Array.from({ length: 20 }, () => browser.go(callback.href)))

    expect(pages.filter(({ status }) => status === 200)).toHaveLength(1)
    expect((await gateway.client.connections.list({ user_id: user })).items).toMatchObject([{ status: 'active' }])
  })
})

test('an address to start with that another browser opened first is refused there, and noted', async () => {
  const user = newUser()
  const { auth_url: address } = await gateway.client.connect({ user_id: user, provider: 'strict' })
  await newBrowser().go(address, { until: isCallback })

  const page = await newBrowser().go(address)

  expectRefusalPage(page, { status: 400, says: /opened in another browser/ }, [
    new URL(address).pathname.split('/').at(-1) ?? null,
  ])
  expect((await eventsOf(undefined, 'connection.authorize'))[0]).toMatchObject({
    outcome: 'refused',
    code: 'oauth_failed',
  })
  await expectNothingStored(user)
})

test('strangers cannot drown the log: what they do is noted up to a bound', async () => {
  const before = (await eventsOf(undefined, 'connection.callback')).length

  await Promise.all(
    Array.from({ length: 150 }, (_, index) =>
      newBrowser().go(`${gateway.url}/oauth/callback/strict?state=made-up-${index}&code=x`),
    ),
  )

  const noted = (await eventsOf(undefined, 'connection.callback')).length - before
  expect(noted).toBeGreaterThan(20)
  expect(noted).toBeLessThanOrEqual(120)
})

describe('consent', () => {
  test('that is denied says so, notes it, stores nothing and tells the app', async () => {
    consent = 'none'
    const user = newUser()
    const started = await gateway.client.connect({ user_id: user, provider: 'strict', redirect_url: DONE })

    const page = await newBrowser().go(started.auth_url, { until: isApp })

    expect(Object.fromEntries(new URL(page.url).searchParams)).toEqual({
      status: 'failed',
      appName: 'strict',
      connection_id: started.connection_id,
      error: 'oauth_failed',
    })
    expect(await eventsOf(user, 'connection.callback')).toMatchObject([
      { outcome: 'error', code: 'oauth_failed', message: expect.stringMatching(/declined|denied|refused|not allow/i) },
    ])
    await expectNothingStored(user)
    const again = await newBrowser().go((await gateway.client.connect({ user_id: user, provider: 'strict' })).auth_url)
    expectRefusalPage(again, { status: 400, says: /declined|denied|refused|not allow/i }, [])
  })

  test('with a permission left out lists its tools as unavailable, with a link that asks for exactly that', async () => {
    consent = ['read']
    const user = newUser()
    const started = await gateway.client.connect({ user_id: user, provider: 'strict', tools: ['*'] })
    const connected = await newBrowser().go(started.auth_url)
    expect(connected.text).toContain('Strict is connected')
    expect(await gateway.client.connections.get(started.connection_id, { user_id: user })).toMatchObject({
      status: 'active',
    })
    const [connectedEvent] = await eventsOf(user, 'connection.connected')
    expect(connectedEvent?.details).toMatchObject({ declined: ['write'] })

    const { items: tools } = await gateway.client.tools.list({ user_id: user })
    expect(tools.map(({ name, available }) => [name, available])).toEqual([
      ['STRICT_READ', true],
      ['STRICT_WRITE', false],
    ])
    const unavailable = tools[1]?.unavailable
    expect(unavailable).toMatchObject({ code: 'missing_scope', details: { missing: ['write'] } })
    const refused = await gateway.client.tools
      .execute({ user_id: user, action: 'STRICT_WRITE' })
      .catch((error) => error)
    expect(refused).toMatchObject({ code: 'missing_scope', fix: { url: expect.stringContaining('/connect/cl_') } })

    consent = 'all'
    const browser = newBrowser()
    const page = await browser.openLink(unavailable?.fix?.url as string, 'strict')

    expect(page.text).toContain('Strict is connected')
    expect(scopesAsked(browser)).toEqual(['openid', 'read', 'write'])
    const after = await gateway.client.tools.list({ user_id: user })
    expect(after.items.map(({ available }) => available)).toEqual([true, true])
    expect(await gateway.client.tools.execute({ user_id: user, action: 'STRICT_WRITE' })).toMatchObject({
      success: true,
      connection_id: started.connection_id,
    })
  })

  test('is first asked for reading only', async () => {
    const browser = newBrowser()
    const { auth_url: address } = await gateway.client.connect({ user_id: newUser(), provider: 'strict' })

    await browser.go(address)

    expect(scopesAsked(browser)).toEqual(['openid', 'read'])
    const asked = new URL(browser.visited.find((url) => url.startsWith(`${strict.issuer}/auth?`)) as string)
      .searchParams
    expect(asked.get('code_challenge_method')).toBe('S256')
    expect(asked.get('state')?.length).toBeGreaterThanOrEqual(43)
  })

  function scopesAsked(browser: Browser): string[] {
    const address = browser.visited.find((url) => url.startsWith(`${strict.issuer}/auth?`)) as string
    return new URL(address).searchParams.get('scope')?.split(' ').sort() ?? []
  }
})

test('a rotating provider gives a new pair, which is what is used from then on', async () => {
  const { user, browser, callback } = await returned()
  await browser.go(callback.href)
  for (let round = 1; round <= 3; round++) {
    gateway.advance(2 * 60 * 60_000)
    expect(await gateway.client.tools.execute({ user_id: user, action: 'STRICT_READ' })).toMatchObject({
      result: { sub: 'ann' },
    })
  }
  const refreshed = await eventsOf(user, 'connection.refreshed')
  expect(refreshed.map(({ details }) => details)).toMatchObject([
    { rotated: true },
    { rotated: true },
    { rotated: true },
  ])
  expect(Math.max(...strict.refreshCalls.values())).toBe(1)
})

describe('a redirect address', () => {
  const elsewhere = [
    'https://evil.example/done',
    '//evil.example/done',
    'https://app.example@evil.example/done',
    'https://user@app.example/done',
    'https://user:password@app.example/done',
    'https://app.example.evil.example/done',
    'https://evil.example/https://app.example/done',
    'https://evil.example?https://app.example/done',
    'https://evil.example#https://app.example/done',
    'https://evil.example\\@app.example/done',
    'https://app.example\\.evil.example/done',
    'https:\\\\evil.example\\done',
    'https:/\\evil.example/done',
    'https://app.example%2eevil.example/done',
    'https://app.example%2f@evil.example/done',
    'https://app.example:8443/done',
    'http://app.example/done',
    'https://app.example/done/more',
    'https://app.example/Done',
    'https://app.example/below/../other',
    'https://app.example/below/%2e%2e/other',
    'https://app.example/below\\..\\..\\other',
    'https://app.example/other',
    'https://app.example/done#fragment',
    'https://\u0430pp.example/done',
    'javascript:alert(document.domain)//https://app.example/done',
    'JaVaScRiPt://app.example/%0aalert(1)',
    'data:text/html,<script>alert(1)</script>',
    'vbscript:msgbox',
    'file:///etc/passwd',
    'ftp://app.example/done',
    '/done',
    'done',
    ' https://evil.example/done',
    '\thttps://evil.example/done',
    'https://evil.example\r\nlocation: https://evil.example',
    '%68ttps://evil.example/done',
    `${'http://localhost'}/done`,
  ]

  test.each(elsewhere)('%j is refused on every way to start, by name, and noted', async (address) => {
    const user = newUser()
    const json = { method: 'POST', headers: { 'x-api-key': gateway.adminKey, 'content-type': 'application/json' } }
    const ways = [
      fetch(`${gateway.url}/api/integrations/connect`, {
        ...json,
        body: JSON.stringify({ user_id: user, provider: 'strict', redirect_url: address }),
      }),
      fetch(`${gateway.url}/api/connect-links`, {
        ...json,
        body: JSON.stringify({ user_id: user, redirect_url: address }),
      }),
      fetch(`${gateway.url}/oauth/authorize/strict?${new URLSearchParams({ user_id: user, redirect_url: address })}`, {
        redirect: 'manual',
        headers: { 'x-api-key': gateway.adminKey },
      }),
    ]
    for (const answer of await Promise.all(ways)) {
      const body = (await answer.json()) as { error: { code: string; message: string } }
      expect(answer.status, address).toBe(400)
      expect(answer.headers.get('location')).toBeNull()
      expect(body.error.code).toBe('invalid_input')
      expect(body.error.message).toContain('redirect_url')
    }
    const noted = await eventsOf(user, 'connection.authorize')
    expect(noted.every(({ outcome, code }) => outcome === 'refused' && code === 'invalid_input')).toBe(true)
    // What is no web address at all never reaches the core; every other one is in the log, once for each start.
    if (/^https?:\/\//i.test(address) && URL.canParse(address)) expect(noted).toHaveLength(2)
    expect((await gateway.client.connections.list({ user_id: user })).items).toEqual([])
  })

  test.each([
    [DONE, DONE],
    [`${DONE}?next=%2Fhome`, DONE],
    ['https://app.example/below/a/b?c=d', 'https://app.example/below/a/b'],
    ['HTTPS://APP.EXAMPLE/done', DONE],
    ['https://app.example/x/../done', DONE],
  ])('%s on the list gets the outcome and nothing secret', async (address, landing) => {
    const { browser, callback, started } = await returned('strict', { redirect_url: address })

    const page = await browser.go(callback.href, { until: isApp })

    const url = new URL(page.url)
    expect(url.origin + url.pathname).toBe(landing)
    const { status, appName, connection_id: id, ...own } = Object.fromEntries(url.searchParams)
    expect({ status, appName, id }).toEqual({ status: 'connected', appName: 'strict', id: started.connection_id })
    expect(Object.keys(own).filter((name) => !['next', 'c'].includes(name))).toEqual([])
  })

  test.each([
    'https://app.example/*/x',
    'https://*.example/',
    'http://app.example/',
    'javascript:alert(1)',
    'https://user@app.example/',
    'https://app.example/?a=b',
    '*',
    '',
  ])('entry %j cannot be put on the list', async (entry) => {
    const error = await gateway.client.projects.update('default', { redirect_urls: [entry] }).catch((thrown) => thrown)
    expect(error).toMatchObject({ status: 400, code: 'invalid_input' })
  })
})

describe('the origin of a page that opens the popup', () => {
  test.each([
    'https://evil.example',
    'https://app.example.evil.example',
    'http://app.example',
    'https://app.example:444',
    'null',
    '*',
    'https://app.example/',
    'javascript:x',
  ])('%j is refused', async (origin) => {
    const user = newUser()

    const error = await gateway.client
      .connect({ user_id: user, provider: 'strict', opener_origin: origin })
      .catch((thrown) => thrown)

    expect(error).toMatchObject({
      status: 400,
      code: 'invalid_input',
      message: expect.stringContaining('opener_origin'),
    })
    expect((await gateway.client.connections.list({ user_id: user })).items).toEqual([])
  })

  test.each(['https://app.example', PAGE_ORIGIN])('%s is told the outcome, and only it', async (origin) => {
    const { browser, callback, started } = await returned('strict', { opener_origin: origin })

    const page = await browser.go(callback.href)

    const [, json = ''] = /<script type="application\/json" id="outcome">([\s\S]*?)<\/script>/.exec(page.text) ?? []
    expect(JSON.parse(json)).toMatchObject({
      origin,
      message: {
        type: 'patchbay:connect',
        status: 'connected',
        appName: 'strict',
        connection_id: started.connection_id,
      },
    })
    expect(page.text).not.toContain(callback.searchParams.get('code'))
  })
})

describe('accounts', () => {
  test('a reconnect with another account is refused and changes nothing, unless it was asked for', async () => {
    const user = newUser()
    const id = await connectGmail(user, 'ada@example.com')
    const before = await gateway.client.connections.get(id, { user_id: user })

    const again = await gateway.client.connect({ user_id: user, provider: 'gmail', connection_id: id })
    const page = await newBrowser().go(again.auth_url, { account: 'ada@work.example' })

    expectRefusalPage(
      page,
      { status: 400, says: /belongs to ada@example.com, but you signed in as ada@work.example/ },
      [],
    )
    expect(await gateway.client.connections.get(id, { user_id: user })).toEqual(before)
    expect((await eventsOf(user, 'connection.callback'))[0]).toMatchObject({
      outcome: 'error',
      code: 'account_mismatch',
    })
    expect((await gateway.client.connections.list({ user_id: user })).items).toHaveLength(1)

    const wanted = await gateway.client.connect({
      user_id: user,
      provider: 'gmail',
      connection_id: id,
      allow_other_account: true,
    })
    await newBrowser().go(wanted.auth_url, { account: 'ada@work.example' })
    expect(await gateway.client.connections.get(id, { user_id: user })).toMatchObject({
      account: { email: 'ada@work.example' },
    })
  })

  test('the same account connected twice stays one connection under its first id', async () => {
    const user = newUser()
    const id = await connectGmail(user, 'ada@example.com')

    const again = await gateway.client.connect({ user_id: user, provider: 'gmail', redirect_url: DONE })
    const page = await newBrowser().go(again.auth_url, { account: 'ada@example.com', until: isApp })

    expect(new URL(page.url).searchParams.get('connection_id')).toBe(id)
    expect((await gateway.client.connections.list({ user_id: user })).items).toMatchObject([
      { id, status: 'active', is_default: true },
    ])
    expect((await eventsOf(user, 'connection.reconnected'))[0]).toMatchObject({ connection_id: id })
  })

  async function connectGmail(user: string, account: string): Promise<string> {
    const started = await gateway.client.connect({ user_id: user, provider: 'gmail' })
    const page = await newBrowser().go(started.auth_url, { account })
    expect(page.text).toContain('Gmail is connected')
    return started.connection_id
  }
})

function changed(url: URL, changes: Record<string, string | null>): string {
  const copy = new URL(url)
  for (const [name, value] of Object.entries(changes)) {
    if (value === null) copy.searchParams.delete(name)
    else copy.searchParams.set(name, value)
  }
  return copy.href
}
