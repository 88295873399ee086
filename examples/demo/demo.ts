import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createClient } from '@patchbay/sdk'
import { readConfig } from '../../server/src/config.ts'
import { serve } from '../../server/src/main.ts'
import { builtWebPages } from '../../server/src/web-build.ts'
import { startEmulators } from './emulators.ts'
import { newPerson } from './person.ts'
import { STEPS } from './script.ts'

const unattended = process.argv.includes('--script')
const port = await firstFree(unattended ? 0 : Number(process.env['PORT'] ?? 8080))
const publicUrl = `http://localhost:${port}`
const dataDir = mkdtempSync(join(tmpdir(), 'patchbay-demo-'))
const emulators = await startEmulators(publicUrl)
let ahead = 0

const served = await serve(
  readConfig({
    PORT: String(port),
    DATA_DIR: dataDir,
    EGRESS_ALLOW: 'loopback',
    SERVICE_URLS: JSON.stringify(emulators.serviceUrls),
    LOG_LEVEL: unattended ? 'error' : 'warn',
    ...Object.fromEntries(
      Object.entries(emulators.oauthApps).flatMap(([provider, app]) => [
        [`${provider.toUpperCase()}_CLIENT_ID`, app.clientId],
        [`${provider.toUpperCase()}_CLIENT_SECRET`, app.clientSecret],
      ]),
    ),
  }),
  { now: () => Date.now() + ahead, webRoot: unattended ? undefined : await builtWebPages((line) => console.log(line)) },
)

async function stop(): Promise<void> {
  await served.stop()
  await emulators.close()
  rmSync(dataDir, { recursive: true, force: true })
}

if (unattended) {
  const failed = await runScript()
  await stop()
  process.exit(failed ? 1 : 0)
}

console.log(`
  Patchbay with emulated Google, Slack and GitHub accounts, at ${served.url}

  1. Sign in with this admin key:  ${served.adminKey}
  2. Connectors → Connect Gmail → choose Ada
  3. Tools → GMAIL_FETCH_EMAILS → Run

  Nothing leaves this machine, and everything is deleted when this ends (Ctrl+C).
`)
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => void stop().then(() => process.exit(0)))
}

/** Runs every step even after one failed, so that one look shows all that is wrong. */
async function runScript(): Promise<boolean> {
  const client = createClient({ baseUrl: served.url, apiKey: served.adminKey as string, retries: 0 })
  const stage = {
    client,
    emulators,
    person: newPerson(),
    advance: (ms: number) => {
      ahead += ms
    },
  }
  const started = performance.now()
  let failures = 0
  for (const { title, run } of STEPS) {
    try {
      console.log(`ok    ${title}: ${await run(stage)}`)
    } catch (error) {
      failures++
      console.log(`FAIL  ${title}: ${(error as Error).message}`)
    }
  }
  console.log(
    `${STEPS.length - failures} passed, ${failures} failed, in ${((performance.now() - started) / 1000).toFixed(1)} s`,
  )
  return failures > 0
}

/** The wanted port, or the first free one after it; 0 for any. */
async function firstFree(wanted: number): Promise<number> {
  for (let port = wanted; ; port++) {
    const server = createServer()
    const found = await new Promise<number | undefined>((resolve) => {
      server.once('error', () => resolve(undefined))
      server.listen(port, '127.0.0.1', () => resolve((server.address() as { port: number }).port))
    })
    await new Promise((resolve) => server.close(resolve))
    if (found) return found
  }
}
