import { randomBytes } from 'node:crypto'
import { hostname } from 'node:os'
import { createApi } from './api/app.ts'
import { type Config, ConfigError } from './config.ts'
import { builtInConnectors } from './connectors/built-in.ts'
import { connectorsIn } from './connectors-folder.ts'
import { createCatalogue } from './core/catalogue.ts'
import { createGateway, type RunningGateway } from './core/create-gateway.ts'
import { firstStart } from './core/first-start.ts'
import type { Catalogue } from './core/gateway.ts'
import { createMaintenance } from './core/maintenance.ts'
import type { Storage } from './core/storage.ts'
import type { Keyring } from './core/vault.ts'
import { fileKeyring, keyringOf, keyringPath } from './keyring.ts'
import { createLog } from './log.ts'
import { createMcpEndpoint } from './mcp/endpoint.ts'
import { createMetrics } from './metrics.ts'
import { createHttp } from './net/http.ts'
import { createOAuthClient } from './oauth/client/oauth-client.ts'
import { createPages } from './pages/pages.ts'
import { openStorage } from './storage/open.ts'
import { VERSION } from './version.ts'

/** Calls under way get this long to end before the process does, ms. */
const DRAIN_MS = 25_000
/** And those that were cancelled then get this long to say so, ms. */
const CANCEL_MS = 2_000

export interface Served {
  url: string
  gateway: RunningGateway
  /** Made by this start, to be shown once. */
  adminKey?: string
  keyringPath?: string
  /** Drains and stops; the process can end afterwards. */
  stop(): Promise<void>
}

/**
 * The whole gateway, listening: the one place where its parts are put together. Without `webRoot` (folder of the built
 * web pages) it serves none; `now` is the clock (epoch ms), for a demonstration that moves it.
 */
export async function serve(
  config: Config,
  { webRoot, now = Date.now }: { webRoot?: string | undefined; now?: () => number } = {},
): Promise<Served> {
  const log = createLog(config.logLevel)
  const catalogue = await catalogueOf(config)
  const storage = await openStorage({ databaseUrl: config.databaseUrl, dataDir: config.dataDir, now })
  try {
    const { keyring, path } = await keyringFor(config, storage)
    const metrics = createMetrics()
    const outgoing = createHttp({ allow: config.egressAllow })
    const onTrouble = (what: string, error: unknown) => {
      metrics.onTrouble(what)
      log.error({ err: error }, what)
    }
    const gateway = createGateway({
      storage,
      keyring,
      catalogue,
      oauth: createOAuthClient({ http: outgoing.http, now }),
      http: outgoing.http,
      environmentApps: config.oauthApps(catalogue.providers().map((provider) => provider.id)),
      publicUrl: config.publicUrl,
      pageOrigins: config.corsOrigins,
      version: VERSION,
      owner: `${hostname()}/${process.pid}/${randomBytes(4).toString('hex')}`,
      limits: { perUser: config.maxCallsPerUser, perConnection: config.maxCallsPerConnection },
      now,
      onTrouble,
      onCall: metrics.onCall,
    })
    const { adminKey } = await firstStart({ storage, vault: gateway.vault, now, adminKey: config.adminApiKey })
    const mcp = createMcpEndpoint({
      gateway,
      publicUrl: config.publicUrl,
      version: VERSION,
      allowedOrigins: config.corsOrigins,
      onError: (error, about) => log.error({ err: error, requestId: about.requestId }, 'answering an MCP request'),
    })
    const secureCookies = config.publicUrl.startsWith('https:')
    const app = await createApi({
      gateway,
      publicUrl: config.publicUrl,
      corsOrigins: config.corsOrigins,
      secureCookies,
      trustProxy: config.trustProxy.length > 0 ? [...config.trustProxy] : undefined,
      logger: log,
      metrics: metrics.registry,
      webRoot,
      version: VERSION,
      pages: createPages({ gateway, publicUrl: config.publicUrl, secureCookies }),
      mountMcp: async (request, reply) => {
        reply.hijack()
        const { instanceId } = request.params as { instanceId: string }
        await mcp.handle(request.raw, reply.raw, { instanceId, parsedBody: request.body, requestId: request.id })
      },
    })
    await listen(app, config)

    const maintenance = createMaintenance({
      storage,
      vault: gateway.vault,
      keyring,
      now,
      eventDays: config.eventDays,
      onTrouble: (error) => onTrouble('maintenance', error),
    })
    maintenance.start()
    gateway.refresher.start()

    return {
      url: config.publicUrl,
      gateway,
      ...(adminKey && { adminKey }),
      ...(path && { keyringPath: path }),
      async stop() {
        gateway.beginShutdown()
        // Agents' calls are drained with all others; what is left after that is cancelled.
        await withinMs(DRAIN_MS, closed(app))
        await withinMs(CANCEL_MS, mcp.close())
        await Promise.all([gateway.refresher.stop(), maintenance.stop()])
        await gateway.eventLog.flush()
        await outgoing.close()
        await storage.close()
      },
    }
  } catch (error) {
    await storage.close()
    throw error
  }
}

/** The connectors that come with the gateway and those of CONNECTORS_DIR. */
export async function catalogueOf(config: Pick<Config, 'connectorsDir' | 'serviceUrls'>): Promise<Catalogue> {
  const added = config.connectorsDir ? await connectorsIn(config.connectorsDir) : []
  return createCatalogue([...builtInConnectors, ...added], config.serviceUrls)
}

/** The keyring of the settings; a key file is only made where nothing is encrypted yet. */
export async function keyringFor(config: Config, storage: Storage): Promise<{ keyring: Keyring; path?: string }> {
  if (config.masterKeys) return { keyring: keyringOf(config.masterKeys) }
  const projects = await storage.projects.list()
  const encrypted = await Promise.all(projects.map((project) => storage.dataKeys.list(project.id)))
  const keyring = fileKeyring(config.dataDir, { mayCreate: encrypted.flat().length === 0 })
  return { keyring, path: keyringPath(config.dataDir) }
}

async function listen(app: Awaited<ReturnType<typeof createApi>>, { host, port }: Config): Promise<void> {
  try {
    await app.listen({ host, port })
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EADDRINUSE')
      throw new ConfigError(
        `Port ${port} on ${host} is taken by another program. Stop that one, or set PORT to another port.`,
      )
    if (code === 'EACCES')
      throw new ConfigError(`This user may not listen on port ${port}. Set PORT to a port above 1023.`)
    if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND')
      throw new ConfigError(`The setting HOST names ${host}, which is no address of this machine.`)
    throw error
  }
}

/** A connection that was busy when closing began stays open for the next request after its answer; nobody sends one. */
async function closed(app: Awaited<ReturnType<typeof createApi>>): Promise<void> {
  const sweep = setInterval(() => app.server.closeIdleConnections(), 50)
  try {
    await app.close()
  } finally {
    clearInterval(sweep)
  }
}

async function withinMs(ms: number, work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  await Promise.race([
    work,
    new Promise((resolve) => {
      timer = setTimeout(resolve, ms)
    }),
  ])
  clearTimeout(timer)
}
