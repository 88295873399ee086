import { execFile } from 'node:child_process'
import type { Server } from 'node:http'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { type Client, createClient } from '@patchbay/sdk'
import { createEmulator } from 'emulate'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { newPerson } from '../../examples/demo/person.ts'
import { createApp } from '../../examples/embed/app.ts'
import { freePort, startEmulatedGateway, startGateway, type TestGateway } from './gateway.ts'

const EXAMPLES = join(import.meta.dirname, '../../examples')

describe('the application that embeds the gateway', () => {
  let gateway: Awaited<ReturnType<typeof startEmulatedGateway>>
  let app: Server
  let address: string
  const post = async (path: string): Promise<any> => (await fetch(address + path, { method: 'POST' })).json()

  beforeAll(async () => {
    gateway = await startEmulatedGateway()
    const { stdout } = await promisify(execFile)(process.execPath, [join(EXAMPLES, 'embed/setup.ts')], {
      env: { PATCHBAY_URL: gateway.url, PATCHBAY_ADMIN_KEY: gateway.adminKey },
    })
    address = `http://localhost:${await freePort()}`
    // The example allows port 3000; the test takes one that is free.
    await gateway.client.projects.update('default', { redirect_urls: [`${address}/*`] })
    app = createApp(createClient({ baseUrl: gateway.url, apiKey: stdout.trim(), retries: 0 }), address)
    await new Promise<void>((resolve) => app.listen(Number(new URL(address).port), 'localhost', resolve))
  })
  afterAll(async () => {
    await new Promise((resolve) => app?.close(resolve))
    await gateway?.stop()
  })

  test('its set-up allows its address and makes a key for users of the project, no more', async () => {
    const keys = await gateway.client.apiKeys.list()

    expect(keys.items.map(({ name, role }) => [name, role])).toContainEqual(['My app', 'app'])
  })

  test('a call before connecting says so, with the link that connects', async () => {
    const { error } = await post('/mail')

    expect(error.code).toBe('not_connected')
    expect(error.fix.url).toMatch(new RegExp(`^${gateway.url}/connect/cl_`))
  })

  test('a user connects by redirect and comes back to the application', async () => {
    const landed = await newPerson().visit(`${address}/connect`, 'ada@example.com')

    expect(new URL(landed.url).pathname).toBe('/connected')
    expect(JSON.parse(landed.text)).toEqual({ connected: true, account: 'ada@example.com' })
  })

  test('a user connects by popup, which reports to the page that opened it', async () => {
    const { auth_url } = await post('/connect-popup')

    const closing = await newPerson().visit(auth_url, 'ada@example.com')

    expect(closing.text).toContain('Gmail is connected')
    expect(closing.text).toContain(`"origin":"${address}"`)
    expect(closing.text).toContain('"type":"patchbay:connect"')
  })

  test('the agent reads the mail of the connected account', async () => {
    await gateway.client.tools.execute({
      user_id: 'user-17',
      action: 'GMAIL_SEND_EMAIL',
      params: { recipient_email: 'ada@example.com', subject: 'A note to self', body: 'Oil the wheels.' },
    })

    const { messages } = await post('/mail')

    expect(messages.map((one: { subject: string }) => one.subject)).toContain('A note to self')
  })

  test('a link leads to a page of the gateway that offers the named services', async () => {
    const { url } = await post('/connect-link')

    const page = await newPerson().visit(`${url}?open=1`)

    expect(page.status).toBe(200)
    expect(page.text).toContain('Slack')
    expect(page.text).not.toContain('GitHub')
  })

  test('the key for the browser reads as its user and does nothing else', async () => {
    const { key } = await post('/key')
    const browser = createClient({ baseUrl: gateway.url, apiKey: key, retries: 0 })

    const reading = await browser.tools.execute({ user_id: 'user-17', action: 'GMAIL_LIST_LABELS' })
    expect(reading.success).toBe(true)

    const sending = browser.tools.execute({
      user_id: 'user-17',
      action: 'GMAIL_SEND_EMAIL',
      params: { recipient_email: 'ada@example.com', body: 'Hello' },
    })
    await expect(sending).rejects.toMatchObject({ code: 'policy_denied', details: { rule: 'effects' } })

    const another = browser.tools.list({ user_id: 'user-18' })
    await expect(another).rejects.toMatchObject({ code: 'not_found' })
  })
})

describe('the connector in a folder of its own', () => {
  let service: { url: string; close(): Promise<void> }
  let gateway: TestGateway
  let client: Client

  beforeAll(async () => {
    const port = await freePort()
    service = await createEmulator({
      service: 'okta',
      port: 0,
      seed: {
        okta: {
          users: [
            { login: 'ada@example.com', email: 'ada@example.com', first_name: 'Ada', last_name: 'Lovelace' },
            { login: 'grace@example.com', email: 'grace@example.com', first_name: 'Grace', last_name: 'Hopper' },
          ],
          oauth_clients: [
            {
              client_id: 'gateway',
              client_secret: 'secret-of-the-gateway',
              name: 'Patchbay',
              redirect_uris: [`http://localhost:${port}/oauth/callback/okta`],
            },
          ],
        },
      },
    })
    gateway = await startGateway({
      PORT: String(port),
      CONNECTORS_DIR: join(EXAMPLES, 'connector'),
      EGRESS_ALLOW: 'loopback',
      SERVICE_URLS: JSON.stringify({ 'https://{domain}': service.url }),
      OKTA_CLIENT_ID: 'gateway',
      OKTA_CLIENT_SECRET: 'secret-of-the-gateway',
    })
    client = gateway.client
  })
  afterAll(async () => {
    await gateway?.stop()
    await service?.close()
  })

  test('is in the catalogue, with a form for what has to be known before connecting', async () => {
    const okta = await client.connectors.get('okta')

    expect(okta.tools.map(({ name }) => name)).toEqual(['OKTA_FIND_PEOPLE', 'OKTA_GET_PERSON', 'OKTA_SUSPEND_PERSON'])
    expect(okta.form).toMatchObject({ required: ['domain'] })
  })

  test('refuses a host that is not of the service', async () => {
    const elsewhere = client.connect({ user_id: 'ada', provider: 'okta', settings: { domain: 'evil.example' } })

    await expect(elsewhere).rejects.toMatchObject({ code: 'invalid_input' })
  })

  test('connects, and runs its tools on the service', async () => {
    const { auth_url, connection_id } = await client.connect({
      user_id: 'ada',
      provider: 'okta',
      settings: { domain: 'acme.okta.com' },
      tools: ['*'],
    })
    await newPerson().visit(auth_url, 'ada@example.com')
    const connection = await client.connections.get(connection_id, { user_id: 'ada' })
    expect(connection).toMatchObject({ status: 'active', account: { label: 'ada@example.com' } })

    const run = async (action: string, params: Record<string, unknown>) =>
      (await client.tools.execute({ user_id: 'ada', action, params })).result as any
    const { people } = await run('OKTA_FIND_PEOPLE', { q: 'grace' })
    expect(people).toEqual([
      {
        id: expect.any(String),
        login: 'grace@example.com',
        email: 'grace@example.com',
        name: 'Grace Hopper',
        status: 'ACTIVE',
      },
    ])
    expect(await run('OKTA_SUSPEND_PERSON', { user: people[0].id })).toEqual({ suspended: true })
    expect(await run('OKTA_GET_PERSON', { user: people[0].id })).toMatchObject({ status: 'SUSPENDED', groups: [] })
  })

  test('answers the words of the service when it refuses', async () => {
    const unknown = client.tools.execute({ user_id: 'ada', action: 'OKTA_GET_PERSON', params: { user: 'nobody' } })

    await expect(unknown).rejects.toMatchObject({ providerStatus: 404, message: expect.stringContaining('Not found') })
  })
})
