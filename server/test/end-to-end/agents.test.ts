import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Emulators, startEmulators } from '../../../examples/demo/emulators.ts'
import { emulatorEnv, freePort, startGateway } from '../gateway.ts'
import { type AgentClient, runInspector, SDK_CLIENTS } from '../mcp/clients.ts'
import { newBrowser } from './browser.ts'
import { type Recorder, startRecorder } from './recorder.ts'

/** Agents' own clients, at real instances of the real gateway, on accounts at published emulators. */

let gateway: Awaited<ReturnType<typeof startGateway>>
let emulators: Emulators
let google: Recorder
beforeAll(async () => {
  const port = await freePort()
  emulators = await startEmulators(`http://localhost:${port}`)
  google = await startRecorder(emulators.google.url)
  const env = emulatorEnv(emulators)
  const serviceUrls = env['SERVICE_URLS']?.replaceAll(emulators.google.url, google.url) ?? ''
  gateway = await startGateway({ ...env, SERVICE_URLS: serviceUrls, PORT: String(port) })
})
afterAll(async () => {
  await gateway.stop()
  await google.stop()
  await emulators.close()
})

let users = 0
/** A user nobody has used yet. */
const newUser = () => `user-${++users}`

async function connect(user: string, connector: string, account: string, request: object = {}): Promise<string> {
  const started = await gateway.client.connect({ user_id: user, provider: connector, tools: ['*'], ...request })
  const page = await newBrowser().go(started.auth_url, { account })
  expect(page.status, page.text).toBe(200)
  return started.connection_id
}

const ACCOUNTS = { gmail: 'ada@example.com', slack: 'ada', github: 'ada' }

async function connectAll(user: string): Promise<void> {
  for (const [connector, account] of Object.entries(ACCOUNTS)) await connect(user, connector, account)
}

/** Ends every Google grant, as the owner of the account can: what the gateway holds is refused from now on. */
async function endGoogleAccess(): Promise<void> {
  for (const token of google.issued('refresh_token')) {
    await fetch(`${emulators.google.url}/oauth2/revoke`, { method: 'POST', body: new URLSearchParams({ token }) })
  }
  // Access tokens end by their age only: the emulator takes any.
  gateway.advance(2 * 60 * 60_000)
}

/** Events of tool calls are written in groups. */
async function eventsOf(user: string, type: string) {
  await gateway.served.gateway.eventLog.flush()
  return (await gateway.client.events.list({ types: [type] as never, user_id: user })).items
}

function linkIn(text: string): string {
  return /https?:\/\/\S+\/connect\/cl_[\w-]+/.exec(text)?.[0] ?? expect.fail(`no connect link in: ${text}`)
}

describe.each(SDK_CLIENTS)('$name', ({ connect: open, revision }) => {
  const withAgent = async <T>(
    instance: { url: string; token: string },
    use: (agent: AgentClient) => Promise<T>,
  ): Promise<T> => {
    const agent = await open(instance.url, instance.token)
    try {
      return await use(agent)
    } finally {
      await agent.close()
    }
  }

  /** As a client sees them that has none in its cache: newer clients keep a list for as long as it says. */
  const freshTools = (instance: { url: string; token: string }) => withAgent(instance, (agent) => agent.listTools())

  test('lists and calls the tools of three connected accounts', async () => {
    const user = newUser()
    await connectAll(user)
    const instance = await gateway.client.instances.create({ user_id: user })

    await withAgent(instance, async (agent) => {
      expect(agent.revision).toBe(revision)
      const tools = await agent.listTools()
      for (const connector of ['GMAIL_', 'SLACK_', 'GITHUB_']) {
        expect(tools.filter(({ name }) => name.startsWith(connector)).length, connector).toBeGreaterThanOrEqual(12)
      }
      expect(tools.flatMap(({ inputSchema }) => Object.keys(inputSchema['properties'] as object))).not.toContain(
        'account',
      )

      const subject = `To be found by ${revision} ${user}`
      const sent = await agent.callTool('GMAIL_SEND_EMAIL', {
        recipient_email: 'ada@example.com',
        subject,
        body: 'Grüße',
      })
      expect(sent, sent.text).toMatchObject({ isError: false })
      const found = await agent.callTool('GMAIL_FETCH_EMAILS', { query: `subject:${user}`, max_results: 5 })
      expect(found.text).toContain(subject)
      expect(found.meta['patchbay/untrusted']).toContain('Gmail')

      const channels = await agent.callTool('SLACK_LIST_ALL_CHANNELS', {})
      const [channel] = (channels.structured as { channels: { id: string; name: string }[] }).channels.filter(
        ({ name }) => name === 'general',
      )
      const posted = await agent.callTool('SLACK_SEND_MESSAGE', { channel: channel?.id, text: subject })
      expect(posted, posted.text).toMatchObject({ isError: false })
      const history = await agent.callTool('SLACK_FETCH_CONVERSATION_HISTORY', { channel: channel?.id, limit: 5 })
      expect(history.text).toContain(subject)

      const issue = await agent.callTool('GITHUB_CREATE_AN_ISSUE', { owner: 'ada', repo: 'engine', title: subject })
      expect(issue, issue.text).toMatchObject({ isError: false })
      const listed = await agent.callTool('GITHUB_LIST_REPOSITORY_ISSUES', { owner: 'ada', repo: 'engine' })
      expect(listed.text).toContain(subject)

      const wrong = await agent.callTool('GITHUB_CREATE_AN_ISSUE', { owner: 'ada', repo: 'engine', titel: subject })
      expect(wrong).toMatchObject({ isError: true, text: expect.stringContaining('did you mean "title"?') })
    })
    const items = await eventsOf(user, 'tool.called')
    expect(items).toHaveLength(8)
    expect(items.every(({ actor }) => actor.type === 'instance' && actor.id === instance.id)).toBe(true)
  })

  test('is told about a missing connection with the link that makes it', async () => {
    const user = newUser()
    const instance = await gateway.client.instances.create({ user_id: user, policy: { connectors: ['github'] } })

    await withAgent(instance, async (agent) => {
      const tools = await agent.listTools()
      expect(tools.find(({ name }) => name === 'GITHUB_LIST_BRANCHES')?.description).toMatch(/not connected/i)
      const refused = await agent.callTool('GITHUB_GET_THE_AUTHENTICATED_USER', {})
      expect(refused).toMatchObject({ isError: true, structured: { error: { code: 'not_connected' } } })

      const page = await newBrowser().openLink(linkIn(refused.text), 'github', 'ada')
      expect(page.text).toContain('GitHub is connected')

      expect(await agent.callTool('GITHUB_GET_THE_AUTHENTICATED_USER', {})).toMatchObject({
        isError: false,
        structured: { login: 'ada' },
      })
    })
  })

  test('is told about a dead connection with the link that mends it, and its id stays', async () => {
    const user = newUser()
    const id = await connect(user, 'gmail', 'ada@example.com')
    const instance = await gateway.client.instances.create({ user_id: user })
    await endGoogleAccess()

    await withAgent(instance, async (agent) => {
      const refused = await agent.callTool('GMAIL_LIST_LABELS', {})
      expect(refused).toMatchObject({
        isError: true,
        structured: { error: { code: 'needs_reauth', retryable: false } },
      })
      expect((await freshTools(instance)).find(({ name }) => name === 'GMAIL_LIST_LABELS')?.description).toMatch(
        /has ended/,
      )
      expect(await gateway.client.connections.get(id, { user_id: user })).toMatchObject({ status: 'needs_reauth' })

      const page = await newBrowser().openLink(linkIn(refused.text), 'gmail', 'ada@example.com')
      expect(page.text).toContain('Gmail is connected')

      const mended = await agent.callTool('GMAIL_LIST_LABELS', {})
      expect(mended, mended.text).toMatchObject({ isError: false, meta: { 'patchbay/connection_id': id } })
    })
  })

  test('chooses between two accounts by the parameter that only then is there', async () => {
    const user = newUser()
    const first = await connect(user, 'gmail', 'ada@example.com')
    const instance = await gateway.client.instances.create({ user_id: user })
    await withAgent(instance, async (agent) => {
      const listLabels = async () => (await freshTools(instance)).find(({ name }) => name === 'GMAIL_LIST_LABELS')
      expect((await listLabels())?.inputSchema['properties']).not.toHaveProperty('account')

      const second = await connect(user, 'gmail', 'ada@work.example')

      expect((await listLabels())?.inputSchema['properties']).toMatchObject({
        account: { type: 'string', description: expect.stringContaining('ada@work.example') },
      })
      const used = async (args: object) =>
        (await agent.callTool('GMAIL_LIST_LABELS', { ...args })).meta['patchbay/connection_id']
      expect(await used({})).toBe(first)
      expect(await used({ account: 'ada@work.example' })).toBe(second)
      expect(await used({ account: 'ada@example.com' })).toBe(first)
      const nobody = await agent.callTool('GMAIL_LIST_LABELS', { account: 'eve@example.com' })
      expect(nobody).toMatchObject({
        isError: true,
        text: expect.stringContaining('Choose one of: ada@example.com, ada@work.example'),
      })
    })
  })

  test('of an instance that only reads sees no other tools, and is told the rule', async () => {
    const user = newUser()
    await connect(user, 'github', 'ada')
    const instance = await gateway.client.instances.create({ user_id: user, policy: { effects: ['read'] } })

    await withAgent(instance, async (agent) => {
      const tools = await agent.listTools()
      expect(tools.length).toBeGreaterThan(10)
      expect(tools.every(({ annotations }) => annotations?.['readOnlyHint'])).toBe(true)
      const refused = await agent.callTool('GITHUB_CREATE_AN_ISSUE', { owner: 'ada', repo: 'engine', title: 'No' })
      expect(refused).toMatchObject({
        isError: true,
        text: expect.stringContaining('limited to tools that read'),
        structured: { error: { code: 'policy_denied', details: { rule: 'effects' } } },
      })
    })
    expect(await eventsOf(user, 'tool.refused')).toMatchObject([
      { outcome: 'refused', tool: 'GITHUB_CREATE_AN_ISSUE', code: 'policy_denied' },
    ])
  })

  test('is turned away once its token was rotated or its instance deleted', async () => {
    const instance = await gateway.client.instances.create({ user_id: newUser() })
    const agent = await open(instance.url, instance.token)
    expect(await agent.listTools()).toEqual([])

    const { token } = await gateway.client.instances.rotateToken(instance.id, { user_id: instance.user_id })
    await expect(agent.callTool('GMAIL_LIST_LABELS', {})).rejects.toThrow()
    await expect(open(instance.url, instance.token)).rejects.toThrow()
    await withAgent({ url: instance.url, token }, async (anew) => expect(await anew.listTools()).toEqual([]))

    await gateway.client.instances.remove(instance.id, { user_id: instance.user_id })
    await expect(open(instance.url, token)).rejects.toThrow()
    for (const old of [instance.token, token]) {
      const answer = await fetch(instance.url, {
        method: 'POST',
        headers: { authorization: `Bearer ${old}`, 'content-type': 'application/json' },
        body: '{"jsonrpc":"2.0","id":1,"method":"tools/list"}',
      })
      expect(answer.status).toBe(401)
      expect(answer.headers.get('www-authenticate')).toContain('invalid_token')
    }
    await agent.close()
  })
})

describe.each(['legacy', 'modern'] as const)('the MCP Inspector, %s', (era) => {
  test('lists, calls, shows the link of a missing connection, and is turned away without a right token', async () => {
    const user = newUser()
    await connect(user, 'github', 'ada')
    const { url, token } = await gateway.client.instances.create({
      user_id: user,
      policy: { connectors: ['github', 'slack'] },
    })
    const call = (tool: string, ...args: string[]) =>
      runInspector(
        url,
        token,
        ['--method', 'tools/call', '--tool-name', tool, ...args.flatMap((arg) => ['--tool-arg', arg])],
        era,
      )

    const listed = await runInspector(url, token, ['--method', 'tools/list', '--strict'], era)
    expect(listed.code, listed.stderr).toBe(0)
    expect(((listed.result?.['tools'] ?? []) as unknown[]).length).toBeGreaterThan(24)

    const called = await call(
      'GITHUB_CREATE_AN_ISSUE',
      'owner=ada',
      'repo=engine',
      `title=Seen by the inspector, ${era}`,
    )
    expect(called, called.stderr).toMatchObject({
      code: 0,
      result: { structuredContent: { title: `Seen by the inspector, ${era}` } },
    })

    const missing = await call('SLACK_LIST_ALL_CHANNELS')
    expect(missing.code).toBe(5)
    const page = await newBrowser().openLink(
      linkIn(JSON.stringify(missing.result).replaceAll('\\n', '\n').replaceAll('"', ' ')),
      'slack',
      'ada',
    )
    expect(page.text).toContain('Slack is connected')
    expect(await call('SLACK_LIST_ALL_CHANNELS')).toMatchObject({ code: 0 })

    expect(await runInspector(url, `${token}x`, ['--method', 'tools/list'], era)).toMatchObject({ code: 3 })
  })
})
