import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import pg from 'pg'
import type { Change } from '../core/storage.ts'

const FIRST_WAIT_MS = 100
const LONGEST_WAIT_MS = 5_000
/** A connection that died without a word is found out this soon. */
const HEARTBEAT_MS = 15_000
const ANSWER_MS = 10_000
/** NOTIFY takes less than 8,000 bytes. */
const MAX_PAYLOAD_BYTES = 7_900

export interface ChangeChannel {
  /** Tells the other processes, once the transaction of `client` commits. */
  announce(client: pg.ClientBase, changes: readonly Change[]): Promise<void>
  close(): Promise<void>
}

/**
 * A connection of its own that hears what other processes changed (LISTEN/NOTIFY). When it is lost it comes back by
 * itself; until then, and once it is back, `everything` is told, since what was missed is unknown.
 */
export async function openChangeChannel(
  config: pg.ClientConfig,
  tell: (change: Change) => void,
): Promise<ChangeChannel> {
  const origin = randomUUID()
  const closed = new AbortController()
  let name = ''
  let current: pg.Client | undefined
  let returning: Promise<void> | undefined

  async function connect(): Promise<void> {
    const client = new pg.Client({ ...config, query_timeout: ANSWER_MS })
    // What is lost shows in `end`.
    client.on('error', () => {})
    client.on('notification', ({ payload = '' }) => hear(payload))
    client.on('end', () => {
      if (current !== client || closed.signal.aborted) return
      current = undefined
      returning = comeBack()
    })
    try {
      await client.connect()
      // Channels belong to the whole database; each schema is a gateway of its own.
      const found = await client.query("select 'patchbay_' || md5(current_schema()) as name")
      name = found.rows[0].name
      await client.query(`listen ${name}`)
    } catch (error) {
      await client.end().catch(() => {})
      throw error
    }
    if (closed.signal.aborted) return client.end()
    current = client
  }

  async function comeBack(): Promise<void> {
    for (let wait = FIRST_WAIT_MS; !closed.signal.aborted; wait = Math.min(wait * 2, LONGEST_WAIT_MS)) {
      tell({ kind: 'everything' })
      await pause(wait * (0.5 + Math.random()), undefined, { signal: closed.signal }).catch(() => {})
      if (closed.signal.aborted) return
      try {
        await connect()
        return tell({ kind: 'everything' })
      } catch {
        // The server is still away.
      }
    }
  }

  function hear(payload: string): void {
    const { from, change } = JSON.parse(payload) as { from: string; change: Change }
    // Our own changes were told when they were committed.
    if (from !== origin) tell(change)
  }

  function payloadOf(change: Change): string {
    const payload = JSON.stringify({ from: origin, change })
    return Buffer.byteLength(payload) <= MAX_PAYLOAD_BYTES ? payload : payloadOf({ kind: 'everything' })
  }

  await connect()
  const heartbeat = setInterval(() => {
    const client = current
    client?.query('select 1').catch(() => client.end().catch(() => {}))
  }, HEARTBEAT_MS)
  heartbeat.unref()

  return {
    async announce(client, changes) {
      const payloads = changes.map(payloadOf)
      await client.query('select pg_notify($1, payload) from unnest(cast($2 as text[])) as payload', [name, payloads])
    },

    async close() {
      closed.abort()
      clearInterval(heartbeat)
      await returning
      await current?.end()
    },
  }
}
