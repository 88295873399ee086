import { isIP } from 'node:net'
import { resolve } from 'node:path'

/** A setting that cannot be used; its message is the one sentence the start stops with. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
}

interface Setting<T> {
  name: string
  /** For the table in the documentation. */
  fallback: string
  about: string
  /** `undefined` for a setting that was not given. Throws a sentence about what is wrong with the value. */
  read: (value: string | undefined, all: Environment) => T
}

type Environment = Readonly<Record<string, string | undefined>>

const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const
export type LogLevel = (typeof LOG_LEVELS)[number]

const HOST = setting(
  'HOST',
  '127.0.0.1',
  'Address to listen on. `0.0.0.0` (or `::`) for every interface, as in a container.',
  (value = '127.0.0.1') => value,
)

const PORT = setting('PORT', '8080', 'Port to listen on.', (value = '8080') => whole(value, 1, 65_535))

const PUBLIC_URL = setting(
  'PUBLIC_URL',
  '`http://localhost:<PORT>`',
  'Address people and providers reach the gateway at. Redirect addresses registered at providers begin with it. Use https for anything but your own machine.',
  (value, all) => {
    const url = URL.parse(value ?? `http://localhost:${all['PORT'] || '8080'}`)
    if (!url || !/^https?:$/.test(url.protocol)) throw new Error('must be an http(s) address')
    if (url.pathname !== '/' || url.search || url.hash || url.username || url.password)
      throw new Error('must be only scheme, host and port: the gateway has an address of its own')
    return url.origin
  },
)

const DATA_DIR = setting(
  'DATA_DIR',
  '`./data`',
  'Folder for the SQLite database and the master key file. Back it up.',
  (value = 'data') => resolve(value),
)

const DATABASE_URL = setting(
  'DATABASE_URL',
  '(SQLite in `DATA_DIR`)',
  'PostgreSQL instead of SQLite: `postgres://user:password@host:5432/database`. Needed for several processes on several machines.',
  (value) => {
    if (value === undefined) return undefined
    if (!/^postgres(ql)?:$/.test(URL.parse(value)?.protocol ?? '')) throw new Error('must be a postgres:// address')
    return value
  },
)

const MASTER_KEYS = setting(
  'MASTER_KEYS',
  '(a file in `DATA_DIR`)',
  'Keyring instead of the file: `id:base64` of 32 bytes each, separated by commas, the newest first.',
  (value) => {
    if (value === undefined) return undefined
    const keys = value.split(',').map((entry) => {
      const [id = '', encoded = ''] = entry.trim().split(':', 2)
      const key = Buffer.from(encoded, 'base64')
      if (!/^[A-Za-z0-9_-]{1,40}$/.test(id) || key.length !== 32)
        throw new Error('must be "id:base64" of 32 bytes each, separated by commas')
      return { id, key }
    })
    if (new Set(keys.map(({ id }) => id)).size < keys.length) throw new Error('holds two keys of the same id')
    return keys
  },
)

const ADMIN_API_KEY = setting(
  'ADMIN_API_KEY',
  '(made at first start)',
  'An admin key of your own choosing, at least 20 characters.',
  (value) => {
    if (value !== undefined && value.length < 20) throw new Error('must have at least 20 characters')
    if (value !== undefined && !/^[\x21-\x7e]+$/.test(value))
      throw new Error('may hold only letters, digits and signs of ASCII, no spaces: it travels in a header')
    return value
  },
)

const EGRESS_ALLOW = setting(
  'EGRESS_ALLOW',
  '(none)',
  'Private addresses that outgoing traffic may reach all the same: host names, `host:port`, IP addresses, CIDR ranges, `loopback`, `private`, or `*` for all of them; separated by commas.',
  (value = '') => list(value),
)

const CONNECTORS_DIR = setting(
  'CONNECTORS_DIR',
  '(none)',
  'Folder of further connectors (`*.ts`, `*.js`), registered at start.',
  (value) => (value === undefined ? undefined : resolve(value)),
)

const CORS_ORIGINS = setting(
  'CORS_ORIGINS',
  '(none)',
  'Origins whose pages may call the API and open the connect popup; separated by commas.',
  (value = '') =>
    list(value).map((origin) => {
      if (URL.parse(origin)?.origin !== origin)
        throw new Error('must hold origins such as https://app.example.com, separated by commas')
      return origin
    }),
)

const LOG_LEVEL = setting('LOG_LEVEL', '`info`', `How much is logged: ${LOG_LEVELS.join(', ')}.`, (value = 'info') => {
  if (!LOG_LEVELS.includes(value as LogLevel)) throw new Error(`must be one of ${LOG_LEVELS.join(', ')}`)
  return value as LogLevel
})

const SERVICE_URLS = setting(
  'SERVICE_URLS',
  '(none)',
  'JSON object that replaces the start of service addresses, for emulators, proxies and self-hosted editions: `{"https://api.github.com": "https://github.example.com/api/v3"}`.',
  (value = '{}') => {
    const parsed = jsonObject(value)
    for (const [from, to] of Object.entries(parsed)) {
      if (!URL.canParse(from) || typeof to !== 'string' || !URL.canParse(to))
        throw new Error('must map addresses to addresses')
    }
    return parsed as Record<string, string>
  },
)

const TRUST_PROXY = setting(
  'TRUST_PROXY',
  '(none)',
  'Addresses of reverse proxies whose `X-Forwarded-For` counts (IP, CIDR, `loopback`), separated by commas.',
  (value = '') =>
    list(value).map((entry) => {
      if (!isProxyRange(entry))
        throw new Error('must hold IP addresses, CIDR ranges, "loopback", "linklocal" or "uniquelocal"')
      return entry
    }),
)

const WEB_PAGES = setting(
  'WEB_PAGES',
  '`on`',
  '`off` serves no dashboard, only the API, MCP and the hosted connect pages.',
  (value = 'on') => {
    if (value !== 'on' && value !== 'off') throw new Error('must be on or off')
    return value === 'on'
  },
)

const EVENT_DAYS = setting('EVENT_DAYS', '(for ever)', 'Days that events are kept.', (value) =>
  value === undefined ? undefined : whole(value, 1, 36_500),
)

const MAX_CALLS_PER_USER = setting(
  'MAX_CALLS_PER_USER',
  '64',
  'Tool calls of one user under way at once.',
  (value = '64') => whole(value, 1, 10_000),
)

const MAX_CALLS_PER_CONNECTION = setting(
  'MAX_CALLS_PER_CONNECTION',
  '32',
  'Tool calls on one connection under way at once.',
  (value = '32') => whole(value, 1, 10_000),
)

/** Every setting but the OAuth apps', in the order of the documentation. */
export const SETTINGS: readonly Setting<unknown>[] = [
  HOST,
  PORT,
  PUBLIC_URL,
  DATA_DIR,
  DATABASE_URL,
  MASTER_KEYS,
  ADMIN_API_KEY,
  EGRESS_ALLOW,
  CORS_ORIGINS,
  TRUST_PROXY,
  CONNECTORS_DIR,
  SERVICE_URLS,
  WEB_PAGES,
  EVENT_DAYS,
  MAX_CALLS_PER_USER,
  MAX_CALLS_PER_CONNECTION,
  LOG_LEVEL,
]

export type Config = ReturnType<typeof readConfig>

/**
 * The environment as one frozen, checked object. Throws ConfigError naming the first setting that cannot be used; the
 * value itself is never part of the message.
 */
export function readConfig(env: Environment = process.env) {
  const read = <T>({ name, read }: Setting<T>): T => {
    try {
      return read(env[name] === '' ? undefined : env[name], env)
    } catch (error) {
      throw new ConfigError(`The setting ${name} ${(error as Error).message}.`)
    }
  }
  return Object.freeze({
    host: read(HOST),
    port: read(PORT),
    publicUrl: read(PUBLIC_URL),
    dataDir: read(DATA_DIR),
    databaseUrl: read(DATABASE_URL),
    masterKeys: read(MASTER_KEYS),
    adminApiKey: read(ADMIN_API_KEY),
    egressAllow: read(EGRESS_ALLOW),
    corsOrigins: read(CORS_ORIGINS),
    trustProxy: read(TRUST_PROXY),
    connectorsDir: read(CONNECTORS_DIR),
    serviceUrls: read(SERVICE_URLS),
    webPages: read(WEB_PAGES),
    eventDays: read(EVENT_DAYS),
    maxCallsPerUser: read(MAX_CALLS_PER_USER),
    maxCallsPerConnection: read(MAX_CALLS_PER_CONNECTION),
    logLevel: read(LOG_LEVEL),
    /** OAuth apps of the environment, for the providers that the loaded connectors use. */
    oauthApps: (providerIds: readonly string[]) => environmentApps(env, providerIds),
  })
}

/** `GOOGLE_CLIENT_ID` and `GOOGLE_CLIENT_SECRET`, and so for every provider. */
export function environmentApps(
  env: Environment,
  providerIds: readonly string[],
): Record<string, { clientId: string; clientSecret?: string }> {
  const apps: Record<string, { clientId: string; clientSecret?: string }> = {}
  for (const id of providerIds) {
    const name = id.toUpperCase().replaceAll('-', '_')
    const clientId = env[`${name}_CLIENT_ID`]
    const clientSecret = env[`${name}_CLIENT_SECRET`]
    if (clientSecret && !clientId)
      throw new ConfigError(`The setting ${name}_CLIENT_SECRET needs ${name}_CLIENT_ID beside it.`)
    if (clientId) apps[id] = { clientId, ...(clientSecret && { clientSecret }) }
  }
  return apps
}

function setting<T>(name: string, fallback: string, about: string, read: Setting<T>['read']): Setting<T> {
  return { name, fallback, about, read }
}

function whole(value: string, least: number, most: number): number {
  const number = Number(value)
  if (!/^\d+$/.test(value) || number < least || number > most)
    throw new Error(`must be a whole number from ${least} to ${most}`)
  return number
}

function isProxyRange(entry: string): boolean {
  const [address = '', bits, ...more] = entry.split('/')
  const version = isIP(address)
  if (version === 0) return ['loopback', 'linklocal', 'uniquelocal'].includes(entry)
  return (
    more.length === 0 && (bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (version === 4 ? 32 : 128)))
  )
}

function list(value: string): string[] {
  return value
    .split(',')
    .map((entry) => entry.trim())
    .filter(Boolean)
}

function jsonObject(value: string): Record<string, unknown> {
  let parsed: unknown
  try {
    parsed = JSON.parse(value)
  } catch {
    throw new Error('must be JSON')
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) throw new Error('must be a JSON object')
  return parsed as Record<string, unknown>
}
