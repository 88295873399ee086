import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

const ROOT = join(import.meta.dirname, '..')

export interface Provider {
  url: string
  /** What it has counted so far. */
  seen(): Promise<{ calls: number; refreshes: number; reused: number; mostAtOnce: number }>
  stop(): void
}

export async function startProvider(delayMs = 0): Promise<Provider> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'provider.ts'), String(delayMs)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const next = async () => (await lines.next()).value as string
  return {
    url: `http://127.0.0.1:${await next()}`,
    async seen() {
      child.stdin.write('?\n')
      return JSON.parse(await next())
    },
    stop: () => child.stdin.end(),
  }
}

export interface Gateway {
  url: string
  adminKey: string
  child: ChildProcess
  /** Resident memory now and at its most, MB. */
  memory(): { now: number; most: number }
  /** Milliseconds from spawning to the first healthy answer. */
  healthyAfterMs: number
  stop(): Promise<void>
}

/** The gateway as `npm start` runs it, on a data folder, until it answers health. */
export async function startGateway(env: Record<string, string>): Promise<Gateway> {
  const port = await freePort()
  const adminKey = 'pb_admin_of_a_benchmark_long_enough'
  const { healthyAfterMs, child } = await startedServer([join(ROOT, 'server/bin/patchbay.js')], port, {
    PORT: String(port),
    ADMIN_API_KEY: adminKey,
    LOG_LEVEL: 'error',
    ...env,
  })
  return {
    url: `http://127.0.0.1:${port}`,
    adminKey,
    child,
    healthyAfterMs,
    memory: () => memoryOf(child),
    async stop() {
      child.kill('SIGTERM')
      await new Promise((resolve) => child.once('exit', resolve))
    },
  }
}

/** Any server program that answers `GET /health`, and how long that took from spawning it. */
export async function startedServer(
  args: string[],
  port: number,
  env: Record<string, string>,
): Promise<{ child: ChildProcess; healthyAfterMs: number }> {
  const began = performance.now()
  const child = spawn(process.execPath, ['--max-semi-space-size=4', ...args], {
    env: { PATH: process.env['PATH'] ?? '', ...env },
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  for (;;) {
    if (child.exitCode !== null) throw new Error(`${args[0]} ended with ${child.exitCode}`)
    const healthy = await fetch(`http://127.0.0.1:${port}/health`).then(
      (response) => response.ok,
      () => false,
    )
    if (healthy) return { child, healthyAfterMs: performance.now() - began }
    if (performance.now() - began > 30_000) throw new Error(`${args[0]} was not healthy within 30 s`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

/** From /proc, so on Linux only; elsewhere zeros. */
export function memoryOf(child: ChildProcess): { now: number; most: number } {
  try {
    const status = readFileSync(`/proc/${child.pid}/status`, 'utf8')
    const mb = (name: string) => Math.round(Number(status.match(new RegExp(`${name}:\\s+(\\d+)`))?.[1] ?? 0) / 1024)
    return { now: mb('VmRSS'), most: mb('VmHWM') }
  } catch {
    return { now: 0, most: 0 }
  }
}

export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  await new Promise((resolve) => server.close(resolve))
  return port
}
