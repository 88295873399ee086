import { createHash } from 'node:crypto'
import fastifyCookie from '@fastify/cookie'
import Fastify, { type FastifyInstance } from 'fastify'
import { beforeEach, describe, expect, test } from 'vitest'
import { connection, connector, standInFlow } from '../../test/stand-in-flow.ts'
import { PatchbayError } from '../core/errors.ts'
import { createPages } from './pages.ts'

const HOSTILE = `<img src=x onerror=alert(1)>"'</script><script>alert(2)</script>\u202e`
const NAVIGATION = { 'sec-fetch-dest': 'document', 'sec-fetch-mode': 'navigate' }
const SECRET = 'A'.repeat(43)

let flow: ReturnType<typeof standInFlow>
let app: FastifyInstance

async function start(secureCookies: boolean): Promise<void> {
  flow = standInFlow()
  app = Fastify()
  await app.register(fastifyCookie)
  await app.register(createPages({ gateway: flow.gateway, publicUrl: 'http://gateway.test', secureCookies }))
}

beforeEach(async () => {
  await start(false)
  return () => app.close()
})

/** The page's policy lets exactly its own style and script run, and nothing of the markup does so by attribute. */
function expectSealed(reply: { headers: Record<string, unknown>; body: string }): void {
  const policy = String(reply.headers['content-security-policy'])
  const hash = (text: string) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`
  const style = /<style>([\s\S]*?)<\/style>/.exec(reply.body)?.[1] as string
  const scripts = [...reply.body.matchAll(/<script>([\s\S]*?)<\/script>/g)].map((match) => match[1] as string)
  expect(policy).toContain("default-src 'none'")
  expect(policy).toContain("frame-ancestors 'none'")
  expect(policy).toContain(`style-src ${hash(style)}`)
  expect(policy).toContain(`script-src ${scripts.length === 0 ? "'none'" : scripts.map(hash).join(' ')}`)
  expect(policy).not.toContain('unsafe')
  expect(reply.body).not.toMatch(/<[^>]+\son\w+=/)
  expect(reply.headers['cache-control']).toBe('no-store')
}

describe('the start of a flow', () => {
  test('binds the browser with a cookie and goes on to the provider', async () => {
    const reply = await app.inject('/connect/start/good')

    expect(reply.statusCode).toBe(302)
    expect(reply.headers.location).toBe('https://accounts.example/authorize?state=abc')
    const [cookie] = reply.cookies
    expect(cookie).toMatchObject({ name: 'patchbay_browser', httpOnly: true, sameSite: 'Lax', path: '/' })
    expect(cookie?.value).toMatch(/^[A-Za-z0-9_-]{43}$/)
    expect(flow.asked).toEqual([{ open: 'good', secret: cookie?.value }])
  })

  test('keeps the secret of a browser that has one, and replaces one that is not ours', async () => {
    await app.inject({ url: '/connect/start/good', cookies: { patchbay_browser: SECRET } })
    await app.inject({ url: '/connect/start/good', cookies: { patchbay_browser: 'short' } })

    expect(flow.asked[0]).toMatchObject({ secret: SECRET })
    expect(flow.asked[1]?.['secret']).toMatch(/^[A-Za-z0-9_-]{43}$/)
  })

  test('over TLS the cookie is bound to the host', async () => {
    await app.close()
    await start(true)
    const reply = await app.inject('/connect/start/good')
    expect(reply.cookies[0]).toMatchObject({ name: '__Host-patchbay_browser', secure: true, path: '/' })
    expect(reply.cookies[0]?.domain).toBeUndefined()
  })

  test('is not used up by a browser that looks ahead, nor by a HEAD request', async () => {
    expect((await app.inject({ url: '/connect/start/good', headers: { 'sec-purpose': 'prefetch' } })).statusCode).toBe(
      204,
    )
    expect((await app.inject({ method: 'HEAD', url: '/connect/start/good' })).statusCode).toBe(404)
    expect(flow.asked).toEqual([])
  })

  test('says so when the address is used up', async () => {
    const reply = await app.inject('/connect/start/old')
    expect(reply.statusCode).toBe(404)
    expect(reply.body).toContain('This address was used already')
    expect(reply.body).toMatch(/Request <code>/)
    expectSealed(reply)
  })
})

describe('the way back', () => {
  test('hands everything of the query to the core, with the browser’s secret', async () => {
    await app.inject({ url: '/oauth/callback/google?code=c%2B1&state=s&iss=x', cookies: { patchbay_browser: SECRET } })
    await app.inject('/api/integrations/callback?provider=google&state=s')

    expect(flow.asked[0]).toMatchObject({
      providerId: 'google',
      query: 'code=c%2B1&state=s&iss=x',
      browserSecret: SECRET,
    })
    expect(flow.asked[1]).toMatchObject({ providerId: 'google', query: 'state=s', browserSecret: undefined })
  })

  test('goes to the redirect address, keeping its own query and fragment', async () => {
    flow.state.outcome = { ...flow.state.outcome, redirectUrl: 'https://app.example/done?tab=2&status=mine#top' }
    const reply = await app.inject('/oauth/callback/google?code=c&state=s')

    expect(reply.statusCode).toBe(303)
    expect(reply.headers.location).toBe(
      'https://app.example/done?tab=2&status=connected&appName=gmail&connection_id=conn_1#top',
    )
  })

  test('takes a failure to the redirect address with its code', async () => {
    flow.state.outcome = {
      status: 'failed',
      connectorId: 'gmail',
      redirectUrl: 'https://app.example/done',
      error: { code: 'oauth_failed', message: 'Access was denied.', retryable: false },
    }
    const reply = await app.inject('/oauth/callback/google?error=access_denied&state=s')
    expect(reply.headers.location).toBe('https://app.example/done?status=failed&appName=gmail&error=oauth_failed')
  })

  test('never goes to an address that runs script', async () => {
    flow.state.outcome = { ...flow.state.outcome, redirectUrl: 'javascript:alert(1)' }
    const reply = await app.inject('/oauth/callback/google?code=c&state=s')
    expect(reply.statusCode).toBe(200)
    expect(reply.headers.location).toBeUndefined()
    expect(reply.body).not.toContain('javascript:')
  })

  test('in a popup leaves one message for exactly the opener’s origin', async () => {
    flow.state.outcome = {
      ...flow.state.outcome,
      openerOrigin: 'https://app.example',
      redirectUrl: 'https://app.example/done',
    }
    const reply = await app.inject('/oauth/callback/google?code=c&state=s')

    const data = /<script type="application\/json" id="outcome">(.*?)<\/script>/.exec(reply.body)?.[1] as string
    expect(JSON.parse(data)).toEqual({
      message: { type: 'patchbay:connect', status: 'connected', appName: 'gmail', connection_id: 'conn_1' },
      origin: 'https://app.example',
      redirect: 'https://app.example/done?status=connected&appName=gmail&connection_id=conn_1',
    })
    expect(reply.body.match(/postMessage/g)).toHaveLength(1)
    expect(reply.headers['cross-origin-opener-policy']).toBeUndefined()
    expectSealed(reply)
  })

  test('with neither it is a calm page that names the account', async () => {
    flow.state.outcome = { ...flow.state.outcome, connection: connection('active', 'ann@example.com') }
    const reply = await app.inject('/oauth/callback/google?code=c&state=s')

    expect(reply.statusCode).toBe(200)
    expect(reply.body).toContain('Gmail is connected')
    expect(reply.body).toContain('ann@example.com')
    expect(reply.body).toContain('You can close this window')
    expectSealed(reply)
  })

  test('a failure with neither says what happened, what to do and the request id', async () => {
    flow.state.outcome = {
      status: 'failed',
      error: {
        code: 'oauth_failed',
        message: 'This sign-in was started in another browser.',
        retryable: false,
        fix: { action: 'Start again in this browser' },
        details: { internal: 'not for the page' },
      },
    }
    const reply = await app.inject('/oauth/callback/google?code=SECRETCODE&state=SECRETSTATE')

    expect(reply.statusCode).toBe(400)
    expect(reply.body).toContain('The account was not connected')
    expect(reply.body).toContain('started in another browser')
    expect(reply.body).toContain('Start again in this browser.')
    expect(reply.body).not.toMatch(/SECRET|not for the page/)
    expectSealed(reply)
  })

  test('shows hostile names as text', async () => {
    flow.state.outcome = {
      ...flow.state.outcome,
      connectorName: HOSTILE,
      connection: connection('active', HOSTILE),
      openerOrigin: 'https://app.example',
      error: { code: 'oauth_failed', message: HOSTILE, retryable: false },
      status: 'failed',
    }
    const popup = await app.inject('/oauth/callback/google?code=c&state=s')
    delete flow.state.outcome.openerOrigin
    const plain = await app.inject('/oauth/callback/google?code=c&state=s')

    for (const reply of [popup, plain]) {
      expect(reply.body).not.toContain('<img')
      expect(reply.body).not.toContain('<script>alert')
      expect(reply.body).not.toContain('\u202e')
      expect(reply.body).toContain('&lt;img src=x onerror=alert(1)&gt;')
      expectSealed(reply)
    }
  })
})

describe('the hosted connect page', () => {
  const open = (token = 'cl_good') => app.inject({ url: `/connect/${token}`, headers: NAVIGATION })
  const send = (payload: string, headers: Record<string, string> = {}) =>
    app.inject({
      method: 'POST',
      url: '/connect/cl_good',
      payload,
      cookies: { patchbay_browser: SECRET },
      headers: { 'content-type': 'application/x-www-form-urlencoded', 'sec-fetch-site': 'same-origin', ...headers },
    })

  test('offers each connector with what it asks for in words', async () => {
    const reply = await open()

    expect(reply.statusCode).toBe(200)
    expect(reply.cookies[0]?.name).toBe('patchbay_browser')
    expect(reply.body).toContain('<h1>Connect Gmail</h1>')
    expect(reply.body).toContain('Acme asks to use your account')
    expect(reply.body).toContain('Read messages and their attachments')
    expect(reply.body).not.toContain('Send messages in your name')
    expect(reply.body).toContain('until 12:10 UTC')
    expectSealed(reply)
  })

  test('says exactly what a link for more tools asks for', async () => {
    flow.state.link = {
      ...flow.state.link,
      connectors: [{ connector: connector('gmail', 'Gmail'), configured: true, scopes: ['send'] }],
    }
    const reply = await open()
    expect(reply.body).toContain('Send messages in your name')
    expect(reply.body).not.toContain('Read messages')
  })

  test('shows a dead connection as dead and a live one as connected', async () => {
    flow.state.link = {
      ...flow.state.link,
      connectors: [
        {
          connector: connector('gmail', 'Gmail'),
          configured: true,
          connection: connection('needs_reauth', 'ann@old.example'),
        },
        { connector: connector('slack', 'Slack'), configured: true, connection: connection('active', 'ann@acme') },
        { connector: connector('github', 'GitHub'), configured: false },
      ],
    }
    const { body } = await open()
    const [, gmail, slack, github] = body.split('<section') as [string, string, string, string]

    expect(gmail).toContain('ann@old.example needs connecting again')
    expect(gmail).toContain('Google ended the access. Connect it again.')
    expect(gmail).not.toContain('Connected as')
    expect(slack).toContain('Connected as ann@acme')
    expect(github).toMatch(/<button disabled aria-describedby="w-github">/)
    expect(github).toContain('An administrator has to set up an OAuth app for Google first.')
  })

  test('is not used up by what does not look like a browser', async () => {
    const reply = await app.inject('/connect/cl_good')

    expect(reply.body).toContain('href="http://gateway.test/connect/cl_good?open=1"')
    expect(flow.asked).toEqual([])
    expect((await app.inject('/connect/cl_good?open=1')).body).toContain('Connect Gmail')
  })

  test('a link that is spent says so', async () => {
    const reply = await open('cl_spent')
    expect(reply.statusCode).toBe(404)
    expect(reply.body).toContain('This link does not work')
    expect(reply.body).toContain('used already')
  })

  test('sends the form’s choice to the core and goes on to the provider', async () => {
    const reply = await send('connector=gmail&settings.host=+mail.example+&settings.empty=')

    expect(reply.statusCode).toBe(200)
    expect(reply.body).toContain('content="0;url=http://gateway.test/connect/start/next"')
    expect(flow.asked.at(-1)).toEqual({
      start: 'cl_good',
      secret: SECRET,
      request: { connectorId: 'gmail', settings: { host: 'mail.example' } },
    })
    expectSealed(reply)
  })

  test('shows the form again with what was typed when the core refuses it', async () => {
    const withField = connector('gmail', 'Gmail')
    const params = [{ key: 'host', label: 'Host', required: true, pattern: '^[a-z.]+$', help: 'Such as mail.example' }]
    flow.state.link = {
      ...flow.state.link,
      connectors: [
        {
          connector: { ...withField, provider: { ...withField.provider, connectionParams: params } },
          configured: true,
        },
      ],
    }
    flow.state.refusal = new PatchbayError('invalid_input', 'Host must be a host name.')
    const reply = await send('connector=gmail&settings.host=%22%3E%3Cb%3E')

    expect(reply.statusCode).toBe(400)
    expect(reply.body).toContain('Host must be a host name.')
    expect(reply.body).toContain('value="&quot;&gt;&lt;b&gt;"')
    expect(reply.body).toContain('aria-describedby="f-gmail-host-help"')
    expectSealed(reply)
  })

  test.each([
    ['from another site', { 'sec-fetch-site': 'cross-site' }],
    ['from a sibling host', { 'sec-fetch-site': 'same-site' }],
  ])('refuses a form %s', async (_name, headers) => {
    const reply = await send('connector=gmail', headers)
    expect(reply.statusCode).toBe(403)
    expect(flow.asked).toEqual([])
  })

  test('takes the origin of browsers that do not send Sec-Fetch-Site', async () => {
    const form = {
      method: 'POST',
      url: '/connect/cl_good',
      payload: 'connector=gmail',
      cookies: { patchbay_browser: SECRET },
    } as const
    const type = { 'content-type': 'application/x-www-form-urlencoded' }
    const own = await app.inject({ ...form, headers: { ...type, origin: 'http://gateway.test' } })
    const other = await app.inject({ ...form, headers: { ...type, origin: 'http://evil.test' } })
    const none = await app.inject({ ...form, headers: type })

    expect([own.statusCode, other.statusCode, none.statusCode]).toEqual([200, 403, 403])
  })

  test.each([
    ['nothing chosen', '', 400],
    ['a strange connector', 'connector=..%2F..', 400],
    ['a connector that is not offered', 'connector=slack', 404],
    ['a field of nobody', 'connector=gmail&admin=1', 400],
    ['a value without end', `connector=gmail&settings.host=${'x'.repeat(3000)}`, 400],
    ['a form without end', `connector=gmail&settings.host=${'x'.repeat(40_000)}`, 413],
  ])('answers %s with a page that says so', async (_name, payload, status) => {
    const reply = await send(payload)
    expect(reply.statusCode).toBe(status)
    expect(reply.headers['content-type']).toContain('text/html')
    expect(reply.body).toMatch(/role="alert"/)
  })

  test('refuses a form without the cookie, and bodies that are not forms', async () => {
    const headers = { 'content-type': 'application/x-www-form-urlencoded', 'sec-fetch-site': 'same-origin' }
    const bare = await app.inject({ method: 'POST', url: '/connect/cl_good', payload: 'connector=gmail', headers })
    const json = await send('{}', { 'content-type': 'application/json' })

    expect(bare.body).toContain('Allow cookies for this site')
    expect(json.statusCode).toBe(415)
  })

  test('shows hostile names as text', async () => {
    const hostile = connector('gmail', HOSTILE, {
      description: HOSTILE,
      scopes: { email: { description: HOSTILE, effect: 'read' }, read: { description: HOSTILE, effect: 'read' } },
    })
    flow.state.link = {
      ...flow.state.link,
      projectName: HOSTILE,
      connectors: [{ connector: hostile, configured: true, connection: connection('error', HOSTILE) }],
    }
    const { body } = await open()

    expect(body).not.toContain('<img')
    expect(body).not.toContain('<script')
    expect(body.match(/&lt;img src=x onerror=alert\(1\)&gt;/g)?.length).toBeGreaterThan(5)
  })
})

test('what we did not foresee says nothing of its cause', async () => {
  flow.gateway.connect.open = async () => {
    throw new Error('password=hunter2 at db.internal')
  }
  const reply = await app.inject('/connect/start/good')
  expect(reply.statusCode).toBe(500)
  expect(reply.body).not.toMatch(/hunter2|db\.internal/)
})
