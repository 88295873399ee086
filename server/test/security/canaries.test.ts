import { randomBytes } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Emulators, startEmulators } from '../../../examples/demo/emulators.ts'
import { newBrowser } from '../end-to-end/browser.ts'
import { runCommand } from '../end-to-end/command.ts'
import { type HeldService, startHeldService } from '../end-to-end/held-service.ts'
import { type Recorder, startRecorder } from '../end-to-end/recorder.ts'
import { emulatorEnv, freePort, spawnGateway } from '../gateway.ts'

/**
 * Secrets that are known here go through everything the gateway does while it says as much as it can; then all it has
 * written anywhere is searched for them.
 */

type Spawned = Awaited<ReturnType<typeof spawnGateway>>

/** Secret values by what they are. */
const canaries = new Map<string, string>()
/** One-time values that travel in addresses by design, and what callers send to services: not for logs, events or disk. */
const passing = new Map<string, string>()
/** Everything written, by where. */
const written = new Map<string, Buffer>()

const folder = mkdtempSync(join(tmpdir(), 'patchbay-canary-'))
let gateway: Spawned
let emulators: Emulators
let google: Recorder
let slack: Recorder
let github: HeldService
const browser = newBrowser()
const answers: string[] = []

const canary = (name: string, value = `canary-${randomBytes(18).toString('base64url')}`) => {
  canaries.set(name, value)
  return value
}

beforeAll(async () => {
  const port = await freePort()
  const publicUrl = `http://localhost:${port}`
  emulators = await startEmulators(publicUrl)
  google = await startRecorder(emulators.google.url)
  slack = await startRecorder(emulators.slack.url)
  github = await startHeldService()
  const env = emulatorEnv(emulators)
  const moved: [string, string][] = [
    [emulators.google.url, google.url],
    [emulators.slack.url, slack.url],
    [emulators.github.url, github.url],
  ]
  const settings = {
    ...env,
    SERVICE_URLS: moved.reduce((urls, [from, to]) => urls.replaceAll(from, to), env['SERVICE_URLS'] ?? ''),
    PORT: String(port),
    DATA_DIR: folder,
    LOG_LEVEL: 'trace',
    ADMIN_API_KEY: canary('admin key from the environment'),
    GITHUB_CLIENT_SECRET: canary('client secret from the environment'),
  }
  gateway = await spawnGateway(settings)
  canary('client secret of Google', env['GOOGLE_CLIENT_SECRET'])
  canary('client secret of Slack', env['SLACK_CLIENT_SECRET'])
  await everything(settings)
}, 120_000)
afterAll(async () => {
  if (gateway?.child.exitCode === null && gateway.child.signalCode === null) gateway.child.kill('SIGKILL')
  await gateway?.ended
  await Promise.all([google?.stop(), slack?.stop(), github?.stop(), emulators?.close()])
  rmSync(folder, { recursive: true, force: true })
})

/** Sends a request and keeps its answer, all but a secret that this answer is the one place for. */
async function send(
  method: string,
  path: string,
  body?: unknown,
  { key = gateway.adminKey, reveals = [] as string[], headers = {} } = {},
) {
  const response = await fetch(gateway.url + path, {
    method,
    redirect: 'manual',
    headers: { 'x-api-key': key, ...(body !== undefined && { 'content-type': 'application/json' }), ...headers },
    ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  })
  const text = await response.text()
  const json = text.startsWith('{') && !text.includes('\n{') ? JSON.parse(text) : undefined
  let kept = text
  for (const member of reveals) if (json?.[member]) kept = kept.replace(json[member], '')
  answers.push(kept, JSON.stringify([...response.headers].filter(([name]) => name !== 'set-cookie')))
  return { status: response.status, text, json, headers: response.headers }
}

async function everything(settings: Record<string, string>): Promise<void> {
  await administer()
  await connectAndUse()
  await fail()
  await sendBadInput()
  for (const path of [
    '/metrics',
    '/api/events?limit=200',
    '/api/events/export',
    '/api/connections',
    '/api/api-keys',
    '/api/oauth-apps',
    '/api/instances',
    '/health',
    '/api/openapi.json',
  ]) {
    const { status, text } = await send('GET', path)
    expect(status, path).toBe(200)
    if (path === '/metrics' || path.startsWith('/api/events')) written.set(path, Buffer.from(text))
  }
  for (const command of [['doctor'], ['keys', 'status'], ['keys', 'rotate'], ['audit'], ['settings']]) {
    const { code, output } = await runCommand(command, settings)
    expect(code, output).toBe(0)
    written.set(`patchbay ${command.join(' ')}`, Buffer.from(output))
  }
  await send('POST', '/api/tools/execute', { user_id: 'ann', action: 'GMAIL_LIST_LABELS' })
  keepFolder('while it runs')
  const masterKeys = JSON.parse(readFileSync(join(folder, 'master.key'), 'utf8')) as { keys: { key: string }[] }
  expect(masterKeys.keys).toHaveLength(2)
  masterKeys.keys.forEach(({ key }, index) => {
    canary(`master key ${index}`, key)
    canary(`bytes of master key ${index}`, Buffer.from(key, 'base64').toString('latin1'))
  })
  gateway.child.kill('SIGABRT')
  await gateway.ended
  written.set('its output', Buffer.from(gateway.output()))
  keepFolder('after a crash')

  for (const [name, recorder] of [
    ['Google', google],
    ['Slack', slack],
  ] as const) {
    for (const member of ['access_token', 'refresh_token', 'id_token']) {
      for (const [index, token] of recorder.issued(member).entries()) canary(`${member} ${index} of ${name}`, token)
    }
    for (const { sent } of recorder.exchanges) {
      const form = new URLSearchParams(sent)
      const [verifier, code] = [form.get('code_verifier'), form.get('code')]
      if (verifier) canary(`PKCE verifier at ${name}`, verifier)
      if (code) passing.set(`code of ${name}`, code)
    }
    written.set(
      `addresses at ${name}`,
      Buffer.from(
        recorder.exchanges
          .map(({ path }) => path)
          .filter((path) => !path.includes('authorize'))
          .join('\n'),
      ),
    )
  }
  for (const url of browser.visited) {
    const state = new URL(url).searchParams.get('state')
    const [link] = /(?:st|cl)_[\w-]{43}/.exec(url) ?? []
    if (state && state.length > 20) passing.set('state', state)
    if (link) passing.set(`one-time address ${link.slice(0, 2)}`, link)
  }
  for (const [name, value] of browser.cookies(new URL(gateway.url).host)) canary(`cookie ${name}`, value)
  written.set('addresses the person saw', Buffer.from(browser.visited.join('\n')))
  written.set('pages the person saw', Buffer.from(browser.seen.join('\n').replaceAll(/\["set-cookie","[^"]*"\]/g, '')))
  written.set('answers', Buffer.from(answers.join('\n')))
}

async function administer(): Promise<void> {
  const saved = canary('client secret that was entered')
  expect((await send('PUT', '/api/oauth-apps/google', { client_id: 'another', client_secret: saved })).status).toBe(200)
  expect((await send('DELETE', '/api/oauth-apps/google')).status).toBe(204)
  const kept = canary('client secret that stays')
  expect((await send('PUT', '/api/oauth-apps/github', { client_id: 'entered', client_secret: kept })).status).toBe(200)

  for (const body of [
    { name: 'App', role: 'app' },
    { name: 'User', role: 'user', user_id: 'ann' },
  ]) {
    const { json } = await send('POST', '/api/api-keys', body, { reveals: ['secret'] })
    canary(`key of role ${body.role}`, json.secret)
    await send('GET', '/api/connections?user_id=ann', undefined, { key: json.secret })
  }
  const project = await send('POST', '/api/projects', { name: 'Second' }, { reveals: ['admin_key'] })
  canary('first key of a project', project.json.admin_key)
  await send('DELETE', `/api/projects/${project.json.id}`)

  const instance = await send('POST', '/api/instances', { user_id: 'ann' }, { reveals: ['token'] })
  canary('token of an instance', instance.json.token)
  const rotated = await send('POST', `/api/instances/${instance.json.id}/rotate-token?user_id=ann`, undefined, {
    reveals: ['token'],
  })
  canary('rotated token of an instance', rotated.json.token)
  for (const token of [instance.json.token, rotated.json.token]) {
    const call = { jsonrpc: '2.0', id: 1, method: 'tools/list' }
    await send('POST', `/${instance.json.id}/mcp`, call, { headers: { authorization: `Bearer ${token}` } })
  }

  const signIn = await send(
    'POST',
    '/api/session',
    { api_key: gateway.adminKey },
    { headers: { origin: gateway.url, 'x-patchbay-csrf': '1' } },
  )
  expect(signIn.status).toBe(200)
  const [, session = ''] = /patchbay_session=([^;]+)/.exec(signIn.headers.get('set-cookie') ?? '') ?? []
  canary('session cookie', session)
  await send('GET', '/api/session', undefined, { headers: { cookie: `patchbay_session=${session}` } })
}

async function connectAndUse(): Promise<void> {
  for (const [provider, account] of [
    ['gmail', 'ada@example.com'],
    ['slack', 'ada'],
  ] as const) {
    const { json } = await send('POST', '/api/integrations/connect', { user_id: 'ann', provider, tools: ['*'] })
    const page = await browser.go(json.auth_url, { account })
    expect(page.status, page.text).toBe(200)
  }
  const link = await send('POST', '/api/connect-links', { user_id: 'ann', connectors: ['gmail'] })
  await browser.openLink(link.json.url, 'gmail', 'ada@work.example')
  for (let round = 0; round < 2; round++) {
    const { items } = (await send('GET', '/api/connections?user_id=ann')).json as {
      items: { id: string; connector: string }[]
    }
    for (const { id, connector } of items) {
      const { status, text } = await send('POST', `/api/connections/${id}/refresh?user_id=ann`)
      if (connector === 'gmail') expect(status, text).toBe(200)
    }
  }
  const argument = `argument-${randomBytes(12).toString('hex')}`
  passing.set('what a tool was given', argument)
  const sent = await send('POST', '/api/tools/execute', {
    user_id: 'ann',
    action: 'GMAIL_SEND_EMAIL',
    account: 'ada@example.com',
    params: { recipient_email: 'ada@example.com', subject: argument, body: argument },
  })
  expect(sent.status, sent.text).toBe(200)
  await send('POST', '/api/tools/execute', { user_id: 'ann', action: 'SLACK_LIST_ALL_CHANNELS' })

  const token = canary('token brought from elsewhere')
  const refreshToken = canary('refresh token brought from elsewhere')
  const body = { user_id: 'ann', provider: 'github', access_token: token, refresh_token: refreshToken }
  const brought = await send('POST', '/cache-tokens', body)
  expect(brought.status, brought.text).toBe(201)
  expect(github.tokens).toContain(token)
  const connection = brought.json.id
  await send('PATCH', `/api/connections/${connection}?user_id=ann`, { label: 'Renamed' })
}

/** The service and the provider fail in every way, and repeat what they were sent. */
async function fail(): Promise<void> {
  for (const status of [200, 400, 401, 403, 404, 422, 429, 500]) {
    github.failAndRepeat(status)
    await send('POST', '/api/tools/execute', { user_id: 'ann', action: 'GITHUB_GET_THE_AUTHENTICATED_USER' })
    await send('POST', '/api/tools/execute', {
      user_id: 'ann',
      action: 'GITHUB_GET_REPOSITORY_CONTENT',
      params: { owner: 'ada', repo: 'engine', path: 'x' },
    })
    await send('POST', '/oauth/refresh/github', { user_id: 'ann' })
  }
  await send('POST', '/cache-tokens', {
    user_id: 'bob',
    provider: 'github',
    access_token: canaries.get('token brought from elsewhere'),
  })
  await send('POST', '/api/integrations/disconnect', { user_id: 'ann', provider: 'slack' })
}

async function sendBadInput(): Promise<void> {
  const secret = canary('secret in a bad request')
  await send('PUT', '/api/oauth-apps/google', { client_id: 'x', client_secret: secret, more: secret })
  await send('PUT', '/api/oauth-apps/google', { client_id: 'x', client_secret: [secret] })
  await send('PUT', '/api/oauth-apps/google', `{"client_secret": "${secret}`)
  await send('POST', '/cache-tokens', {
    user_id: 'ann',
    provider: 'github',
    access_token: { secret },
    refresh_token: secret,
    tokens: { a: secret },
  })
  await send('POST', '/cache-tokens', { user_id: 'ann', provider: secret.toLowerCase(), access_token: secret })
  await send('POST', '/api/session', { api_key: secret }, { headers: { origin: gateway.url, 'x-patchbay-csrf': '1' } })
  await send('GET', '/api/connections?user_id=ann', undefined, { key: secret })
  await send('GET', '/api/connections?user_id=ann', undefined, { key: '', headers: { authorization: secret } })
  await send('GET', '/api/session', undefined, { key: '', headers: { cookie: `patchbay_session=${secret}` } })
  await send('POST', '/inst_0123456789abcdef/mcp', `{"a": "${secret}`, {
    headers: { authorization: `Bearer ${secret}` },
  })
  await browser.go(`${gateway.url}/oauth/callback/google?code=x&state=y&error_description=z`)
}

function keepFolder(when: string): void {
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    if (name !== 'master.key') written.set(`${name} ${when}`, readFileSync(join(folder, name)))
  }
}

/** A value as it may have been written: as it is, and encoded at any place within something longer. */
function formsOf(value: string): Map<string, Buffer> {
  const bytes = Buffer.from(value, /^[\x20-\x7e]*$/.test(value) ? 'utf8' : 'latin1')
  const forms = new Map<string, Buffer>([
    ['plain', bytes],
    ['hex', Buffer.from(bytes.toString('hex'))],
    ['HEX', Buffer.from(bytes.toString('hex').toUpperCase())],
    ['URL-encoded', Buffer.from(encodeURIComponent(bytes.toString('latin1')))],
    ['reversed', Buffer.from(bytes).reverse()],
    ['UTF-16', Buffer.from(bytes.toString('latin1'), 'utf16le')],
  ])
  for (const shift of [0, 1, 2]) {
    for (const encoding of ['base64', 'base64url'] as const) {
      // The characters that no neighbouring byte has a part in.
      const encoded = Buffer.concat([Buffer.alloc(shift), bytes])
        .toString(encoding)
        .replace(/=+$/, '')
      forms.set(`${encoding} at ${shift}`, Buffer.from(encoded.slice(shift === 0 ? 0 : shift + 1, -1)))
    }
  }
  return forms
}

function placesOf(values: ReadonlyMap<string, string>, where: (place: string) => boolean): string[] {
  const found: string[] = []
  for (const [name, value] of values) {
    for (const [form, bytes] of formsOf(value)) {
      for (const [place, content] of written) {
        if (where(place) && content.includes(bytes)) found.push(`${name} (${form}) in ${place}`)
      }
    }
  }
  return found
}

describe('after everything the gateway does', () => {
  test('the search would find what is there', () => {
    const value = 'a-secret-that-is-written'
    for (const text of [
      value,
      `x${Buffer.from(value).toString('base64')}`,
      Buffer.from(`ab${value}cd`).toString('base64url'),
      Buffer.from(value).toString('hex'),
    ]) {
      written.set('a trap', Buffer.from(`before ${text} after`))
      expect(
        placesOf(new Map([['it', value]]), (place) => place === 'a trap'),
        text,
      ).not.toEqual([])
    }
    written.delete('a trap')
  })

  test('there was something to look for, and everywhere to look', () => {
    expect(canaries.size).toBeGreaterThan(25)
    for (const value of canaries.values()) expect(value.length).toBeGreaterThan(12)
    expect([...passing.keys()].sort()).toEqual([
      'code of Google',
      'code of Slack',
      'one-time address cl',
      'one-time address st',
      'state',
      'what a tool was given',
    ])
    for (const [place, content] of written)
      if (!place.includes('-wal')) expect(content.length, place).toBeGreaterThan(20)
    expect([...written.keys()]).toEqual(
      expect.arrayContaining([
        'patchbay.db while it runs',
        'patchbay.db after a crash',
        'patchbay.db-wal after a crash',
        'its output',
      ]),
    )
    // It did say as much as it can.
    expect(gateway.output()).toMatch(/"level":"(debug|trace)"/)
    expect(written.get('/api/events/export')?.toString()).toMatch(/connection\.refreshed[\s\S]*tool\.called/)
  })

  test('no secret is in its output, answers, addresses, events, metrics, commands or on disk', () => {
    expect(placesOf(canaries, () => true)).toEqual([])
  })

  test('what passes through addresses once, and what tools are given, is in no log, event, metric or file', () => {
    expect(placesOf(passing, (place) => !/^(addresses|pages|answers)/.test(place))).toEqual([])
  })
})
