import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { findChromium } from './chromium.ts'
import { startMariadb } from './mariadb.ts'
import { startPostgres } from './postgres.ts'
import { startRedis } from './redis.ts'
import type { Service } from './service.ts'

/**
 * `npm run test:services`: starts real servers, runs all tests with them, stops them. What is missing on this machine
 * has its tests skipped; with `CI` set it is a failure. Arguments go on to Vitest.
 */
const VITEST = fileURLToPath(new URL('../../../node_modules/vitest/vitest.mjs', import.meta.url))
const ROOT = fileURLToPath(new URL('../../..', import.meta.url))

const services: Service[] = []
const stopping = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => stopping.abort(signal))

try {
  process.exitCode = (await startAll()) ? await runTests() : 1
} finally {
  // Nothing is printed any more: the last line is the summary of the tests.
  await Promise.all(services.map((service) => service.stop?.()))
}

/** False when a service is missing or broken that this run must have, or when it was told to stop. */
async function startAll(): Promise<boolean> {
  const started = await Promise.allSettled([startPostgres(), startRedis(), startMariadb(), findChromium()])
  let complete = true
  for (const each of started) {
    if (each.status === 'rejected') {
      console.error(each.reason instanceof Error ? each.reason.message : each.reason)
      complete = false
    } else if ('missing' in each.value) {
      const forgiven = !process.env['CI']
      console.log(forgiven ? `${each.value.missing} Its tests are skipped.` : each.value.missing)
      complete &&= forgiven
    } else {
      console.log(each.value.line)
      services.push(each.value)
    }
  }
  return complete && !stopping.signal.aborted
}

async function runTests(): Promise<number> {
  const env = Object.assign({}, process.env, ...services.map((service) => service.env))
  const vitest = spawn(process.execPath, [VITEST, 'run', ...process.argv.slice(2)], {
    cwd: ROOT,
    env,
    stdio: 'inherit',
  })
  stopping.signal.addEventListener('abort', () => vitest.kill('SIGTERM'))
  const [code] = await once(vitest, 'exit')
  return stopping.signal.aborted ? 130 : (code ?? 1)
}
