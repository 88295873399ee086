import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { type Place, postgresPlace, sqlitePlace } from '../../src/storage/contract/place.ts'
import { spawnGateway } from '../gateway.ts'

/*
 * The whole server is killed (SIGKILL) again and again while it is written to. Whatever it had answered is there after
 * the next start, and the credentials still open.
 */

const { TEST_POSTGRES_URL } = process.env
/** `npm run test:services` kills 20 times; plain `npm test` has less time. */
const ROUNDS = TEST_POSTGRES_URL ? 20 : 5
const WRITERS = 6
const WHO_AM_I = 'GITHUB_GET_THE_AUTHENTICATED_USER'

type Acknowledged =
  | { kind: 'connection'; id: string; userId: string; login: string }
  | { kind: 'api_key'; id: string }
  | { kind: 'instance'; id: string; userId: string; token: string }
  | { kind: 'tool_call'; eventId: string; at: number }

const engines: [string, (() => Promise<Place>) | undefined][] = [
  ['on SQLite', sqlitePlace],
  [
    TEST_POSTGRES_URL ? 'on PostgreSQL' : 'on PostgreSQL (TEST_POSTGRES_URL is not set)',
    TEST_POSTGRES_URL ? () => postgresPlace(TEST_POSTGRES_URL) : undefined,
  ],
]

for (const [engine, makePlace] of engines) {
  describe.skipIf(!makePlace)(`a server killed ${ROUNDS} times under write load ${engine}`, () => {
    const closing: (() => unknown)[] = []
    afterEach(async () => {
      for (const close of closing.splice(0).reverse()) await close()
    })

    test('loses nothing it had acknowledged, and starts again each time', { timeout: 120_000 }, async () => {
      const place = await (makePlace as () => Promise<Place>)()
      closing.push(() => place.remove())
      const github = await startGithub()
      closing.push(github.stop)
      const { databaseUrl, dataDir } = place.options
      const started = performance.now()
      const all: Acknowledged[] = []
      let gateway = await spawnGateway({
        EGRESS_ALLOW: 'loopback',
        WEB_PAGES: 'off',
        SERVICE_URLS: JSON.stringify({ 'https://api.github.com': github.url }),
        ...(databaseUrl ? { DATABASE_URL: databaseUrl } : { DATA_DIR: dataDir }),
      })
      closing.push(() => gateway.stop())
      const { env } = gateway

      for (let round = 0; round < ROUNDS; round++) {
        const acknowledged = await writtenUntilKilled(gateway, 30 + ((round * 37) % 60), round)
        expect(await gateway.ended).toBeNull()

        gateway = await spawnGateway(env)
        await expectAllOf(gateway, acknowledged)
        all.push(...acknowledged)
      }
      await expectAllOf(gateway, all)
      const kinds = Object.entries(Object.groupBy(all, ({ kind }) => kind)).map(
        ([kind, each]) => `${each.length} ${kind}`,
      )
      console.log(
        `${ROUNDS} kills ${engine} in ${Math.round((performance.now() - started) / 1000)} s, acknowledged and found: ${kinds.join(', ')}`,
      )
    })
  })
}

type Running = Awaited<ReturnType<typeof spawnGateway>>

/** Several writers at once; after `count` answers the server is killed. What it had answered by then. */
async function writtenUntilKilled(gateway: Running, count: number, round: number): Promise<Acknowledged[]> {
  const acknowledged: Acknowledged[] = []
  let killedAt = Number.POSITIVE_INFINITY
  let slowest = 0
  const noted = (one: Acknowledged) => {
    acknowledged.push(one)
    const calls = acknowledged.filter(({ kind }) => kind === 'tool_call').length
    if (acknowledged.length < count || calls < 5 || killedAt < Number.POSITIVE_INFINITY) return
    killedAt = performance.now()
    gateway.child.kill('SIGKILL')
  }

  const write = async (writer: number) => {
    for (let n = 0; ; n++) {
      const login = `r${round}w${writer}n${n}`
      const userId = `user-${login}`
      const asked = performance.now()
      const connection = await cacheToken(gateway, userId, login)
      slowest = Math.max(slowest, performance.now() - asked)
      noted({ kind: 'connection', id: connection.id, userId, login })
      const key = await gateway.client.apiKeys.create({ name: login, role: 'app' })
      noted({ kind: 'api_key', id: key.id })
      const instance = await gateway.client.instances.create({ user_id: userId, name: login })
      noted({ kind: 'instance', id: instance.id, userId, token: instance.token })
      for (let call = 0; call < 3; call++) {
        const { event_id: eventId } = await gateway.client.tools.execute({ user_id: userId, action: WHO_AM_I })
        noted({ kind: 'tool_call', eventId, at: performance.now() })
      }
    }
  }
  const writers = Array.from({ length: WRITERS }, (_, writer) =>
    write(writer).catch((error) => {
      if (killedAt === Number.POSITIVE_INFINITY) throw error
    }),
  )
  await Promise.all(writers)
  // Everything is promised with its answer but the events of tool calls: those within 100 ms, which a machine that is
  // busy with other things stretches by as much as it stretches a durable write.
  return acknowledged.filter((one) => one.kind !== 'tool_call' || one.at < killedAt - 100 - slowest)
}

async function expectAllOf(gateway: Running, acknowledged: readonly Acknowledged[]): Promise<void> {
  const events = await Array.fromAsync(gateway.client.events.export())
  const ids = new Set(events.map(({ id }) => id))
  const told = new Set(
    events.map(
      ({ type, connection_id, details }) => `${type} ${connection_id ?? Object.values(details ?? {}).join(' ')}`,
    ),
  )
  const keys = new Set((await gateway.client.apiKeys.list()).items.map(({ id }) => id))
  const missing: string[] = []
  const expectThat = (there: boolean, what: string) => there || missing.push(what)

  const check = async (one: Acknowledged) => {
    switch (one.kind) {
      case 'connection': {
        // The service tells who it is by the token: the credential stored is the one that was brought.
        const { result, connection_id } = await gateway.client.tools.execute({ user_id: one.userId, action: WHO_AM_I })
        expectThat(
          connection_id === one.id && (result as { login: string }).login === one.login,
          `credential of ${one.id}`,
        )
        expectThat(told.has(`connection.imported ${one.id}`), `event of connecting ${one.id}`)
        return
      }
      case 'api_key':
        expectThat(keys.has(one.id), `API key ${one.id}`)
        expectThat(
          [...told].some((each) => each.startsWith('api_key.created') && each.includes(one.id)),
          `event of API key ${one.id}`,
        )
        return
      case 'instance': {
        const { user_id } = await gateway.client.instances.get(one.id, { user_id: one.userId })
        expectThat(user_id === one.userId, `instance ${one.id}`)
        expectThat(
          [...told].some((each) => each.startsWith('instance.created') && each.includes(one.id)),
          `event of instance ${one.id}`,
        )
        return
      }
      case 'tool_call':
        expectThat(ids.has(one.eventId), `tool call event ${one.eventId}`)
    }
  }
  const queue = [...acknowledged]
  const checker = async () => {
    for (let next = queue.pop(); next; next = queue.pop()) await check(next)
  }
  await Promise.all(Array.from({ length: WRITERS }, checker))
  expect(missing).toEqual([])
}

async function cacheToken(gateway: Running, userId: string, login: string): Promise<{ id: string }> {
  const response = await fetch(`${gateway.url}/cache-tokens`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-api-key': gateway.adminKey },
    body: JSON.stringify({
      user_id: userId,
      provider: 'github',
      access_token: `gho_${login}`,
      scopes: ['repo', 'read:user'],
    }),
  })
  if (response.status !== 201) throw new Error(`${response.status}: ${await response.text()}`)
  return (await response.json()) as { id: string }
}

/** The one route of GitHub that is needed here: who the token belongs to. */
async function startGithub() {
  const http = createServer((request, response) => {
    const login = /^Bearer gho_(\w+)$/.exec(request.headers.authorization ?? '')?.[1]
    response.writeHead(login ? 200 : 401, { 'content-type': 'application/json' })
    response.end(
      JSON.stringify(login ? { login, id: login, email: `${login}@example.com` } : { message: 'Bad credentials' }),
    )
  })
  await new Promise<void>((ready) => http.listen(0, '127.0.0.1', ready))
  return {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}`,
    async stop() {
      http.closeAllConnections()
      await new Promise((done) => http.close(done))
    },
  }
}
