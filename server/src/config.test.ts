import { resolve } from 'node:path'
import { describe, expect, test } from 'vitest'
import { ConfigError, environmentApps, readConfig, SETTINGS } from './config.ts'

const key = (byte: number, length = 32) => Buffer.alloc(length, byte).toString('base64')

test('nothing has to be set', () => {
  expect(readConfig({})).toMatchObject({
    host: '127.0.0.1',
    port: 8080,
    publicUrl: 'http://localhost:8080',
    dataDir: resolve('data'),
    databaseUrl: undefined,
    masterKeys: undefined,
    adminApiKey: undefined,
    egressAllow: [],
    corsOrigins: [],
    trustProxy: [],
    connectorsDir: undefined,
    serviceUrls: {},
    webPages: true,
    eventDays: undefined,
    maxCallsPerUser: 64,
    maxCallsPerConnection: 32,
    logLevel: 'info',
  })
  expect(Object.isFrozen(readConfig({}))).toBe(true)
})

test('a setting that is empty is one that was not given', () => {
  const { oauthApps: _, ...empty } = readConfig(Object.fromEntries(SETTINGS.map(({ name }) => [name, ''])))
  const { oauthApps: __, ...none } = readConfig({})

  expect(empty).toEqual(none)
})

test.each<[Record<string, string>, object]>([
  [{ PORT: '9000' }, { port: 9000, publicUrl: 'http://localhost:9000' }],
  [{ PUBLIC_URL: 'https://Gateway.example/' }, { publicUrl: 'https://gateway.example' }],
  [{ DATABASE_URL: 'postgresql://u:p@h/db' }, { databaseUrl: 'postgresql://u:p@h/db' }],
  [
    { MASTER_KEYS: ` b:${key(2)} , a:${key(1)}` },
    {
      masterKeys: [
        { id: 'b', key: Buffer.alloc(32, 2) },
        { id: 'a', key: Buffer.alloc(32, 1) },
      ],
    },
  ],
  [{ EGRESS_ALLOW: ' loopback, 10.0.0.0/8 ,' }, { egressAllow: ['loopback', '10.0.0.0/8'] }],
  [
    { CORS_ORIGINS: 'https://a.example, http://localhost:3000' },
    { corsOrigins: ['https://a.example', 'http://localhost:3000'] },
  ],
  [{ TRUST_PROXY: 'loopback,10.0.0.0/8,::1,fd00::/8' }, { trustProxy: ['loopback', '10.0.0.0/8', '::1', 'fd00::/8'] }],
  [
    { SERVICE_URLS: '{"https://a.test":"http://localhost:1"}' },
    { serviceUrls: { 'https://a.test': 'http://localhost:1' } },
  ],
  [{ WEB_PAGES: 'off' }, { webPages: false }],
  [{ EVENT_DAYS: '30' }, { eventDays: 30 }],
])('%j is understood', (env, expected) => {
  expect(readConfig(env)).toMatchObject(expected)
})

/** A part of each wrong value that no sentence could hold by chance. */
const MARK = 'c4n4ry'

const WRONG: [name: string, value: string][] = [
  ['PORT', `80${MARK}`],
  ['PORT', '0'],
  ['PORT', '65536'],
  ['PORT', '8080.5'],
  ['PORT', '-1'],
  ['PORT', '1e3'],
  ['PUBLIC_URL', `${MARK}.example`],
  ['PUBLIC_URL', `ftp://${MARK}.example`],
  ['PUBLIC_URL', `https://gateway.example/${MARK}`],
  ['PUBLIC_URL', `https://gateway.example/?${MARK}`],
  ['PUBLIC_URL', `https://gateway.example/#${MARK}`],
  ['PUBLIC_URL', `https://${MARK}@gateway.example`],
  ['PUBLIC_URL', `https://:${MARK}@gateway.example`],
  ['DATABASE_URL', `mysql://u:${MARK}@h/db`],
  ['DATABASE_URL', MARK],
  ['MASTER_KEYS', MARK],
  ['MASTER_KEYS', `${MARK}:${key(1, 31)}`],
  ['MASTER_KEYS', `${MARK}:${key(1, 33)}`],
  ['MASTER_KEYS', `:${key(1)}`],
  ['MASTER_KEYS', `${MARK} x:${key(1)}`],
  ['MASTER_KEYS', `a:${key(1)},`],
  ['MASTER_KEYS', `${MARK}:${key(1)},${MARK}:${key(2)}`],
  ['ADMIN_API_KEY', MARK],
  ['ADMIN_API_KEY', `${MARK} with spaces in it that never arrive`],
  ['ADMIN_API_KEY', `${MARK}-with-ümlauts-that-never-arrive`],
  ['CORS_ORIGINS', `https://${MARK}.example/`],
  ['CORS_ORIGINS', `https://a.example,${MARK}`],
  ['CORS_ORIGINS', '*'],
  ['TRUST_PROXY', MARK],
  ['TRUST_PROXY', `127.0.0.1,${MARK}/8`],
  ['TRUST_PROXY', '10.0.0.0/33'],
  ['TRUST_PROXY', '::1/129'],
  ['TRUST_PROXY', '10.0.0.0/8/8'],
  ['TRUST_PROXY', 'true'],
  ['SERVICE_URLS', MARK],
  ['SERVICE_URLS', `["${MARK}"]`],
  ['SERVICE_URLS', 'null'],
  ['SERVICE_URLS', `{"${MARK}":"http://localhost:1"}`],
  ['SERVICE_URLS', `{"https://a.test":"${MARK}"}`],
  ['SERVICE_URLS', `{"https://a.test":7}`],
  ['WEB_PAGES', MARK],
  ['WEB_PAGES', 'false'],
  ['EVENT_DAYS', MARK],
  ['EVENT_DAYS', '0'],
  ['MAX_CALLS_PER_USER', MARK],
  ['MAX_CALLS_PER_USER', '0'],
  ['MAX_CALLS_PER_CONNECTION', MARK],
  ['MAX_CALLS_PER_CONNECTION', '10001'],
  ['LOG_LEVEL', MARK],
  ['LOG_LEVEL', 'INFO'],
]

function mistake(env: Record<string, string>): Error {
  try {
    readConfig(env)
  } catch (error) {
    return error as Error
  }
  throw new Error(`${JSON.stringify(env)} was taken`)
}

describe('a wrong value stops the start with one sentence that names the setting, and never the value', () => {
  test.each(WRONG)('%s=%s', (name, value) => {
    const error = mistake({ [name]: value })

    expect(error).toBeInstanceOf(ConfigError)
    expect(error.message).toMatch(new RegExp(`^The setting ${name} [^\\n]+\\.$`))
    expect(error.message).not.toContain(MARK)
    expect(error.cause).toBeUndefined()
  })

  test('holds for every setting that can be wrong by itself', () => {
    // A host, a folder and a list of names are only wrong by what the machine says to them.
    const free = ['HOST', 'DATA_DIR', 'CONNECTORS_DIR', 'EGRESS_ALLOW']

    expect(new Set([...WRONG.map(([name]) => name), ...free])).toEqual(new Set(SETTINGS.map(({ name }) => name)))
  })
})

describe('OAuth apps of the environment', () => {
  test('are read for the providers there are', () => {
    const env = {
      GOOGLE_CLIENT_ID: 'g',
      GOOGLE_CLIENT_SECRET: 's',
      MY_SHOP_CLIENT_ID: 'm',
      OTHER_CLIENT_ID: 'o',
      SLACK_CLIENT_ID: '',
      SLACK_CLIENT_SECRET: '',
    }

    expect(readConfig(env).oauthApps(['google', 'my-shop', 'slack', 'github'])).toEqual({
      google: { clientId: 'g', clientSecret: 's' },
      'my-shop': { clientId: 'm' },
    })
  })

  test('without an id are told by name', () => {
    expect(() => environmentApps({ GOOGLE_CLIENT_SECRET: MARK }, ['google'])).toThrow(
      new ConfigError('The setting GOOGLE_CLIENT_SECRET needs GOOGLE_CLIENT_ID beside it.'),
    )
  })
})
