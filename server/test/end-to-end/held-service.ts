import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A GitHub where the token `ghu_ada` is Ada's, that can be made to think: a fault no published emulator can be given. */
export interface HeldService {
  url: string
  /** Tokens it was called with, in order. */
  tokens: string[]
  /** From now on calls wait; resolves with the first that does, which ends when it is let go. */
  hold(): Promise<{ letGo(): void }>
  /** From now on fails every call with this status, and repeats in its answer the header and body it was sent. */
  failAndRepeat(status: number): void
  stop(): Promise<void>
}

export async function startHeldService(): Promise<HeldService> {
  const tokens: string[] = []
  let waiting: ((held: { letGo(): void }) => void) | undefined
  let failing: number | undefined
  const answer = (response: ServerResponse, authorization: string, body: string) => {
    const [, login = 'somebody'] = /^Bearer ghu_(.*)/.exec(authorization) ?? []
    const account = { id: login, login, email: `${login}@accounts.example`, public_repos: 0, followers: 0 }
    const said = `Cannot take ${authorization} with ${body}`
    const failure = { message: said, error: 'failed', error_description: said }
    response.writeHead(failing ?? 200, { 'content-type': 'application/json' })
    response.end(JSON.stringify(failing === undefined ? account : failure))
  }
  const server = createServer(async (request, response) => {
    const authorization = request.headers.authorization ?? ''
    tokens.push(authorization.replace(/^Bearer /, ''))
    let body = ''
    for await (const chunk of request) body += chunk
    const told = waiting
    waiting = undefined
    if (told) told({ letGo: () => answer(response, authorization, body) })
    else answer(response, authorization, body)
  })
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    tokens,
    hold: () => new Promise((resolve) => (waiting = resolve)),
    failAndRepeat(status) {
      failing = status
    },
    async stop() {
      server.closeAllConnections()
      await new Promise((done) => server.close(done))
    },
  }
}
