import type { IncomingHttpHeaders } from 'node:http'
import type { CallToolResult } from '@modelcontextprotocol/server'
import { type Exchange, INVALID_PARAMS, LEGACY_VERSIONS, LIST_TTL_MS, MODERN_VERSION } from './exchange.ts'
import { rpcError } from './reply.ts'
import { callOutcome, type WantedCall } from './tool-call.ts'
import { listOutcome } from './tool-list.ts'

const VERSION_KEY = 'io.modelcontextprotocol/protocolVersion'
const CAPABILITIES_KEY = 'io.modelcontextprotocol/clientCapabilities'
const SERVER_KEY = 'io.modelcontextprotocol/serverInfo'

/**
 * A `tools/list` or `tools/call` that is right in every respect. Nearly all traffic is, and building an SDK server
 * and transport for each costs several times the rest of the request; what is not recognised here, wrong requests
 * above all, is the SDK's to answer.
 */
export type DirectRequest = { id: string | number; modern: boolean } & ({ list: true } | { call: WantedCall })

/** The request if it can be answered directly. `headers` have lower-case names. */
export function directRequest(headers: IncomingHttpHeaders, body: unknown): DirectRequest | undefined {
  if (!isObject(body) || body['jsonrpc'] !== '2.0') return
  const { id, method, params } = body
  if (typeof id !== 'string' && !Number.isSafeInteger(id)) return
  if (Object.keys(body).length !== (params === undefined ? 3 : 4)) return
  if (params !== undefined && !isObject(params)) return

  const modern = era(headers, method, params)
  if (modern === undefined) return
  const request = { id: id as string | number, modern }

  if (method === 'tools/list') return params?.['cursor'] === undefined ? { ...request, list: true } : undefined
  if (method !== 'tools/call' || !params) return
  const { name, arguments: args = {} } = params
  if (typeof name !== 'string' || !isObject(args)) return
  if (modern && !namesTool(headers, name)) return
  return { ...request, call: { name, arguments: args } }
}

/** True for 2026-07-28, false for an older revision, undefined for what is neither (or neither properly). */
function era(headers: IncomingHttpHeaders, method: unknown, params: Record<string, unknown> | undefined) {
  const version = headers['mcp-protocol-version']
  const meta = params?.['_meta']
  if (meta !== undefined && !isObject(meta)) return
  if (meta && VERSION_KEY in meta) {
    const proper =
      meta[VERSION_KEY] === MODERN_VERSION &&
      version === MODERN_VERSION &&
      isObject(meta[CAPABILITIES_KEY]) &&
      headers['mcp-method'] === method
    return proper ? true : undefined
  }
  return version === undefined || LEGACY_VERSIONS.includes(String(version)) ? false : undefined
}

/** The header may carry the name encoded, between `=?base64?` and `?=`; decoding it is left to the SDK. */
function namesTool(headers: IncomingHttpHeaders, name: string): boolean {
  return headers['mcp-name'] === name && !name.startsWith('=?base64?')
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The JSON-RPC answer to a direct request. */
export async function directAnswer(exchange: Exchange, request: DirectRequest): Promise<Record<string, unknown>> {
  const { id, modern } = request
  if ('list' in request) {
    const outcome = await listOutcome(exchange)
    if ('failed' in outcome) return rpcError(outcome.failed, id)
    return answer(id, modern ? stamped(exchange, { ...outcome, ttlMs: LIST_TTL_MS, cacheScope: 'private' }) : outcome)
  }
  const outcome = await callOutcome(exchange, request.call)
  if ('unknownTool' in outcome) return rpcError({ code: INVALID_PARAMS, message: outcome.unknownTool.message }, id)
  return answer(id, modern ? stamped(exchange, outcome.result) : outcome.result)
}

function answer(id: string | number, result: object): Record<string, unknown> {
  return { jsonrpc: '2.0', id, result }
}

/** What each result of 2026-07-28 says of itself (basic/index, "Result type" and "Per-response protocol fields"). */
function stamped(exchange: Exchange, result: CallToolResult | Record<string, unknown>): Record<string, unknown> {
  return { ...result, resultType: 'complete', _meta: { ...(result['_meta'] as object), [SERVER_KEY]: exchange.server } }
}
