import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Client, createClient } from '@patchbay/sdk'
import { type Emulators, startEmulators } from '../../examples/demo/emulators.ts'
import { readConfig } from '../src/config.ts'
import { type Served, serve } from '../src/main.ts'

/** The real gateway for tests, on a free port with a data folder of its own. */
export interface TestGateway {
  url: string
  adminKey: string
  /** SDK client with the admin key, without retries. */
  client: Client
  /** The environment it was started with, to start a second process on the same data. */
  env: Record<string, string>
  stop(): Promise<void>
}

/** Inside this process. `advance` moves its clock. */
export async function startGateway(
  env: Record<string, string> = {},
): Promise<TestGateway & { served: Served; advance(ms: number): void }> {
  const full = await withDefaults(env)
  let ahead = 0
  const served = await serve(readConfig(full), { now: () => Date.now() + ahead, webRoot: env['WEB_ROOT'] })
  const adminKey = full['ADMIN_API_KEY'] as string
  return {
    ...about(full, adminKey),
    served,
    advance(ms) {
      ahead += ms
    },
    async stop() {
      await served.stop()
      if (!env['DATA_DIR']) rmSync(full['DATA_DIR'] as string, { recursive: true, force: true })
    },
  }
}

/** As a process of its own, as `npm start` runs it; `output` holds all it printed, `ended` its exit code. */
export async function spawnGateway(
  env: Record<string, string> = {},
): Promise<TestGateway & { child: ChildProcess; output(): string; ended: Promise<number | null> }> {
  const full = await withDefaults(env)
  const main = join(import.meta.dirname, '../bin/patchbay.js')
  const child = spawn(process.execPath, [main], {
    env: { PATH: process.env['PATH'] ?? '', ...full },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk))
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve))
  await new Promise<void>((resolve, reject) => {
    child.stdout.on('data', () => output.includes('Patchbay is running at') && resolve())
    void ended.then((code) => reject(new Error(`The gateway ended with ${code}:\n${output}`)))
  })
  return {
    ...about(full, full['ADMIN_API_KEY'] as string),
    child,
    ended,
    output: () => output,
    async stop() {
      child.kill('SIGTERM')
      await ended
      if (!env['DATA_DIR']) rmSync(full['DATA_DIR'] as string, { recursive: true, force: true })
    },
  }
}

/** A gateway inside this process whose Google, Slack and GitHub are the published emulators. */
export async function startEmulatedGateway(env: Record<string, string> = {}) {
  const port = await freePort()
  const emulators = await startEmulators(`http://localhost:${port}`)
  const gateway = await startGateway({ ...emulatorEnv(emulators), PORT: String(port), ...env })
  return {
    ...gateway,
    emulators,
    async stop() {
      await gateway.stop()
      await emulators.close()
    },
  }
}

/** Settings that point a gateway at emulators. */
export function emulatorEnv(emulators: Emulators): Record<string, string> {
  return {
    EGRESS_ALLOW: 'loopback',
    SERVICE_URLS: JSON.stringify(emulators.serviceUrls),
    ...Object.fromEntries(
      Object.entries(emulators.oauthApps).flatMap(([provider, app]) => [
        [`${provider.toUpperCase()}_CLIENT_ID`, app.clientId],
        [`${provider.toUpperCase()}_CLIENT_SECRET`, app.clientSecret],
      ]),
    ),
  }
}

export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  await new Promise((resolve) => server.close(resolve))
  return port
}

async function withDefaults(env: Record<string, string>): Promise<Record<string, string>> {
  return {
    ADMIN_API_KEY: 'pb_admin_of_a_test_that_is_long_enough',
    LOG_LEVEL: 'error',
    WEB_PAGES: 'off',
    PORT: env['PORT'] ?? String(await freePort()),
    DATA_DIR: env['DATA_DIR'] ?? mkdtempSync(join(tmpdir(), 'patchbay-test-')),
    ...env,
  }
}

function about(env: Record<string, string>, adminKey: string): Omit<TestGateway, 'stop'> {
  const url = `http://localhost:${env['PORT']}`
  return { url, adminKey, env, client: createClient({ baseUrl: url, apiKey: adminKey, retries: 0 }) }
}
