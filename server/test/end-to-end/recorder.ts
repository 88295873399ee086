import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

/** One request that went through, and its answer. */
export interface Exchange {
  method: string
  /** With the query. */
  path: string
  authorization: string | undefined
  sent: string
  status: number
  answered: string
}

/** Stands between the gateway and a service and writes down what passes, so that a test knows what the gateway was given. */
export interface Recorder {
  url: string
  exchanges: Exchange[]
  /** Every value of a member of this name in JSON answers: `issued('refresh_token')`. */
  issued(member: string): string[]
  stop(): Promise<void>
}

export async function startRecorder(target: string): Promise<Recorder> {
  const exchanges: Exchange[] = []
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    const body = Buffer.concat(chunks)
    const {
      host: _host,
      connection: _connection,
      'content-length': _length,
      'accept-encoding': _encoding,
      ...headers
    } = request.headers
    const answer = await fetch(target + request.url, {
      method: request.method ?? 'GET',
      headers: headers as Record<string, string>,
      redirect: 'manual',
      ...(body.length > 0 && { body }),
    })
    const bytes = Buffer.from(await answer.arrayBuffer())
    exchanges.push({
      method: request.method ?? '',
      path: request.url ?? '',
      authorization: request.headers.authorization,
      sent: body.toString(),
      status: answer.status,
      answered: bytes.toString(),
    })
    for (const [name, value] of answer.headers) {
      if (!['content-encoding', 'content-length', 'transfer-encoding', 'connection', 'set-cookie'].includes(name))
        response.setHeader(name, value)
    }
    const cookies = answer.headers.getSetCookie()
    if (cookies.length > 0) response.setHeader('set-cookie', cookies)
    response.writeHead(answer.status).end(bytes)
  })
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    exchanges,
    issued: (member) =>
      exchanges.flatMap(({ answered }) =>
        [...answered.matchAll(new RegExp(`"${member}":\\s*"([^"]+)"`, 'g'))].map(([, value = '']) => value),
      ),
    async stop() {
      server.closeAllConnections()
      await new Promise((done) => server.close(done))
    },
  }
}
