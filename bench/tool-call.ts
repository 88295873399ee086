import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createClient } from '@patchbay/sdk'
import { load } from './load.ts'
import { startGateway, startProvider } from './processes.ts'

/** What a tool call costs over the same call made directly: authentication, policy, decryption, limits and event on. */
export async function toolCall(): Promise<string[]> {
  const dataDir = mkdtempSync(join(tmpdir(), 'patchbay-bench-'))
  const provider = await startProvider()
  const gateway = await startGateway({
    DATA_DIR: dataDir,
    WEB_PAGES: 'off',
    EGRESS_ALLOW: 'loopback',
    CONNECTORS_DIR: join(import.meta.dirname, 'connectors'),
    SERVICE_URLS: JSON.stringify({ 'https://thing.example': provider.url }),
  })
  try {
    const client = createClient({ baseUrl: gateway.url, apiKey: gateway.adminKey })
    await importThing(gateway, 'ada')
    const { url, token } = await client.instances.create({ user_id: 'ada' })
    const mcp = new URL(new URL(url).pathname, gateway.url).href

    const direct = { url: `${provider.url}/items/1`, headers: { authorization: 'Bearer direct' } }
    const rest = {
      url: `${gateway.url}/api/tools/execute`,
      headers: { 'x-api-key': gateway.adminKey },
      body: JSON.stringify({ user_id: 'ada', action: 'THING_GET_ITEM', params: { id: '1' } }),
    }
    const overMcp = {
      url: mcp,
      headers: {
        authorization: `Bearer ${token}`,
        accept: 'application/json, text/event-stream',
        'mcp-protocol-version': '2025-11-25',
      },
      body: JSON.stringify({
        jsonrpc: '2.0',
        id: 1,
        method: 'tools/call',
        params: { name: 'THING_GET_ITEM', arguments: { id: '1' } },
      }),
    }
    const rows = ['| call | p50 at 1 | p99 at 1 | calls/s at 16 | p99 at 16 |', '| --- | --- | --- | --- | --- |']
    for (const [name, target] of [
      ['direct', direct],
      ['through the gateway, REST', rest],
      ['through the gateway, MCP', overMcp],
    ] as const) {
      await load(target.url, { ...target, concurrency: 16, count: 4_000 })
      const one = await load(target.url, { ...target, concurrency: 1, count: 4_000 })
      const many = await load(target.url, { ...target, concurrency: 16, count: 20_000 })
      rows.push(
        `| ${name} | ${one.p50.toFixed(2)} ms | ${one.p99.toFixed(2)} ms | ${Math.round(many.rate)} | ${many.p99.toFixed(1)} ms |`,
      )
    }
    rows.push(
      '',
      `Memory of the gateway after 84,000 calls: ${gateway.memory().now} MB, at most ${gateway.memory().most} MB.`,
    )
    return rows
  } finally {
    await gateway.stop()
    provider.stop()
    rmSync(dataDir, { recursive: true, force: true })
  }
}

/** A connection by a token brought along, so that no consent has to be clicked. */
async function importThing(gateway: { url: string; adminKey: string }, userId: string): Promise<void> {
  const response = await fetch(`${gateway.url}/cache-tokens`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-api-key': gateway.adminKey },
    body: JSON.stringify({ user_id: userId, provider: 'thing', access_token: 'access.ada.0', scopes: ['read'] }),
  })
  if (!response.ok) throw new Error(`importing tokens: ${response.status} ${await response.text()}`)
}
