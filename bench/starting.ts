import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort, memoryOf, startedServer, startGateway } from './processes.ts'

const ROUNDS = 7
const IDLE_MS = 3_000

/** From spawning the process to the first healthy answer, and memory at rest, beside a bare Fastify server. */
export async function starting(): Promise<string[]> {
  const dataDir = mkdtempSync(join(tmpdir(), 'patchbay-bench-'))
  const ours: { ms: number; mb: number }[] = []
  const bare: { ms: number; mb: number }[] = []
  try {
    for (let round = 0; round <= ROUNDS; round++) {
      const gateway = await startGateway({ DATA_DIR: dataDir })
      await new Promise((resolve) => setTimeout(resolve, IDLE_MS))
      // The first start makes the database and fills the compile cache.
      if (round > 0) ours.push({ ms: gateway.healthyAfterMs, mb: gateway.memory().now })
      await gateway.stop()

      const port = await freePort()
      const peer = await startedServer([join(import.meta.dirname, 'bare-server.ts'), String(port)], port, {})
      await new Promise((resolve) => setTimeout(resolve, IDLE_MS))
      if (round > 0) bare.push({ ms: peer.healthyAfterMs, mb: memoryOf(peer.child).now })
      peer.child.kill('SIGKILL')
      await new Promise((resolve) => peer.child.once('exit', resolve))
    }
  } finally {
    rmSync(dataDir, { recursive: true, force: true })
  }
  const row = (name: string, runs: { ms: number; mb: number }[]) =>
    `| ${name} | ${Math.round(median(runs.map(({ ms }) => ms)))} ms | ${Math.round(median(runs.map(({ mb }) => mb)))} MB |`
  return [
    `| median of ${ROUNDS} warm starts | healthy after | memory at rest |`,
    '| --- | --- | --- |',
    row('the gateway', ours),
    row('a bare Fastify server with one route', bare),
  ]
}

function median(values: number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] as number
}
