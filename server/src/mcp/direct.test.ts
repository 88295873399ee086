import { describe, expect, test } from 'vitest'
import { standInGateway } from '../../test/mcp/stand-in.ts'
import { directAnswer, directRequest } from './direct.ts'
import { type Exchange, MODERN_VERSION } from './exchange.ts'
import { createSdkServer } from './sdk-server.ts'

type Message = Record<string, unknown>
type Headers = Record<string, string>

const META = {
  'io.modelcontextprotocol/protocolVersion': MODERN_VERSION,
  'io.modelcontextprotocol/clientCapabilities': {},
  progressToken: 7,
}
const NEWEST = { 'mcp-protocol-version': MODERN_VERSION }

function list(params?: Message): Message {
  return { jsonrpc: '2.0', id: 1, method: 'tools/list', ...(params && { params }) }
}
function call(params: Message): Message {
  return { jsonrpc: '2.0', id: 'text id', method: 'tools/call', params }
}
function callHeaders(name: string): Headers {
  return { ...NEWEST, 'mcp-method': 'tools/call', 'mcp-name': name }
}

describe('a direct answer equals the SDK’s', () => {
  test.each<[string, Message, Headers]>([
    ['list of 2026-07-28', list({ _meta: META }), { ...NEWEST, 'mcp-method': 'tools/list' }],
    ['call of 2026-07-28', call({ name: 'MAIL_SEARCH', arguments: { a: 1 }, _meta: META }), callHeaders('MAIL_SEARCH')],
    ['call of 2026-07-28 without arguments', call({ name: 'MAIL_SEARCH', _meta: META }), callHeaders('MAIL_SEARCH')],
    ['failing call of 2026-07-28', call({ name: 'CHAT_POST', _meta: META }), callHeaders('CHAT_POST')],
    ['unknown tool of 2026-07-28', call({ name: 'NOPE', _meta: META }), callHeaders('NOPE')],
    ['list of 2025-11-25', list(), { 'mcp-protocol-version': '2025-11-25' }],
    ['list of 2025-03-26', list({}), {}],
    ['call of 2025-06-18', call({ name: 'MAIL_SEARCH', arguments: {} }), { 'mcp-protocol-version': '2025-06-18' }],
    ['call with a progress token', call({ name: 'MAIL_SEARCH', _meta: { progressToken: 1 } }), {}],
    ['failing call of 2025-03-26', call({ name: 'CHAT_POST' }), {}],
    ['unknown tool of 2025-03-26', call({ name: 'NOPE' }), {}],
  ])('%s', async (_what, message, headers) => {
    const exchange = newExchange()
    const request = directRequest(headers, message)

    const direct = request && (await directAnswer(exchange, request))
    const reply = await createSdkServer().answer(posted(headers, message), message, exchange)

    expect(reply.status).toBe(200)
    expect(JSON.parse(JSON.stringify(direct))).toEqual(await reply.json())
  })
})

describe('left to the SDK is', () => {
  const good = { name: 'MAIL_SEARCH', _meta: META }
  test.each<[string, unknown, Headers]>([
    ['another method', { ...list(), method: 'ping' }, {}],
    ['a batch', [list()], {}],
    ['a notification', { jsonrpc: '2.0', method: 'tools/list' }, {}],
    ['a fractional id', { ...list(), id: 1.5 }, {}],
    ['a null id', { ...list(), id: null }, {}],
    ['a member JSON-RPC does not know', { ...list(), extra: 1 }, {}],
    ['a cursor', list({ cursor: 'x' }), {}],
    ['params that are a list', { ...list(), params: [] }, {}],
    ['a _meta that is text', list({ _meta: 'x' }), {}],
    ['a call without params', { jsonrpc: '2.0', id: 1, method: 'tools/call' }, {}],
    ['a call without a name', call({}), {}],
    ['arguments that are a list', call({ name: 'MAIL_SEARCH', arguments: [] }), {}],
    ['arguments that are null', call({ name: 'MAIL_SEARCH', arguments: null }), {}],
    ['an unknown older version', list(), { 'mcp-protocol-version': '2025-01-01' }],
    ['a header of 2026-07-28 over a body without it', list(), NEWEST],
    [
      'a body of 2026-07-28 under an older header',
      call(good),
      { ...callHeaders('MAIL_SEARCH'), ...{ 'mcp-protocol-version': '2025-11-25' } },
    ],
    [
      'a body of 2026-07-28 under no version header',
      call(good),
      { 'mcp-method': 'tools/call', 'mcp-name': 'MAIL_SEARCH' },
    ],
    ['another method header', call(good), { ...callHeaders('MAIL_SEARCH'), 'mcp-method': 'tools/list' }],
    ['another name header', call(good), callHeaders('MAIL_TRASH')],
    ['an encoded name header', call(good), callHeaders('=?base64?TUFJTF9TRUFSQ0g=?=')],
    [
      'a body without capabilities',
      call({ ...good, _meta: { ...META, 'io.modelcontextprotocol/clientCapabilities': 1 } }),
      callHeaders('MAIL_SEARCH'),
    ],
    [
      'a version to come',
      call({ ...good, _meta: { ...META, 'io.modelcontextprotocol/protocolVersion': '2027-01-01' } }),
      { ...callHeaders('MAIL_SEARCH'), 'mcp-protocol-version': '2027-01-01' },
    ],
  ])('%s', (_what, message, headers) => {
    expect(directRequest(headers, message)).toBeUndefined()
  })
})

function newExchange(): Exchange {
  const { gateway } = standInGateway()
  const actor = { type: 'instance' as const, id: 'inst_ann' }
  return {
    gateway,
    caller: { projectId: 'p1', role: 'user', userId: 'ann', actor, policy: {} },
    userId: 'ann',
    instanceId: 'inst_ann',
    requestId: 'req_1',
    server: { name: 'patchbay', title: 'Patchbay', version: '1.2.3', websiteUrl: 'http://localhost:8080' },
    signal: new AbortController().signal,
    report: (error) => {
      throw error
    },
  }
}

function posted(headers: Headers, message: unknown): Request {
  const accept = 'application/json, text/event-stream'
  const all = { ...headers, accept, 'content-type': 'application/json' }
  return new Request('http://localhost/mcp', { method: 'POST', headers: all, body: JSON.stringify(message) })
}
