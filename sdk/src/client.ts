import { PatchbayApiError } from './errors.ts'
import { jsonLines } from './json-lines.ts'
import type {
  ApiKeyRequest,
  ConnectionQuery,
  ConnectLinkRequest,
  DisconnectRequest,
  EventQuery,
  InstanceRequest,
  OAuthAppRequest,
  PageQuery,
  ToolQuery,
} from './requests.ts'
import { address, type Call, type CallOptions, pause, type SendConfig, sendJson, sendStream } from './send.ts'
import type {
  ApiKey,
  ApiKeyCreated,
  BatchReply,
  Connection,
  ConnectLink,
  ConnectorDetail,
  ConnectorSummary,
  ConnectReply,
  ConnectRequest,
  DisconnectReply,
  Event,
  ExecuteReply,
  ExecuteRequest,
  Health,
  Instance,
  InstanceCreated,
  Integration,
  OAuthApp,
  Page,
  Policy,
  Project,
  ProjectCreated,
  Session,
  ToolItem,
  User,
} from './wire.ts'

export interface ClientOptions {
  /** Where the gateway answers, for instance `https://patchbay.example.com`; empty for the page's own origin. */
  baseUrl: string
  apiKey?: string
  /** Sends the cookies of a signed-in browser, and the header that proves the call is not a foreign form. */
  session?: true
  fetch?: typeof globalThis.fetch
  /** Attempts after the first, for calls that change nothing. Default 2. */
  retries?: number
  /** Longest wait between two attempts, seconds. Default 10. */
  maxRetryWait?: number
  /** Longest time one attempt may take, milliseconds. Default 120,000. */
  timeoutMs?: number
}

export interface WaitOptions extends CallOptions {
  user_id?: string
  /** Gives up after this many milliseconds. Default ten minutes, the life of a connect link. */
  timeoutMs?: number
  /** Milliseconds between two looks. Default 1,500. */
  intervalMs?: number
  /** `updated_at` of the connection before it was reconnected: an older state is not taken for the outcome. */
  changedAfter?: string
}

export type Client = ReturnType<typeof createClient>

/** A typed client for every REST route. Its calls throw PatchbayApiError and nothing else, besides an abort reason. */
export function createClient(options: ClientOptions) {
  const config: SendConfig = {
    baseUrl: options.baseUrl.replace(/\/+$/, ''),
    apiKey: options.apiKey,
    session: options.session ?? false,
    fetch: options.fetch ?? ((input, init) => globalThis.fetch(input, init)),
    retries: options.retries ?? 2,
    maxRetryWait: options.maxRetryWait ?? 10,
    timeoutMs: options.timeoutMs ?? 120_000,
  }
  const send = <Reply>(method: Call['method'], path: string, call: Omit<Call, 'method' | 'path'> = {}) =>
    sendJson<Reply>(config, { ...call, method, path })
  const page = <Item>(path: string, query: object, o: CallOptions = {}) =>
    send<Page<Item>>('GET', path, { query: { ...query }, ...o })

  const connections = {
    /** One user's connections; all of the project's for an administrator who names no user. */
    list: (query: ConnectionQuery = {}, o?: CallOptions) => page<Connection>('/api/connections', query, o),
    get: (id: string, query: { user_id?: string } = {}, o: CallOptions = {}) =>
      send<Connection>('GET', `/api/connections/${segment(id)}`, { query, ...o }),
    /** Changes its label, or makes it the user's default for its connector. */
    update: (id: string, changes: { user_id?: string; label?: string; is_default?: true }, o: CallOptions = {}) => {
      const { user_id, ...body } = changes
      return send<Connection>('PATCH', `/api/connections/${segment(id)}`, { query: { user_id }, body, ...o })
    },
    /** Trades the refresh token now. */
    refresh: (id: string, query: { user_id?: string } = {}, o: CallOptions = {}) =>
      send<Connection>('POST', `/api/connections/${segment(id)}/refresh`, { query, ...o }),
    /** Revokes at the provider, then deletes here; the answer says what happened. */
    disconnect: (id: string, query: { user_id?: string } = {}, o: CallOptions = {}) =>
      send<DisconnectReply>('DELETE', `/api/connections/${segment(id)}`, { query, ...o }),
  }

  return {
    baseUrl: config.baseUrl,
    connections,

    health: (o: CallOptions = {}) => send<Health>('GET', '/health', o),

    connectors: {
      list: (o?: CallOptions) => page<ConnectorSummary>('/connectors', {}, o),
      get: (id: string, o: CallOptions = {}) => send<ConnectorDetail>('GET', `/connectors/${segment(id)}`, o),
    },

    integrations: {
      list: (o?: CallOptions) => page<Integration>('/api/integrations', {}, o),
      connected: (query: { user_id: string }, o?: CallOptions) =>
        page<Connection>('/api/integrations/connected', query, o),
    },

    /** Starts connecting: send the user's browser to `auth_url`, then see `waitForConnection`. */
    connect: (request: ConnectRequest, o: CallOptions = {}) =>
      send<ConnectReply>('POST', '/api/integrations/connect', { body: request, ...o }),
    disconnect: (request: DisconnectRequest, o: CallOptions = {}) =>
      send<DisconnectReply>('POST', '/api/integrations/disconnect', { body: request, ...o }),

    /**
     * Resolves with the connection once it is usable. Throws PatchbayApiError: its status reason when connecting ended
     * badly, `not_found` when it is gone, `timeout` when nobody finished in time.
     */
    waitForConnection: async (id: string, wait: WaitOptions = {}): Promise<Connection> => {
      const deadline = Date.now() + (wait.timeoutMs ?? 600_000)
      for (;;) {
        const found = await connections.get(
          id,
          { ...(wait.user_id && { user_id: wait.user_id }) },
          { signal: wait.signal },
        )
        const changed = wait.changedAfter === undefined || found.updated_at > wait.changedAfter
        if (changed && (found.status === 'active' || found.status === 'expiring')) return found
        if (changed && found.status !== 'pending') throw deadConnection(found)
        const interval = wait.intervalMs ?? 1500
        if (Date.now() + interval > deadline) throw notFinished(id)
        await pause(interval, wait.signal)
      }
    },

    tools: {
      list: (query: ToolQuery, o?: CallOptions) => page<ToolItem>('/api/tools', query, o),
      /** Runs one tool. Aborting the signal cancels the call at the service too, where it has not been made yet. */
      execute: (request: ExecuteRequest, o: CallOptions = {}) =>
        send<ExecuteReply>('POST', '/api/tools/execute', { body: request, ...o }),
      /** At most 20 calls, run side by side; a failed one does not fail the others. Answers are in order. */
      executeBatch: (request: { user_id: string; calls: Omit<ExecuteRequest, 'user_id'>[] }, o: CallOptions = {}) =>
        send<BatchReply>('POST', '/api/tools/execute-batch', { body: request, ...o }),
    },

    instances: {
      list: (query: { user_id?: string } = {}, o?: CallOptions) => page<Instance>('/api/instances', query, o),
      get: (id: string, query: { user_id?: string } = {}, o: CallOptions = {}) =>
        send<Instance>('GET', `/api/instances/${segment(id)}`, { query, ...o }),
      /** The token is in this answer only. */
      create: (request: InstanceRequest, o: CallOptions = {}) =>
        send<InstanceCreated>('POST', '/api/instances', { body: request, ...o }),
      update: (id: string, changes: { user_id?: string; name?: string; policy?: Policy }, o: CallOptions = {}) => {
        const { user_id, ...body } = changes
        return send<Instance>('PATCH', `/api/instances/${segment(id)}`, { query: { user_id }, body, ...o })
      },
      /** A new token; the old one stops working at once. */
      rotateToken: (id: string, query: { user_id?: string } = {}, o: CallOptions = {}) =>
        send<InstanceCreated>('POST', `/api/instances/${segment(id)}/rotate-token`, { query, ...o }),
      remove: (id: string, query: { user_id?: string } = {}, o: CallOptions = {}) =>
        send<void>('DELETE', `/api/instances/${segment(id)}`, { query, ...o }),
    },

    connectLinks: {
      /** A page for one user: ten minutes, one connection. */
      create: (request: ConnectLinkRequest, o: CallOptions = {}) =>
        send<ConnectLink>('POST', '/api/connect-links', { body: request, ...o }),
    },

    apiKeys: {
      list: (o?: CallOptions) => page<ApiKey>('/api/api-keys', {}, o),
      /** The key is in this answer only. */
      create: (request: ApiKeyRequest, o: CallOptions = {}) =>
        send<ApiKeyCreated>('POST', '/api/api-keys', { body: request, ...o }),
      revoke: (id: string, o: CallOptions = {}) => send<void>('DELETE', `/api/api-keys/${segment(id)}`, o),
    },

    oauthApps: {
      /** One entry per provider; `client_id` is null where none is set up. */
      list: (o?: CallOptions) => page<OAuthApp>('/api/oauth-apps', {}, o),
      save: (provider: string, request: OAuthAppRequest, o: CallOptions = {}) =>
        send<OAuthApp>('PUT', `/api/oauth-apps/${segment(provider)}`, { body: request, ...o }),
      remove: (provider: string, o: CallOptions = {}) =>
        send<void>('DELETE', `/api/oauth-apps/${segment(provider)}`, o),
    },

    projects: {
      list: (o?: CallOptions) => page<Project>('/api/projects', {}, o),
      /** The new project's admin key is in this answer only. */
      create: (request: { name: string }, o: CallOptions = {}) =>
        send<ProjectCreated>('POST', '/api/projects', { body: request, ...o }),
      update: (id: string, changes: { name?: string; redirect_urls?: string[] }, o: CallOptions = {}) =>
        send<Project>('PATCH', `/api/projects/${segment(id)}`, { body: changes, ...o }),
      remove: (id: string, o: CallOptions = {}) => send<void>('DELETE', `/api/projects/${segment(id)}`, o),
    },

    users: {
      /** User ids that have connections. */
      list: (o?: CallOptions) => page<User>('/api/users', {}, o),
    },

    events: {
      /** Newest first. */
      list: (query: EventQuery = {}, o?: CallOptions) => page<Event>('/api/events', query, o),
      /** All that match, oldest first, as they arrive. Leaving the loop ends the download. */
      export: async function* (
        query: Omit<EventQuery, keyof PageQuery> = {},
        o: CallOptions = {},
      ): AsyncGenerator<Event, void, undefined> {
        const stream = await sendStream(config, {
          method: 'GET',
          path: '/api/events/export',
          query: { ...query },
          ...o,
        })
        yield* jsonLines<Event>(stream)
      },
      /** The export's address, for a browser that downloads it with its own cookie. Never holds a key. */
      exportUrl: (query: Omit<EventQuery, keyof PageQuery> = {}) =>
        address(config.baseUrl, '/api/events/export', { ...query }),
    },

    session: {
      get: (o: CallOptions = {}) => send<Session>('GET', '/api/session', o),
      signIn: (apiKey: string, o: CallOptions = {}) =>
        send<Session>('POST', '/api/session', { body: { api_key: apiKey }, ...o }),
      signOut: (o: CallOptions = {}) => send<void>('DELETE', '/api/session', o),
    },
  }
}

/** Every item of every page, in order: `eachItem((query) => client.events.list({ ...filter, ...query }))`. */
export async function* eachItem<Item>(
  list: (page: { cursor?: string }) => Promise<Page<Item>>,
): AsyncGenerator<Item, void, undefined> {
  let cursor: string | null = null
  do {
    const found: Page<Item> = await list(cursor === null ? {} : { cursor })
    yield* found.items
    cursor = found.next_cursor
  } while (cursor !== null)
}

function segment(id: string): string {
  if (id === '' || id === '.' || id === '..') throw new PatchbayApiError(0, badId(id))
  return encodeURIComponent(id)
}

function badId(id: string) {
  return { code: 'invalid_input', message: `"${id}" cannot be an id.`, retryable: false }
}

function deadConnection(connection: Connection): PatchbayApiError {
  const reason = connection.status_reason
  return new PatchbayApiError(0, {
    code: reason?.code ?? connection.status,
    message: reason?.message ?? `The connection is ${connection.status}.`,
    retryable: false,
    fix: { action: reason?.fix ?? 'Connect the account again.' },
    details: { connection_id: connection.id, status: connection.status },
  })
}

function notFinished(id: string): PatchbayApiError {
  return new PatchbayApiError(0, {
    code: 'timeout',
    message: 'Nobody finished connecting in time.',
    retryable: true,
    fix: { action: 'Start connecting again and finish in the window that opens.' },
    details: { connection_id: id },
  })
}
