import { createSecretKey } from 'node:crypto'
import { createCatalogue } from '../../src/core/catalogue.ts'
import { createGateway } from '../../src/core/create-gateway.ts'
import { asPatchbayError } from '../../src/core/errors.ts'
import type { ClientCredentials, OAuthClient } from '../../src/core/oauth.ts'
import type { Provider } from '../../src/core/provider.ts'
import type { Storage } from '../../src/core/storage.ts'
import { createHttp } from '../../src/net/http.ts'
import { createOAuthClient } from '../../src/oauth/client/oauth-client.ts'
import { openStorage, type StorageOptions } from '../../src/storage/open.ts'
import { whoami, whoamiConnector } from './whoami-connector.ts'

/** One process of a gateway without its surfaces, told by its parent what to do; it can kill itself at a step. */
export interface WorkerOptions {
  storage: StorageOptions
  masterKey: string
  providers: Provider[]
  clients: Record<string, ClientCredentials>
  serviceUrls: Record<string, string>
  leaseMs?: number
  killAt?: KillStep
}

/** Steps of a refresh at which a worker ends itself with SIGKILL. */
export type KillStep = 'before the call' | 'before the commit' | 'after the commit'

export type Command =
  | { do: 'use'; uses: { userId: string; connectorId: string }[] }
  /** Moves the clock of this process. */
  | { do: 'advance'; ms: number }
  /** One round of the refresher. */
  | { do: 'refresh due' }
  | { do: 'stop' }

export type UseOutcome = { token: string } | { code: string; reason: unknown; message: string }

const options = JSON.parse(process.argv[2] as string) as WorkerOptions
let ahead = 0
const now = () => Date.now() + ahead
const die = () => process.kill(process.pid, 'SIGKILL')

const storage = dyingStorage(await openStorage({ ...options.storage, now }))
const { http, close } = createHttp({ allow: ['loopback'] })
const masterKey = { id: 'mk_test', key: createSecretKey(Buffer.from(options.masterKey, 'base64')) }
const gateway = createGateway({
  storage,
  keyring: { current: () => masterKey, find: (id) => (id === masterKey.id ? masterKey : undefined) },
  catalogue: createCatalogue(options.providers.map(whoamiConnector), options.serviceUrls),
  oauth: dyingClient(createOAuthClient({ http, now })),
  http,
  environmentApps: options.clients,
  publicUrl: 'http://localhost:1',
  pageOrigins: [],
  version: '0',
  owner: `worker/${process.pid}`,
  limits: { perUser: 10_000, perConnection: 10_000 },
  now,
  ...(options.leaseMs !== undefined && { leaseMs: options.leaseMs }),
  onTrouble: (what, error) => console.error(what, error),
})

process.on('message', async ({ id, command }: { id: number; command: Command }) => {
  process.send?.({ id, result: await obeyed(command) })
  if (command.do === 'stop') process.disconnect?.()
})
process.send?.({ ready: true })

async function obeyed(command: Command): Promise<unknown> {
  switch (command.do) {
    case 'use':
      return Promise.all(command.uses.map(use))
    case 'advance':
      ahead += command.ms
      return
    case 'refresh due':
      return gateway.refresher.runOnce()
    case 'stop':
      await gateway.refresher.stop()
      await gateway.eventLog.flush()
      await close()
      return storage.close()
  }
}

/** As a surface would call it for a user. */
async function use({ userId, connectorId }: { userId: string; connectorId: string }): Promise<UseOutcome> {
  storage.catchUp()
  try {
    const caller = {
      projectId: 'default',
      role: 'app',
      userId: null,
      actor: { type: 'api_key', id: 'key' },
      policy: {},
    } as const
    const { data } = await gateway.tools.call(caller, {
      userId,
      name: whoami(connectorId),
      arguments: {},
      requestId: 'req',
      signal: new AbortController().signal,
      via: 'rest',
    })
    return data as { token: string }
  } catch (thrown) {
    const { code, message, details, cause } = asPatchbayError(thrown)
    if (code === 'internal') console.error(cause)
    return { code, reason: details?.['reason'], message }
  }
}

function dyingClient(client: OAuthClient): OAuthClient {
  return {
    ...client,
    async refresh(request) {
      if (options.killAt === 'before the call') die()
      const grant = await client.refresh(request)
      if (options.killAt === 'before the commit') die()
      return grant
    },
  }
}

function dyingStorage(real: Storage): Storage {
  return {
    ...real,
    connections: {
      ...real.connections,
      async commitRefresh(...commit) {
        const stored = await real.connections.commitRefresh(...commit)
        if (options.killAt === 'after the commit') die()
        return stored
      },
    },
  }
}
