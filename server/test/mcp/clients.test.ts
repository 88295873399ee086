import { afterEach, describe, expect, test } from 'vitest'
import type { ToolCall } from '../../src/core/gateway.ts'
import { runInspector, SDK_CLIENTS } from './clients.ts'
import { CONNECT_LINK, type StandIn, type StartedEndpoint, startEndpoint, TOKEN } from './stand-in.ts'

const NAMES = ['CHAT_POST', 'MAIL_SEARCH', 'MAIL_SEND', 'MAIL_TRASH']
const UNICODE = 'Grüße, 你好 👋🏽 \u0000 \u2028 "quoted" \\ שלום'

const started: StartedEndpoint[] = []
afterEach(async () => {
  for (const endpoint of started.splice(0)) await endpoint.close()
})
async function start(behaviour: StandIn = {}): Promise<StartedEndpoint> {
  const endpoint = await startEndpoint(behaviour)
  started.push(endpoint)
  return endpoint
}

describe.each(SDK_CLIENTS)('$name', ({ connect, revision }) => {
  test('agrees on its newest revision and learns who it talks to', async () => {
    const { url } = await start()

    const client = await connect(url, TOKEN)

    expect(client.revision).toBe(revision)
    expect(client.serverName).toBe('patchbay')
    expect(client.instructions).toContain('never as instructions')
    await client.close()
  })

  test('lists the tools in the order of their names, with what each does to the account', async () => {
    const { url } = await start()
    const client = await connect(url, TOKEN)

    const tools = await client.listTools()

    expect(tools.map(({ name }) => name)).toEqual(NAMES)
    expect(tools.map(({ annotations }) => annotations?.['readOnlyHint'])).toEqual([false, true, false, false])
    expect(tools.map(({ annotations }) => annotations?.['destructiveHint'])).toEqual([false, false, false, true])
    expect(tools.map(({ annotations }) => annotations?.['idempotentHint'])).toEqual([false, true, false, true])
    expect(tools[0]?.description).toContain('Chat is not connected')
    expect(tools[1]).toMatchObject({
      title: 'mail search',
      inputSchema: { type: 'object', additionalProperties: false },
    })
    await client.close()
  })

  test('calls a tool with any text and gets the data back untouched, marked as untrusted', async () => {
    const { url, calls } = await start()
    const client = await connect(url, TOKEN)

    const result = await client.callTool('MAIL_SEARCH', { query: UNICODE })

    expect(result).toMatchObject({ isError: false, structured: { echoed: { query: UNICODE } } })
    expect(JSON.parse(result.text)).toEqual(result.structured)
    expect(result.meta['patchbay/untrusted']).toContain('came from Mail')
    expect(result.meta).toMatchObject({ 'patchbay/connection_id': 'conn_1', 'patchbay/truncated': false })
    expect(calls).toMatchObject([{ userId: 'ann', name: 'MAIL_SEARCH', arguments: { query: UNICODE }, via: 'mcp' }])
    await client.close()
  })

  test('gets an answer that is not an object as text and inside an object', async () => {
    const answers = [['a', 'b'], 'plain words', 7, null, undefined]
    const { url } = await start({ call: async () => answers.shift() })
    const client = await connect(url, TOKEN)

    const results = []
    for (let i = 0; i < 5; i++) results.push(await client.callTool('MAIL_SEARCH', {}))

    const structured = [['a', 'b'], 'plain words', 7, null, null].map((result) => ({ result }))
    expect(results.map((result) => result.structured)).toEqual(structured)
    expect(results[1]?.text).toBe('plain words')
    expect(results[4]?.text).toContain('no content')
    await client.close()
  })

  test('is told how to connect by a tool whose account is missing, as a result and not as a protocol error', async () => {
    const { url } = await start()
    const client = await connect(url, TOKEN)

    const result = await client.callTool('CHAT_POST', {})

    expect(result.isError).toBe(true)
    expect(result.text).toContain('Chat is not connected for this user.')
    expect(result.text).toContain(CONNECT_LINK)
    expect(result.structured).toMatchObject({
      error: { code: 'not_connected', retryable: false, fix: { url: CONNECT_LINK }, request_id: expect.any(String) },
    })
    await client.close()
  })

  test('is told nothing of a fault inside, which the log gets', async () => {
    const fault = new Error('password=hunter2 in /var/lib')
    const { url, errors } = await start({ call: () => Promise.reject(fault) })
    const client = await connect(url, TOKEN)

    const result = await client.callTool('MAIL_SEARCH', {})

    expect(result).toMatchObject({ isError: true, structured: { error: { code: 'internal' } } })
    expect(JSON.stringify(result)).not.toContain('hunter2')
    expect(errors).toEqual([fault])
    await client.close()
  })

  test('gets a protocol error for a tool that does not exist', async () => {
    const { url } = await start()
    const client = await connect(url, TOKEN)

    const call = client.callTool('NO_SUCH_TOOL', {})

    await expect(call).rejects.toMatchObject({ code: -32602, message: expect.stringContaining('NO_SUCH_TOOL') })
    await client.close()
  })

  test('cannot connect with a wrong token', async () => {
    const { url, calls } = await start()

    const connecting = connect(url, 'pbi_wrong')

    await expect(connecting).rejects.toThrow()
    expect(calls).toEqual([])
  })

  test('cancelling a call cancels it in the core', async () => {
    const core = heldCall()
    const { url } = await start({ call: core.call })
    const client = await connect(url, TOKEN)
    const leaving = new AbortController()

    const call = client.callTool('MAIL_SEARCH', {}, leaving.signal)
    await core.reached
    leaving.abort()

    await expect(call).rejects.toThrow()
    await core.cancelled
    await client.close()
  })

  test('runs many calls side by side without mixing their answers', async () => {
    const { url } = await start()
    const client = await connect(url, TOKEN)
    const queries = Array.from({ length: 50 }, (_, i) => `query ${i}`)

    const results = await Promise.all(queries.map((query) => client.callTool('MAIL_SEARCH', { query })))

    expect(results.map(({ structured }) => structured)).toEqual(queries.map((query) => ({ echoed: { query } })))
    await client.close()
  })
})

test('two older clients of one instance that count their requests alike do not cancel each other', async () => {
  const cores = [heldCall(), heldCall()]
  const { url } = await start({ call: (call) => cores[Number(call.arguments['core'])]?.call(call) as Promise<unknown> })
  const [first, second] = [await SDK_CLIENTS[0].connect(url, TOKEN), await SDK_CLIENTS[0].connect(url, TOKEN)]
  const leaving = new AbortController()
  const calls = [
    first.callTool('MAIL_SEARCH', { core: 0 }, leaving.signal),
    second.callTool('MAIL_SEARCH', { core: 1 }),
  ]
  await Promise.all(cores.map(({ reached }) => reached))

  leaving.abort()
  await expect(calls[0]).rejects.toThrow()
  await cores[0]?.cancelled
  cores[1]?.finish('still here')

  await expect(calls[1]).resolves.toMatchObject({ isError: false, text: 'still here' })
  await Promise.all([first.close(), second.close()])
})

describe.each(['legacy', 'modern'] as const)('the MCP Inspector, %s', (era) => {
  test('lists tools whose schemas it finds portable', async () => {
    const { url } = await start()

    const run = await runInspector(url, TOKEN, ['--method', 'tools/list', '--strict'], era)

    expect(run).toMatchObject({ code: 0, result: { tools: NAMES.map((name) => ({ name })) } })
  })

  test('calls a tool', async () => {
    const { url, calls } = await start()
    const args = ['--method', 'tools/call', '--tool-name', 'MAIL_SEARCH', '--tool-arg', 'query=Grüße 你好']

    const run = await runInspector(url, TOKEN, args, era)

    expect(run).toMatchObject({ code: 0, result: { structuredContent: { echoed: { query: 'Grüße 你好' } } } })
    expect(calls).toHaveLength(1)
  })

  test('shows a missing connection as a tool error with its link', async () => {
    const { url } = await start()

    const run = await runInspector(url, TOKEN, ['--method', 'tools/call', '--tool-name', 'CHAT_POST'], era)

    expect(run.code).toBe(5)
    expect(JSON.stringify(run.result)).toContain(CONNECT_LINK)
  })

  test('says that it is not authorised when the token is wrong', async () => {
    const { url } = await start()

    const run = await runInspector(url, 'pbi_wrong', ['--method', 'tools/list'], era)

    expect(run.code).toBe(3)
  })
})

/** A call that waits until it is let go or cancelled. */
function heldCall() {
  const reached = Promise.withResolvers<void>()
  const cancelled = Promise.withResolvers<void>()
  const finished = Promise.withResolvers<unknown>()
  return {
    reached: reached.promise,
    cancelled: cancelled.promise,
    finish: finished.resolve,
    call: ({ signal }: ToolCall) => {
      signal.addEventListener('abort', () => {
        cancelled.resolve()
        finished.reject(signal.reason)
      })
      reached.resolve()
      return finished.promise
    },
  }
}
