import { fork } from 'node:child_process'
import { createHash, createSecretKey, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import type { Connection, Token } from '../../src/core/connection.ts'
import { firstStart } from '../../src/core/first-start.ts'
import { ENVIRONMENT_APP } from '../../src/core/oauth-apps.ts'
import { schedule } from '../../src/core/refresh.ts'
import { newId } from '../../src/core/secrets.ts'
import type { Storage } from '../../src/core/storage.ts'
import { createVault } from '../../src/core/vault.ts'
import { createHttp } from '../../src/net/http.ts'
import { createOAuthClient } from '../../src/oauth/client/oauth-client.ts'
import type { Place } from '../../src/storage/contract/place.ts'
import { type AuthorizationServer, startAuthorizationServer, type TokenFault } from '../authorization-server.ts'
import { type GracefulServer, startGracefulServer } from './graceful-server.ts'
import type { Command, KillStep, UseOutcome, WorkerOptions } from './worker.ts'

const WORKER = fileURLToPath(new URL('worker.ts', import.meta.url))
const CLIENT_SECRET = 'a-secret-of-the-graceful-client'

/** A database, two providers, a service that takes their tokens, and processes that use connections to it. */
export interface Stage {
  storage: Storage
  strict: AuthorizationServer
  /** Called with each refresh token before its provider acts; may break the call. */
  onRefresh: Map<string, () => Promise<'drop' | undefined>>
  /** Connects users at the provider, one connection each, all expiring together in an hour. */
  connect(connectorId: 'strict' | 'graceful', users: number): Promise<Connected[]>
  start(options?: { leaseMs?: number; killAt?: KillStep }): Promise<Worker>
  row(connected: Connected): Promise<Connection>
  remove(): Promise<void>
}

export interface Connected {
  id: string
  userId: string
  connectorId: 'strict' | 'graceful'
  refreshToken: string
}

export interface Worker {
  pid: number
  use(uses: readonly Connected[]): Promise<UseOutcome[]>
  advance(ms: number): Promise<void>
  refreshDue(): Promise<number>
  /** Resolves with the signal or code it ended with. */
  ended: Promise<string | number>
  kill(): Promise<unknown>
}

export async function setStage(place: Place, options: { tokenDelayMs?: number } = {}): Promise<Stage> {
  const onRefresh: Stage['onRefresh'] = new Map()
  const strict = await startAuthorizationServer({
    ...options,
    onToken: async ({ refreshToken = '' }): Promise<TokenFault | undefined> =>
      (await onRefresh.get(refreshToken)?.()) && 'drop_before',
  })
  const graceful = await startGracefulServer({
    graceMs: 600_000,
    onToken: async (refreshToken) => onRefresh.get(refreshToken)?.(),
  })
  const service = await startService(strict, graceful)
  const { http, close: closeHttp } = createHttp({ allow: ['loopback'] })
  const oauth = createOAuthClient({ http })

  const storage = await place.open()
  const masterKey = randomBytes(32)
  const master = { id: 'mk_test', key: createSecretKey(masterKey) }
  const vault = createVault({ current: () => master, find: () => master }, storage)
  await firstStart({ storage, vault, now: Date.now })

  const workers: Worker[] = []

  async function grantOf(connectorId: Connected['connectorId']): Promise<Token> {
    if (connectorId === 'graceful') return graceful.grant()
    const codeVerifier = randomBytes(32).toString('base64url')
    const request = { provider: strict.provider, client: strict.client, redirectUri: strict.redirectUri, params: {} }
    const callback = await strict.authorize(
      oauth.authorizationUrl({
        ...request,
        state: 's',
        codeChallenge: createHash('sha256').update(codeVerifier).digest('base64url'),
        scopes: { default: ['read'] },
      }),
    )
    const { tokens } = await oauth.exchange({ ...request, callback: callback.searchParams, codeVerifier })
    return tokens['default'] as Token
  }

  async function connected(connectorId: Connected['connectorId']): Promise<Connected> {
    const token = { ...(await grantOf(connectorId)), expiresAt: Date.now() + 3_600_000 }
    const [id, userId] = [newId('conn_'), newId('user_')]
    const place = { table: 'connection', row: id, column: 'credential' } as const
    const tokens = { default: token }
    await storage.connections.create(
      {
        id,
        projectId: 'default',
        userId,
        connectorId,
        label: userId,
        isDefault: true,
        status: 'active',
        statusReason: null,
        account: { id: userId, label: userId },
        settings: {},
        captured: {},
        scopes: { default: ['read'] },
        credential: await vault.seal('default', place, JSON.stringify({ tokens })),
        generation: 1,
        ...schedule(tokens, Date.now()),
        refreshFailures: 0,
        refreshIntent: null,
        fence: 0,
        leaseUntil: null,
        oauthAppId: ENVIRONMENT_APP,
        createdAt: Date.now(),
        updatedAt: Date.now(),
      },
      [],
    )
    return { id, userId, connectorId, refreshToken: token.refreshToken as string }
  }

  return {
    storage,
    strict,
    onRefresh,
    async connect(connectorId, users) {
      const made: Connected[] = []
      // A few side by side: each walks a browser's way through the provider's pages.
      for (let left = users; left > 0; left -= 8) {
        made.push(...(await Promise.all(Array.from({ length: Math.min(left, 8) }, () => connected(connectorId)))))
      }
      return made
    },
    async start(more = {}) {
      const worker = await startWorker({
        storage: place.options,
        masterKey: masterKey.toString('base64'),
        providers: [strict.provider, graceful.provider],
        clients: { strict: strict.client, graceful: { clientId: 'gateway', clientSecret: CLIENT_SECRET } },
        serviceUrls: {
          'https://strict.test': `${service.url}/strict`,
          'https://graceful.test': `${service.url}/graceful`,
        },
        ...more,
      })
      workers.push(worker)
      return worker
    },
    async row({ id }) {
      return (await storage.connections.getAsGateway(id)) as Connection
    },
    async remove() {
      await Promise.all(workers.map((worker) => worker.kill()))
      await Promise.all([strict.stop(), graceful.stop(), service.stop(), closeHttp()])
      await place.remove()
    },
  }
}

/** Answers which token it was (by its hash) to whom the provider of the path knows, 401 to everyone else. */
async function startService(strict: AuthorizationServer, graceful: GracefulServer) {
  const http = createServer(async (request, response) => {
    const token = (request.headers.authorization ?? '').replace('Bearer ', '')
    const good = request.url?.startsWith('/strict/') ? await strict.whoIs(token) : graceful.accepts(token)
    response.writeHead(good ? 200 : 401, { 'content-type': 'application/json' })
    response.end(JSON.stringify(good ? { token: createHash('sha256').update(token).digest('hex') } : {}))
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

async function startWorker(options: WorkerOptions): Promise<Worker> {
  const child = fork(WORKER, [JSON.stringify(options)], {
    execArgv: [],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  const ended = once(child, 'exit').then(([code, signal]) => (signal ?? code) as string | number)
  const waiting = new Map<number, (result: unknown) => void>()
  let asked = 0
  const ready = new Promise<void>((resolve, reject) => {
    child.on('message', (message: { ready?: true; id: number; result: unknown }) => {
      if (message.ready) resolve()
      waiting.get(message.id)?.(message.result)
    })
    void ended.then((how) => reject(new Error(`The worker ended with ${how}`)))
  })
  await ready

  const ask = async <Result>(command: Command): Promise<Result> => {
    const id = asked++
    const answer = new Promise((resolve) => waiting.set(id, resolve))
    child.send({ id, command })
    return (await Promise.race([
      answer,
      ended.then((how) => Promise.reject(new Error(`The worker ended with ${how}`))),
    ])) as Result
  }
  return {
    pid: child.pid as number,
    ended,
    use: (uses) => ask({ do: 'use', uses: uses.map(({ userId, connectorId }) => ({ userId, connectorId })) }),
    advance: (ms) => ask({ do: 'advance', ms }),
    refreshDue: () => ask({ do: 'refresh due' }),
    kill() {
      child.kill('SIGKILL')
      return ended
    },
  }
}
