import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Connection } from '../server/src/core/connection.ts'
import { firstStart } from '../server/src/core/first-start.ts'
import { createVault } from '../server/src/core/vault.ts'
import { fileKeyring } from '../server/src/keyring.ts'
import { openStorage } from '../server/src/storage/open.ts'
import { startGateway, startProvider } from './processes.ts'

const CONNECTIONS = 10_000
const PROVIDER_MS = 150

/** Ten thousand connections that expire together, against a slow provider that rotates refresh tokens. */
export async function refreshStorm(): Promise<string[]> {
  const dataDir = mkdtempSync(join(tmpdir(), 'patchbay-bench-'))
  const provider = await startProvider(PROVIDER_MS)
  await seed(dataDir)
  const gateway = await startGateway({
    DATA_DIR: dataDir,
    WEB_PAGES: 'off',
    EGRESS_ALLOW: 'loopback',
    CONNECTORS_DIR: join(import.meta.dirname, 'connectors'),
    SERVICE_URLS: JSON.stringify({ 'https://thing.example': provider.url }),
    THING_CLIENT_ID: 'bench',
    THING_CLIENT_SECRET: 'bench-secret',
  })
  try {
    const idle = gateway.memory().now
    const began = performance.now()
    let seen = await provider.seen()
    while (seen.refreshes < CONNECTIONS && performance.now() - began < 120_000) {
      await new Promise((resolve) => setTimeout(resolve, 100))
      seen = await provider.seen()
    }
    const seconds = (performance.now() - began) / 1000
    const most = gateway.memory().most
    await gateway.stop()
    const stored = await generations(dataDir)
    return [
      `${CONNECTIONS.toLocaleString('en')} connections expiring together; the provider takes ${PROVIDER_MS} ms a refresh, rotates, and ends a family on reuse.`,
      '',
      '| | |',
      '| --- | --- |',
      `| all refreshed within | ${seconds.toFixed(1)} s (of it up to 6 s until the gateway looks; the provider alone, at ${seen.mostAtOnce} at once, takes ${((CONNECTIONS * PROVIDER_MS) / 1000 / seen.mostAtOnce).toFixed(1)} s) |`,
      `| refreshes per connection | ${(seen.refreshes / CONNECTIONS).toFixed(4)} |`,
      `| old tokens used again | ${seen.reused} |`,
      `| connections stored with their new pair | ${stored} |`,
      `| memory before, and at most | ${idle} MB, ${most} MB |`,
    ]
  } finally {
    if (gateway.child.exitCode === null) await gateway.stop()
    provider.stop()
    rmSync(dataDir, { recursive: true, force: true })
  }
}

async function seed(dataDir: string): Promise<void> {
  const storage = await openStorage({ dataDir })
  const vault = createVault(fileKeyring(dataDir, { mayCreate: true }), storage)
  await firstStart({ storage, vault, now: Date.now, adminKey: 'pb_admin_of_a_benchmark_long_enough' })
  const expiresAt = Date.now() - 1000
  const all = Array.from({ length: CONNECTIONS }, async (_, index) => {
    const id = `conn_${String(index).padStart(8, '0')}`
    const token = { accessToken: `access.${index}.0`, refreshToken: `${index}.0`, expiresAt }
    const credential = await vault.seal(
      'default',
      { table: 'connection', row: id, column: 'credential' },
      JSON.stringify({ tokens: { default: token } }),
    )
    const connection: Connection = {
      id,
      projectId: 'default',
      userId: `user${index}`,
      connectorId: 'thing',
      label: 'Thing',
      isDefault: true,
      status: 'active',
      statusReason: null,
      account: { id: `account${index}`, label: `account ${index}` },
      settings: {},
      captured: {},
      scopes: { default: ['read'] },
      credential,
      generation: 1,
      expiresAt,
      refreshAfter: expiresAt,
      refreshFailures: 0,
      refreshIntent: null,
      fence: 0,
      leaseUntil: null,
      oauthAppId: 'environment',
      createdAt: expiresAt,
      updatedAt: expiresAt,
    }
    await storage.connections.create(connection, [])
  })
  await Promise.all(all)
  await storage.close()
}

async function generations(dataDir: string): Promise<number> {
  const storage = await openStorage({ dataDir })
  let stored = 0
  let cursor: string | undefined
  for (;;) {
    const page = await storage.connections.listProject('default', { limit: 1000, ...(cursor && { cursor }) })
    stored += page.filter((one) => one.generation === 2 && one.status === 'active').length
    cursor = page.at(-1)?.id
    if (page.length < 1000) break
  }
  await storage.close()
  return stored
}
