import { Pool } from 'undici'

export interface Load {
  /** Requests a second. */
  rate: number
  /** Milliseconds. */
  p50: number
  p99: number
}

/** Sends `count` requests, `concurrency` at a time on kept connections; a request that is not 200 ends the run. */
export async function load(
  url: string,
  options: { concurrency: number; count: number; headers?: Record<string, string>; body?: string },
): Promise<Load> {
  const { origin, pathname } = new URL(url)
  const pool = new Pool(origin, { connections: options.concurrency, pipelining: 1 })
  const times = new Float64Array(options.count)
  let next = 0
  const worker = async () => {
    for (let index = next++; index < options.count; index = next++) {
      const began = performance.now()
      const { statusCode, body } = await pool.request({
        path: pathname,
        method: options.body === undefined ? 'GET' : 'POST',
        headers: { ...options.headers, ...(options.body !== undefined && { 'content-type': 'application/json' }) },
        ...(options.body !== undefined && { body: options.body }),
      })
      const text = await body.text()
      if (statusCode !== 200) throw new Error(`${statusCode} ${text.slice(0, 300)}`)
      times[index] = performance.now() - began
    }
  }
  const began = performance.now()
  await Promise.all(Array.from({ length: options.concurrency }, worker))
  const seconds = (performance.now() - began) / 1000
  await pool.close()
  times.sort()
  const at = (share: number) => times[Math.min(options.count - 1, Math.floor(options.count * share))] as number
  return { rate: options.count / seconds, p50: at(0.5), p99: at(0.99) }
}
