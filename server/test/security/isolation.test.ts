import { randomBytes } from 'node:crypto'
import { createClient } from '@patchbay/sdk'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type HeldService, startHeldService } from '../end-to-end/held-service.ts'
import { startGateway } from '../gateway.ts'

/** Nobody sees, uses, refreshes or deletes what is another user's or another project's, by any route there is. */

/** Part of every name and value of a target that nobody else could know; attackers never say it. */
const MARKS = { bob: 'qzxbob', bea: 'wkvbea' }
const OWN_USER = 'ann'

type Role = 'user' | 'app' | 'admin'
interface Attacker {
  name: string
  /** `instance`: holds an instance's bearer token and no key. */
  role: Role | 'instance'
  /** May act for one user of the project only. */
  limited: boolean
  secret: string
}

/** Somebody's belongings: what an attacker may have learnt, and what only the owner can know. */
interface Target {
  user: string
  project: string
  adminKey: string
  connection: string
  label: string
  email: string
  instance: string
  instanceToken: string
  apiKey: string
  requestId: string
  /** What the service sees when it is used. */
  token: string
  /** Of things no attacker names. */
  secrets: readonly string[]
}

let gateway: Awaited<ReturnType<typeof startGateway>>
let service: HeldService
const attackers: Record<string, Attacker> = {}
const targets: Record<string, Target> = {}
const before: Record<string, unknown> = {}

beforeAll(async () => {
  service = await startHeldService()
  gateway = await startGateway({
    EGRESS_ALLOW: 'loopback',
    SERVICE_URLS: JSON.stringify({ 'https://api.github.com': service.url }),
    GITHUB_CLIENT_ID: 'the-client',
    GITHUB_CLIENT_SECRET: 'the-secret',
    // So that every request can come from an address of its own: many wrong keys from one are held up.
    TRUST_PROXY: 'loopback',
  })
  const beta = await gateway.client.projects.create({ name: `Beta ${MARKS.bea}` })
  targets['bob'] = await belongings('default', gateway.adminKey, 'bob')
  targets['bea'] = await belongings(beta.id, beta.admin_key, 'bea')

  await bring(gateway.adminKey, OWN_USER, 'ghu_ann', 'Own account')
  const { client } = gateway
  const userKey = await client.apiKeys.create({ name: 'Of Ann', role: 'user', user_id: OWN_USER })
  const appKey = await client.apiKeys.create({ name: 'For Ann only', role: 'app', policy: { users: [OWN_USER] } })
  const instance = await client.instances.create({ user_id: OWN_USER })
  const other = await client.projects.create({ name: 'Other' })
  const otherApp = await clientOf(other.admin_key).apiKeys.create({ name: 'App', role: 'app' })
  Object.assign(attackers, {
    user: { name: 'a user', role: 'user', limited: true, secret: userKey.secret },
    app: { name: 'an app for one user', role: 'app', limited: true, secret: appKey.secret },
    instance: { name: 'an instance', role: 'instance', limited: true, secret: instance.token },
    otherAdmin: { name: 'the admin of another project', role: 'admin', limited: false, secret: other.admin_key },
    otherApp: { name: 'an app of another project', role: 'app', limited: false, secret: otherApp.secret },
  } satisfies Record<string, Attacker>)
  for (const [name, target] of Object.entries(targets)) {
    before[name] = { state: await stateOf(target), uses: usesOf(target) }
  }
})
afterAll(async () => {
  await gateway.stop()
  await service.stop()
})

const clientOf = (apiKey: string) => createClient({ baseUrl: gateway.url, apiKey, retries: 0 })

async function bring(adminKey: string, user: string, token: string, label: string): Promise<string> {
  const body = { user_id: user, provider: 'github', access_token: token, label }
  const answer = await send('POST', '/cache-tokens', adminKey, body)
  expect(answer.status, answer.text).toBe(201)
  return JSON.parse(answer.text).id
}

async function belongings(project: string, adminKey: string, name: keyof typeof MARKS): Promise<Target> {
  const client = clientOf(adminKey)
  const mark = MARKS[name]
  const user = `user-${name}`
  const token = `ghu_${user}`
  const label = `Account of ${user}`
  const connection = await bring(adminKey, user, token, label)
  const second = await bring(adminKey, user, `${token}-${mark}`, `Second ${mark}`)
  const instance = await client.instances.create({ user_id: user, name: `Instance ${mark}` })
  const secondInstance = await client.instances.create({ user_id: user, name: `Second ${mark}` })
  const key = await client.apiKeys.create({ name: `Key ${mark}`, role: 'user', user_id: user })
  const secondKey = await client.apiKeys.create({ name: `Second ${mark}`, role: 'user', user_id: user })
  await client.projects.update(project, { name: `Project ${mark}`, redirect_urls: [`https://${mark}.example/done`] })
  await client.oauthApps.save('google', { client_id: `client-${mark}`, client_secret: `secret-${mark}` })
  const called = await client.tools.execute({ user_id: user, action: 'GITHUB_GET_THE_AUTHENTICATED_USER' })
  return {
    user,
    project,
    adminKey,
    connection,
    label,
    email: `${user}@accounts.example`,
    instance: instance.id,
    instanceToken: instance.token,
    apiKey: key.id,
    requestId: called.request_id,
    token,
    secrets: [
      mark,
      second,
      secondInstance.id,
      secondKey.id,
      secondInstance.token.slice(0, 14),
      key.prefix,
      called.event_id,
    ],
  }
}

/** Everything that the owner's administrator sees of the owner. */
async function stateOf({ adminKey, user, project }: Target): Promise<unknown> {
  await gateway.served.gateway.eventLog.flush()
  const client = clientOf(adminKey)
  const unused = <T extends { last_used_at: unknown }>({ last_used_at: _, ...rest }: T) => rest
  const ofUser = { user_id: user }
  return {
    connections: (await client.connections.list(ofUser)).items,
    instances: (await client.instances.list(ofUser)).items.map(unused),
    tools: (await client.tools.list(ofUser)).items,
    events: (await client.events.list({ ...ofUser, limit: 200 })).items,
    keys: (await client.apiKeys.list()).items.filter(({ user_id }) => user_id === user).map(unused),
    apps: (await client.oauthApps.list()).items,
    project: (await client.projects.list()).items.find(({ id }) => id === project),
  }
}

interface Answer {
  status: number
  text: string
  /** Those that are the same for the same answer, as JSON. */
  headers: string
}

let requests = 0

async function send(method: string, path: string, secret: string, body?: unknown): Promise<Answer> {
  const response = await fetch(gateway.url + path, {
    method,
    redirect: 'manual',
    headers: {
      'x-api-key': secret,
      'x-forwarded-for': `198.51.${(requests >> 8) & 255}.${requests++ & 255}`,
      origin: gateway.url,
      'x-patchbay-csrf': '1',
      ...(body !== undefined && { 'content-type': 'application/json' }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  })
  const headers = JSON.stringify([...response.headers].filter(([name]) => !['x-request-id', 'date'].includes(name)))
  return { status: response.status, text: await response.text(), headers }
}

/** What a request names of somebody else, which decides how it must be answered. */
type Names =
  /** An id: as if there were no such thing. */
  | 'id'
  /** A user: as if there were no such user, or, in another project, that project's own (empty) user of that name. */
  | 'user'
  /** An account, as the argument of a call on one's own: refused as bad input. */
  | 'account'
  | 'nothing'

interface Attempt {
  names: Names
  path: string
  body?: unknown
}

interface Operation {
  needs: Role | 'instance' | 'public'
  attempts(target: Target, user: string): Attempt[]
}

const attempt =
  (names: Names) =>
  (path: string, body?: unknown): Attempt => ({ names, path, body })
const id = attempt('id')
const user = attempt('user')
const account = attempt('account')
const nothing = attempt('nothing')
const query = (values: Record<string, string>) => `?${new URLSearchParams(values)}`

/** Every operation of the OpenAPI document; one that is missing here fails the test. */
const OPERATIONS: Record<string, Operation> = {
  'GET /health': { needs: 'public', attempts: () => [nothing('/health')] },
  'GET /metrics': { needs: 'admin', attempts: () => [nothing('/metrics')] },
  'GET /connectors': { needs: 'user', attempts: () => [nothing('/connectors')] },
  'GET /connectors/{id}': { needs: 'user', attempts: () => [nothing('/connectors/github')] },
  'GET /api/integrations': { needs: 'user', attempts: () => [nothing('/api/integrations')] },
  'POST /api/integrations/connect': {
    needs: 'user',
    attempts: (target, own) => [
      user('/api/integrations/connect', { user_id: target.user, provider: 'github' }),
      id('/api/integrations/connect', { user_id: own, provider: 'github', connection_id: target.connection }),
      id('/api/integrations/connect', {
        user_id: own,
        provider: 'github',
        connection_id: target.connection,
        allow_other_account: true,
      }),
    ],
  },
  'GET /oauth/authorize/{provider}': {
    needs: 'user',
    attempts: (target) => [user(`/oauth/authorize/github${query({ user_id: target.user })}`)],
  },
  'POST /api/connect-links': {
    needs: 'user',
    attempts: (target, own) => [
      user('/api/connect-links', { user_id: target.user }),
      id('/api/connect-links', { user_id: own, connection_id: target.connection }),
    ],
  },
  'POST /cache-tokens': {
    needs: 'user',
    attempts: (target) => [
      user('/cache-tokens', { user_id: target.user, provider: 'github', access_token: 'ghu_evil' }),
    ],
  },
  'POST /oauth/refresh/{provider}': {
    needs: 'user',
    attempts: (target, own) => [
      user('/oauth/refresh/github', { user_id: target.user }),
      id('/oauth/refresh/github', { user_id: own, connection_id: target.connection }),
    ],
  },
  'GET /api/integrations/connected': {
    needs: 'user',
    attempts: (target) => [
      user(`/api/integrations/connected${query({ user_id: target.user })}`),
      nothing('/api/integrations/connected'),
    ],
  },
  'GET /api/connections': {
    needs: 'user',
    attempts: (target) => [
      user(`/api/connections${query({ user_id: target.user })}`),
      nothing('/api/connections'),
      nothing(`/api/connections${query({ cursor: target.connection })}`),
    ],
  },
  'GET /api/connections/{id}': {
    needs: 'user',
    attempts: (target, own) => [id(`/api/connections/${target.connection}${query({ user_id: own })}`)],
  },
  'PATCH /api/connections/{id}': {
    needs: 'user',
    attempts: (target, own) => [
      id(`/api/connections/${target.connection}${query({ user_id: own })}`, { label: 'Mine now' }),
      id(`/api/connections/${target.connection}${query({ user_id: own })}`, { is_default: true }),
    ],
  },
  'DELETE /api/connections/{id}': {
    needs: 'user',
    attempts: (target, own) => [id(`/api/connections/${target.connection}${query({ user_id: own })}`)],
  },
  'POST /api/connections/{id}/refresh': {
    needs: 'user',
    attempts: (target, own) => [id(`/api/connections/${target.connection}/refresh${query({ user_id: own })}`)],
  },
  'POST /api/integrations/disconnect': {
    needs: 'user',
    attempts: (target, own) => [
      id('/api/integrations/disconnect', { user_id: own, connection_id: target.connection }),
      id('/api/integrations/disconnect', { user_id: own, connection_id: target.connection, provider: 'github' }),
      user('/api/integrations/disconnect', { user_id: target.user, provider: 'github' }),
    ],
  },
  'GET /api/tools': listing('/api/tools'),
  'GET /tools': listing('/tools'),
  'POST /api/tools/execute': calling('/api/tools/execute', (rest) => ({
    action: 'GITHUB_GET_THE_AUTHENTICATED_USER',
    ...rest,
  })),
  'POST /tools/call': calling('/tools/call', (rest) => ({ name: 'GITHUB_GET_THE_AUTHENTICATED_USER', ...rest })),
  'POST /api/tools/execute-batch': {
    needs: 'user',
    attempts: (target, own) => {
      const batch = (more: object) => ({ calls: [{ action: 'GITHUB_GET_THE_AUTHENTICATED_USER', ...more }] })
      return [
        // Each call of a batch has an answer of its own, within one that succeeds.
        nothing('/api/tools/execute-batch', { user_id: target.user, ...batch({}) }),
        nothing('/api/tools/execute-batch', { user_id: own, ...batch({ account: target.connection }) }),
        nothing('/api/tools/execute-batch', { user_id: own, ...batch({ params: { account: target.connection } }) }),
      ]
    },
  },
  'GET /api/tools/health': { needs: 'user', attempts: () => [nothing('/api/tools/health')] },
  'POST /api/instances': { needs: 'user', attempts: (target) => [user('/api/instances', { user_id: target.user })] },
  'GET /api/instances': {
    needs: 'user',
    attempts: (target) => [user(`/api/instances${query({ user_id: target.user })}`), nothing('/api/instances')],
  },
  'GET /api/instances/{id}': {
    needs: 'user',
    attempts: (target, own) => [id(`/api/instances/${target.instance}${query({ user_id: own })}`)],
  },
  'PATCH /api/instances/{id}': {
    needs: 'user',
    attempts: (target, own) => [
      id(`/api/instances/${target.instance}${query({ user_id: own })}`, { name: 'Mine', policy: {} }),
    ],
  },
  'DELETE /api/instances/{id}': {
    needs: 'user',
    attempts: (target, own) => [id(`/api/instances/${target.instance}${query({ user_id: own })}`)],
  },
  'POST /api/instances/{id}/rotate-token': {
    needs: 'user',
    attempts: (target, own) => [id(`/api/instances/${target.instance}/rotate-token${query({ user_id: own })}`)],
  },
  'GET /{instanceId}/health': { needs: 'instance', attempts: (target) => [id(`/${target.instance}/health`)] },
  'GET /{instanceId}/status': { needs: 'instance', attempts: (target) => [id(`/${target.instance}/status`)] },
  'POST /{instanceId}/refresh': {
    needs: 'instance',
    attempts: (target) => [
      id(`/${target.instance}/refresh`, {}),
      id(`/${target.instance}/refresh`, { connection_id: target.connection }),
    ],
  },
  'GET /api/events': reading('/api/events'),
  'GET /api/events/export': reading('/api/events/export'),
  'POST /api/session': {
    needs: 'public',
    attempts: (target) => [nothing('/api/session', { api_key: target.instanceToken })],
  },
  'GET /api/session': { needs: 'admin', attempts: () => [nothing('/api/session')] },
  'DELETE /api/session': { needs: 'public', attempts: () => [nothing('/api/session')] },
  'GET /api/projects': { needs: 'admin', attempts: () => [nothing('/api/projects')] },
  'POST /api/projects': { needs: 'admin', attempts: () => [nothing('/api/projects', { name: 'One more' })] },
  'PATCH /api/projects/{id}': {
    needs: 'admin',
    attempts: (target) => [id(`/api/projects/${target.project}`, { redirect_urls: ['https://evil.example/*'] })],
  },
  'DELETE /api/projects/{id}': { needs: 'admin', attempts: (target) => [id(`/api/projects/${target.project}`)] },
  'GET /api/api-keys': { needs: 'admin', attempts: () => [nothing('/api/api-keys')] },
  'POST /api/api-keys': {
    needs: 'app',
    attempts: (target) => [
      user('/api/api-keys', { name: 'Theirs', role: 'user', user_id: target.user }),
      nothing('/api/api-keys', { name: 'More', role: 'app', policy: { users: [target.user] } }),
      nothing('/api/api-keys', { name: 'Most', role: 'admin' }),
    ],
  },
  'DELETE /api/api-keys/{id}': { needs: 'admin', attempts: (target) => [id(`/api/api-keys/${target.apiKey}`)] },
  'GET /api/oauth-apps': { needs: 'admin', attempts: () => [nothing('/api/oauth-apps')] },
  'PUT /api/oauth-apps/{provider}': {
    needs: 'admin',
    attempts: () => [nothing('/api/oauth-apps/google', { client_id: 'evil', client_secret: 'evil' })],
  },
  'DELETE /api/oauth-apps/{provider}': { needs: 'admin', attempts: () => [nothing('/api/oauth-apps/google')] },
  'GET /api/users': { needs: 'admin', attempts: () => [nothing('/api/users')] },
}

function listing(path: string): Operation {
  return {
    needs: 'user',
    attempts: (target, own) => [
      user(path + query({ user_id: target.user })),
      user(path + query({ user_id: target.user, all: 'true' })),
      nothing(path + query({ user_id: own, query: 'authenticated' })),
      nothing(path),
    ],
  }
}

function calling(path: string, body: (rest: object) => object): Operation {
  return {
    needs: 'user',
    attempts: (target, own) => [
      user(path, body({ user_id: target.user })),
      account(path, body({ user_id: own, account: target.connection })),
      account(path, body({ user_id: own, account: target.label })),
      account(path, body({ user_id: own, account: target.email })),
    ],
  }
}

function reading(path: string): Operation {
  return {
    needs: 'user',
    attempts: (target) => [
      user(path + query({ user_id: target.user })),
      nothing(path),
      nothing(path + query({ connection_id: target.connection })),
      nothing(path + query({ request_id: target.requestId })),
      nothing(path + query({ tool: 'GITHUB_GET_THE_AUTHENTICATED_USER' })),
    ],
  }
}

const PAIRS = [
  ['user', 'bob'],
  ['user', 'bea'],
  ['app', 'bob'],
  ['app', 'bea'],
  ['instance', 'bob'],
  ['instance', 'bea'],
  ['otherAdmin', 'bob'],
  ['otherAdmin', 'bea'],
  ['otherApp', 'bob'],
  ['otherApp', 'bea'],
] as const

test('the table holds every operation of the OpenAPI document, and nothing else', async () => {
  const document = (await (await fetch(`${gateway.url}/api/openapi.json`)).json()) as { paths: Record<string, object> }
  const documented = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
  )

  expect(Object.keys(OPERATIONS).sort()).toEqual(documented.sort())
})

describe.each(PAIRS)('%s against %s', (attackerName, targetName) => {
  test.each(Object.keys(OPERATIONS))('%s', async (operation) => {
    const attacker = attackers[attackerName] as Attacker
    const target = targets[targetName] as Target
    const { needs, attempts } = OPERATIONS[operation] as Operation
    const [method = ''] = operation.split(' ')
    for (const actingFor of [OWN_USER, target.user]) {
      for (const { names, path, body } of attempts(target, actingFor)) {
        const what = `${method} ${path} ${JSON.stringify(body) ?? ''}`

        const answer = await send(method, path, attacker.secret, body)

        const expected = expectedStatus(attacker, needs, names, actingFor !== OWN_USER)
        if (expected === undefined) expect(answer.status, `${what}: ${answer.text}`).toBeLessThan(500)
        else expect(answer.status, `${what}: ${answer.text}`).toBe(expected)
        expectNothingOf(target, answer, what)
        if (names === 'id' || names === 'account') {
          const madeUp = madeUpLike(target)
          const [other] = attempts(madeUp, actingFor === OWN_USER ? OWN_USER : madeUp.user).filter(
            (one) => shapeOf(one, madeUp) === shapeOf({ names, path, body }, target),
          )
          const toMadeUp = await send(method, other?.path ?? '', attacker.secret, other?.body)
          expect(plain(toMadeUp, madeUp), `${what} must be answered as if it did not exist`).toEqual(
            plain(answer, target),
          )
        }
      }
    }
  })
})

describe('over MCP', () => {
  const call = (path: string, secret: string, params: object) =>
    fetch(gateway.url + path, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${secret}`,
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
      },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params }),
    })

  test.each(['user', 'app', 'instance', 'otherAdmin', 'otherApp'])(
    "%s cannot use another's address, and learns nothing of it",
    async (name) => {
      for (const target of [targets['bob'], targets['bea']] as Target[]) {
        const { secret } = attackers[name] as Attacker
        const answers = await Promise.all(
          [target.instance, madeUpLike(target).instance].map(async (instance) => {
            const answer = await call(`/${instance}/mcp`, secret, { name: 'GITHUB_GET_THE_AUTHENTICATED_USER' })
            const text = (await answer.text()).replace(/req_\w+/, '')
            return { status: answer.status, challenge: answer.headers.get('www-authenticate'), text }
          }),
        )
        expect(answers[0]?.status).toBe(401)
        for (const secret of target.secrets) expect(answers[0]?.text).not.toContain(secret)
        expect(answers[0]).toEqual(answers[1])
      }
    },
  )

  test("an instance cannot name another's account", async () => {
    const { secret } = attackers['instance'] as Attacker
    const [own] = (await gateway.client.instances.list({ user_id: OWN_USER })).items
    for (const target of Object.values(targets)) {
      for (const chosen of [target.connection, target.label, target.email]) {
        const answer = await call(`/${own?.id}/mcp`, secret, {
          name: 'GITHUB_GET_THE_AUTHENTICATED_USER',
          arguments: { account: chosen },
        })
        const text = (await answer.text()).replaceAll(chosen, '')
        expect(text).toContain('"isError":true')
        expect(text).toContain('Choose one of: Own account')
        for (const secret of target.secrets) expect(text).not.toContain(secret)
      }
    }
  })
})

describe.each(['bob', 'bea'])('after all of this, %s', (name) => {
  test('has everything as it was, and nobody else has used it', async () => {
    const target = targets[name] as Target

    expect({ state: await stateOf(target), uses: usesOf(target) }).toEqual(before[name])
  })

  test('can still use it', async () => {
    const target = targets[name] as Target
    const called = await clientOf(target.adminKey).tools.execute({
      user_id: target.user,
      action: 'GITHUB_GET_THE_AUTHENTICATED_USER',
    })
    expect(called).toMatchObject({ connection_id: target.connection, result: { login: target.user } })
    const status = await send('GET', `/${target.instance}/status`, target.instanceToken)
    expect(status).toMatchObject({ status: 200, text: expect.stringContaining(target.label) })
  })
})

/** How often the service has seen a token of the target. */
const usesOf = ({ token }: Target) => service.tokens.filter((used) => used.startsWith(token)).length

/** Undefined where any answer is fine that holds nothing of the target. */
function expectedStatus(
  attacker: Attacker,
  needs: Operation['needs'],
  names: Names,
  actsForTarget: boolean,
): number | undefined {
  if (needs === 'public') return undefined
  if (attacker.role === 'instance') return 401
  if (needs === 'instance') return 404
  const rank = { user: 0, app: 1, admin: 2 }
  if (rank[attacker.role] < rank[needs]) return 403
  if (names === 'id') return 404
  if (names === 'user') return attacker.limited ? 404 : undefined
  if (names === 'account') return attacker.limited ? (actsForTarget ? 404 : 400) : undefined
  return undefined
}

function expectNothingOf(target: Target, answer: Answer, what: string): void {
  for (const secret of target.secrets) expect(answer.text + answer.headers, what).not.toContain(secret)
}

/** Ids of the right form that belong to nobody. */
function madeUpLike(target: Target): Target {
  const anew = (id: string) => id.replace(/[0-9a-f]{32}$/, () => randomBytes(16).toString('hex'))
  return {
    ...target,
    user: `nobody-${randomBytes(4).toString('hex')}`,
    connection: anew(target.connection),
    label: `Account ${randomBytes(4).toString('hex')}`,
    email: `${randomBytes(4).toString('hex')}@accounts.example`,
    instance: anew(target.instance),
    apiKey: anew(target.apiKey),
    project: `proj_${randomBytes(16).toString('hex')}`,
  }
}

function shapeOf({ names, path, body }: Attempt, target: Target): string {
  return JSON.stringify([
    names,
    unnamed(decodeURIComponent(path.replaceAll('+', ' ')), target),
    unnamed(JSON.stringify(body) ?? '', target),
  ])
}

/** An answer without what must differ between two requests. */
function plain({ status, text, headers }: Answer, target: Target): Pick<Answer, 'status' | 'text'> {
  return {
    status,
    text: unnamed(text + headers, target)
      .replace(/req_[0-9a-f]{32}|cl_[\w-]{43}/g, '')
      .replace(/"content-length","\d+"/, ''),
  }
}

function unnamed(text: string, target: Target): string {
  const named: [string, string][] = [
    [target.label, 'LABEL'],
    [target.email, 'EMAIL'],
    [target.user, 'USER'],
    [target.connection, 'CONNECTION'],
    [target.instance, 'INSTANCE'],
    [target.apiKey, 'KEY'],
    [`/${target.project}`, '/PROJECT'],
    [`"${target.project}"`, '"PROJECT"'],
    [`\\"${target.project}\\"`, '\\"PROJECT\\"'],
  ]
  return named.reduce((left, [value, name]) => left.replaceAll(value, name), text)
}
