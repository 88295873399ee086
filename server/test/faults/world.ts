import { createSecretKey, randomBytes } from 'node:crypto'
import { createCatalogue } from '../../src/core/catalogue.ts'
import type { Connection, Token } from '../../src/core/connection.ts'
import { type Credentials, type CredentialsOptions, createCredentials } from '../../src/core/credentials.ts'
import { createEventLog } from '../../src/core/event-log.ts'
import { firstStart } from '../../src/core/first-start.ts'
import type { Grant, OAuthClient, RefreshRequest } from '../../src/core/oauth.ts'
import type { Provider } from '../../src/core/provider.ts'
import { schedule } from '../../src/core/refresh.ts'
import { newId } from '../../src/core/secrets.ts'
import type { Connections, Storage } from '../../src/core/storage.ts'
import { createVault, type Vault } from '../../src/core/vault.ts'
import { sqlitePlace } from '../../src/storage/contract/place.ts'
import { whoamiConnector } from './whoami-connector.ts'

export const HOUR_MS = 3_600_000

/** A real SQLite storage and vault, a clock that only tests move, and a provider that does what a test says. */
export interface World {
  storage: Storage
  vault: Vault
  provider: Provider
  now(): number
  advance(ms: number): void
  /** Refreshes the provider was asked for, in order. */
  asked: RefreshRequest[]
  /** What was revoked there. */
  revoked: string[]
  /** Acts for the provider, once per entry; afterwards it rotates as it should. */
  answers: ((request: RefreshRequest) => Promise<Grant>)[]
  /** A pair no other refresh has got. */
  rotated(request: RefreshRequest): Promise<Grant>
  /** Credentials as one process has them; `faults` replaces calls of its storage. */
  process(options?: ProcessOptions): Credentials
  connect(tokens?: Record<string, Token>, members?: Partial<Connection>): Promise<Connection>
  row(connection: Connection): Promise<Connection>
  tokens(connection: Connection): Promise<Record<string, Token>>
  /** Stores a credential as a process that refreshed would. */
  commit(connection: Connection, tokens: Record<string, Token>): Promise<boolean>
  /** Types, codes and details of a connection's events, oldest first. */
  events(
    connection: Connection,
  ): Promise<{ type: string; code: string | null; details: Record<string, unknown> | null }[]>
  remove(): Promise<void>
}

export interface ProcessOptions extends Partial<Pick<CredentialsOptions, 'now' | 'breaker' | 'oauthApps'>> {
  faults?: Partial<Connections>
}

export async function createWorld(changes: Partial<Provider> = {}): Promise<World> {
  const place = await sqlitePlace()
  let time = Date.now()
  const now = () => time
  const storage = await place.open({ now })
  const master = { id: 'mk', key: createSecretKey(randomBytes(32)) }
  const vault = createVault({ current: () => master, find: () => master }, storage)
  await firstStart({ storage, vault, now })
  const provider: Provider = {
    id: 'mail',
    name: 'Mail',
    issuer: null,
    authorizeUrl: 'https://mail.test/authorize',
    tokenUrl: 'https://mail.test/token',
    revoke: {
      method: 'POST',
      url: 'https://mail.test/revoke',
      auth: 'none',
      token: { in: 'form', name: 'token' },
      order: ['refresh'],
    },
    clientAuth: 'post',
    pkce: 'S256',
    refresh: { rotates: true, graceSeconds: 0 },
    setup: { url: 'https://mail.test', steps: ['It is set up.'] },
    ...changes,
  }
  const catalogue = createCatalogue([whoamiConnector(provider)])
  const asked: RefreshRequest[] = []
  const revoked: string[] = []
  const answers: World['answers'] = []
  let pairs = 0

  async function rotated({ tokenName }: RefreshRequest): Promise<Grant> {
    pairs++
    const token = {
      accessToken: `at_new_${pairs}`,
      refreshToken: `rt_new_${pairs}`,
      expiresAt: time + HOUR_MS,
      issuedAt: time,
    }
    return { tokens: { [tokenName]: token }, scopes: {}, captured: {} }
  }

  const oauth: Pick<OAuthClient, 'refresh' | 'revoke'> = {
    async refresh(request) {
      asked.push(request)
      return (answers.shift() ?? rotated)(request)
    },
    async revoke({ tokens }) {
      revoked.push(...Object.values(tokens).flatMap(({ refreshToken }) => refreshToken ?? []))
      return { supported: true, revoked: true, message: '' }
    },
  }

  const placeOf = (row: string) => ({ table: 'connection', row, column: 'credential' }) as const
  const sealed = (id: string, tokens: Record<string, Token>) =>
    vault.seal('default', placeOf(id), JSON.stringify({ tokens }))
  const row = async ({ id }: Connection) => (await storage.connections.getAsGateway(id)) as Connection

  return {
    storage,
    vault,
    provider,
    now,
    advance(ms) {
      time += ms
    },
    asked,
    revoked,
    answers,
    rotated,
    row,
    process({ faults, ...options } = {}) {
      const connections = { ...storage.connections, ...faults }
      const clock = options.now ?? now
      return createCredentials({
        storage: { connections },
        vault,
        catalogue,
        oauth: oauth as OAuthClient,
        oauthApps: {
          forConnection: async () => ({ clientId: 'gateway', clientSecret: 'secret-of-the-app' }),
          forProject: async () => undefined,
          configured: async () => true,
        },
        events: createEventLog({ storage, now: clock, onTrouble: () => {} }),
        owner: newId('process_'),
        ...options,
        now: clock,
      })
    },
    async connect(tokens = { default: endedToken(time) }, members = {}) {
      const id = newId('conn_')
      const connection: Connection = {
        id,
        projectId: 'default',
        userId: newId('user_'),
        connectorId: provider.id,
        label: 'ann@example.com',
        isDefault: true,
        status: 'active',
        statusReason: null,
        account: { id, label: 'ann@example.com' },
        settings: {},
        captured: {},
        scopes: { default: ['read'] },
        credential: await sealed(id, tokens),
        generation: 1,
        ...schedule(tokens, time),
        refreshFailures: 0,
        refreshIntent: null,
        fence: 0,
        leaseUntil: null,
        oauthAppId: 'app_1',
        createdAt: time,
        updatedAt: time,
        ...members,
      }
      await storage.connections.create(connection, [])
      return connection
    },
    async tokens(connection) {
      const { credential } = await row(connection)
      return JSON.parse(await vault.open('default', placeOf(connection.id), credential as string)).tokens
    },
    async commit(connection, tokens) {
      const granted = {
        credential: await sealed(connection.id, tokens),
        scopes: connection.scopes,
        ...schedule(tokens, time),
      }
      return storage.connections.commitRefresh(connection.id, connection.generation, null, granted, [])
    },
    async events({ id }) {
      const found = await storage.events.list('default', { connectionId: id, limit: 100 })
      return found.reverse().map(({ type, code, details }) => ({ type, code, details }))
    },
    remove: place.remove,
  }
}

/** An access token that ended a second ago, with a refresh token. */
export function endedToken(now: number, name = 'old'): Token {
  return { accessToken: `at_${name}`, refreshToken: `rt_${name}`, expiresAt: now - 1_000, issuedAt: now - HOUR_MS }
}

/** A promise and the means to settle it. */
export function gate<Value = void>() {
  return Promise.withResolvers<Value>()
}
