import { createServer } from 'node:http'

/**
 * The other side of the benchmarks, as a process of its own: a service with one JSON endpoint, and a token endpoint
 * that rotates refresh tokens, takes `delayMs` for each, and ends a family whose old token comes back. Prints its port,
 * and on a line from standard input what it has counted.
 */
const delayMs = Number(process.argv[2] ?? 0)
const seen = { calls: 0, refreshes: 0, reused: 0, mostAtOnce: 0 }
const spent = new Set<string>()
let atOnce = 0

const ANSWER = JSON.stringify({
  id: 'item_1',
  name: 'A thing',
  tags: ['one', 'two', 'three'],
  owner: { id: 'u1', name: 'Ada' },
  note: 'x'.repeat(600),
})

const server = createServer((request, response) => {
  if (request.url === '/token') {
    let body = ''
    request.on('data', (chunk) => {
      body += chunk
    })
    request.on(
      'end',
      () => void token(new URLSearchParams(body)).then(([status, json]) => answer(status, JSON.stringify(json))),
    )
    return
  }
  request.resume()
  seen.calls++
  answer(200, request.url === '/me' ? '{"id":"ada"}' : ANSWER)

  function answer(status: number, text: string) {
    response
      .writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) })
      .end(text)
  }
})

async function token(form: URLSearchParams): Promise<[number, object]> {
  const given = form.get('refresh_token') ?? ''
  atOnce++
  seen.mostAtOnce = Math.max(seen.mostAtOnce, atOnce)
  await new Promise((resolve) => setTimeout(resolve, delayMs))
  atOnce--
  const [family = '', turn = '0'] = given.split('.')
  if (spent.has(given)) {
    seen.reused++
    return [400, { error: 'invalid_grant' }]
  }
  spent.add(given)
  seen.refreshes++
  const next = Number(turn) + 1
  return [
    200,
    {
      access_token: `access.${family}.${next}`,
      refresh_token: `${family}.${next}`,
      expires_in: 3600,
      token_type: 'bearer',
    },
  ]
}

server.keepAliveTimeout = 60_000
server.listen(0, '127.0.0.1', () => console.log((server.address() as { port: number }).port))
process.stdin.on('data', () => console.log(JSON.stringify(seen)))
process.stdin.on('end', () => process.exit(0))
