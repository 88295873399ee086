import { createSecretKey, randomBytes } from 'node:crypto'
import { z } from 'zod'
import type { Caller } from '../src/core/caller.ts'
import { createCatalogue } from '../src/core/catalogue.ts'
import type { Connection, Token } from '../src/core/connection.ts'
import { type Connector, defineConnector } from '../src/core/connector.ts'
import { createGateway, type RunningGateway } from '../src/core/create-gateway.ts'
import { PatchbayError } from '../src/core/errors.ts'
import type { Event } from '../src/core/events.ts'
import { firstStart } from '../src/core/first-start.ts'
import type { Http, HttpRequest, HttpResponse } from '../src/core/http.ts'
import type { Grant, OAuthClient, RefreshRequest } from '../src/core/oauth.ts'
import type { Provider } from '../src/core/provider.ts'
import { newId } from '../src/core/secrets.ts'
import type { Storage } from '../src/core/storage.ts'
import type { Keyring } from '../src/core/vault.ts'
import { type Place, sqlitePlace } from '../src/storage/contract/place.ts'

export const PUBLIC_URL = 'https://gateway.test'

/** What a service answers; a function decides by the request, and may throw as the way out does. */
export type Answer = Partial<Omit<HttpResponse, 'body'>> & { body?: unknown }

/** The core as it is wired, on a real SQLite file; services, the token endpoint and the clock do what a test says. */
export interface SmallGateway {
  gateway: RunningGateway
  storage: Storage
  place: Place
  keyring: Keyring
  now(): number
  advance(ms: number): void
  /** What services were asked, in order. */
  requests: HttpRequest[]
  /** Answers the next requests, one each; then `{}` with status 200. */
  answers: (Answer | ((request: HttpRequest) => Promise<Answer> | Answer))[]
  /** Refreshes asked of the token endpoint, and what it does about the next ones instead of giving a new token. */
  refreshes: RefreshRequest[]
  refreshAnswers: ((request: RefreshRequest) => Promise<Grant>)[]
  connect(userId: string, members?: Partial<Connection>, tokens?: Record<string, Token>): Promise<Connection>
  events(filter?: { userId?: string }): Promise<Event[]>
  remove(): Promise<void>
}

export async function createSmallGateway(
  options: { connectors?: readonly Connector[]; limits?: { perUser: number; perConnection: number } } = {},
): Promise<SmallGateway> {
  const place = await sqlitePlace()
  let time = Date.now()
  const now = () => time
  const storage = await place.open({ now })
  const master = { id: 'mk', key: createSecretKey(randomBytes(32)) }
  const keyring: Keyring = { current: () => master, find: () => master }
  const requests: HttpRequest[] = []
  const answers: SmallGateway['answers'] = []
  const refreshes: RefreshRequest[] = []
  const refreshAnswers: SmallGateway['refreshAnswers'] = []

  const http: Http = async (request) => {
    if (request.signal?.aborted) throw new PatchbayError('cancelled', 'The caller went away.')
    requests.push(request)
    const next = answers.shift() ?? {}
    const answer = typeof next === 'function' ? await next(request) : next
    const { status = 200, headers = {}, body = {} } = answer
    return { status, headers, body: Buffer.isBuffer(body) ? body : Buffer.from(JSON.stringify(body)) }
  }

  async function refresh(request: RefreshRequest): Promise<Grant> {
    refreshes.push(request)
    const next = refreshAnswers.shift()
    if (next) return next(request)
    const token = { accessToken: `fresh_${refreshes.length}`, refreshToken: `again_${refreshes.length}` }
    return { tokens: { [request.tokenName]: token }, scopes: {}, captured: {} }
  }
  const oauth: OAuthClient = {
    refresh,
    authorizationUrl: ({ provider }) => provider.authorizeUrl,
    exchange: async () => ({ tokens: { default: { accessToken: 'exchanged' } }, scopes: {}, captured: {} }),
    revoke: async () => ({ supported: true, revoked: true, message: 'Revoked.' }),
  }

  const gateway = createGateway({
    storage,
    keyring,
    catalogue: createCatalogue(options.connectors ?? [notes]),
    oauth,
    http,
    environmentApps: { notes: { clientId: 'client', clientSecret: 'secret-of-the-app' } },
    publicUrl: PUBLIC_URL,
    pageOrigins: [],
    version: 'test',
    owner: 'this process',
    limits: options.limits ?? { perUser: 64, perConnection: 32 },
    now,
    onTrouble: () => {},
  })
  await firstStart({ storage, vault: gateway.vault, now })

  return {
    gateway,
    storage,
    place,
    keyring,
    now,
    advance(ms) {
      time += ms
    },
    requests,
    answers,
    refreshes,
    refreshAnswers,
    async connect(userId, members = {}, tokens = { default: { accessToken: 'access', refreshToken: 'again' } }) {
      const id = members.id ?? newId('conn_')
      const credential = await gateway.vault.seal(
        'default',
        { table: 'connection', row: id, column: 'credential' },
        JSON.stringify({ tokens }),
      )
      const connection: Connection = {
        id,
        projectId: 'default',
        userId,
        connectorId: 'notes',
        label: `${userId}@example.com`,
        isDefault: false,
        status: 'active',
        statusReason: null,
        account: { id: `acc-${id}`, label: `${userId}@example.com`, email: `${userId}@example.com` },
        settings: {},
        captured: {},
        scopes: { default: ['notes.read', 'notes.write'] },
        credential,
        generation: 1,
        expiresAt: null,
        refreshAfter: null,
        refreshFailures: 0,
        refreshIntent: null,
        fence: 0,
        leaseUntil: null,
        oauthAppId: 'environment',
        createdAt: time,
        updatedAt: time,
        ...members,
      }
      await storage.connections.create(connection, [])
      return (await storage.connections.getAsGateway(id)) as Connection
    },
    async events(filter = {}) {
      await gateway.eventLog.flush()
      return (await storage.events.list('default', { ...filter, limit: 1000 })).reverse()
    },
    async remove() {
      await gateway.eventLog.flush()
      await place.remove()
    },
  }
}

export function appCaller(members: Partial<Caller> = {}): Caller {
  return {
    projectId: 'default',
    role: 'app',
    userId: null,
    actor: { type: 'api_key', id: 'key_1' },
    policy: {},
    ...members,
  }
}

export const notesProvider: Provider = {
  id: 'notes',
  name: 'Notes',
  issuer: null,
  authorizeUrl: 'https://notes.test/authorize',
  tokenUrl: 'https://notes.test/token',
  clientAuth: 'post',
  pkce: 'S256',
  refresh: { rotates: true, graceSeconds: 0 },
  setup: { url: 'https://notes.test', steps: ['It is set up.'] },
}

/** A service with a tool of each kind. */
export const notes = defineConnector({
  id: 'notes',
  kind: 'api',
  name: 'Notes',
  description: 'Keeps notes.',
  category: 'Tests',
  provider: notesProvider,
  api: 'https://api.notes.test/v1',
  uploadHosts: ['files.notes.test'],
  headers: { 'x-notes-version': '2' },
  scopes: {
    'notes.read': { description: 'Read notes', effect: 'read' },
    'notes.write': { description: 'Write notes', effect: 'write', includes: ['notes.read'] },
  },
  identityScopes: ['notes.read'],
  account: async (service) => service.get('/me'),
  failure: (body) => body.failed,
  tools: {
    NOTES_GET_NOTE: {
      title: 'Get a note',
      description: 'Reads one note.',
      effect: 'read',
      scopes: ['notes.read'],
      input: z.object({
        note_id: z.string(),
        part: z.string().optional(),
        fields: z.array(z.string()).optional(),
        limit: z.number().int().max(100).default(10),
      }),
      aliases: ['NOTES_FETCH'],
      paramAliases: { id: 'note_id', only: 'part' },
      run: 'GET /notes/{note_id}',
    },
    NOTES_SEARCH: {
      title: 'Search notes',
      description: 'Finds notes by words.',
      effect: 'read',
      scopes: ['notes.read'],
      input: z.object({ query: z.string().optional() }),
      run: 'POST /search',
      shape: (answer) => answer,
    },
    NOTES_CREATE_NOTE: {
      title: 'Create a note',
      description: 'Writes a note.',
      effect: 'write',
      scopes: ['notes.write'],
      input: z.object({ text: z.string(), folder: z.string().default('inbox') }),
      run: 'POST /folders/{folder}/notes',
    },
    NOTES_SHARE_NOTE: {
      title: 'Share a note',
      description: 'Lets others read a note.',
      effect: 'write',
      scopes: ['notes.write'],
      input: z.object({ note_id: z.string() }),
      run: 'PUT /notes/{note_id}/share',
    },
    NOTES_DELETE_NOTE: {
      title: 'Delete a note',
      description: 'Removes a note.',
      effect: 'destructive',
      scopes: ['notes.write'],
      input: z.object({ note_id: z.string() }),
      run: 'DELETE /notes/{note_id}',
    },
  },
})
