import { createRequire } from 'node:module'
import type undici from 'undici'

// The package's index also loads fetch, WebSocket, caches and mocks, which nothing here uses: megabytes and tens of
// milliseconds of every start. It declares no `exports`, and its version is pinned.
const load = createRequire(import.meta.url)

export type Pool = undici.Pool
export type Connector = undici.buildConnector.connector
export const Pool = load('undici/lib/dispatcher/pool.js') as typeof undici.Pool
export const buildConnector = load('undici/lib/core/connect.js') as typeof undici.buildConnector
