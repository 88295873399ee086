import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A GitHub where the token `ghu_ada` is Ada's, that can be made to think: a fault no published emulator can be given. */
export interface HeldService {
  url: string
  /** Tokens it was called with, in order. */
  tokens: string[]
  /** From now on calls wait; resolves with the first that does, which ends when it is let go. */
  hold(): Promise<{ letGo(): void }>
  /** Answers every call with this status and body until told otherwise. */
  fail(status: number, body: string): void
  stop(): Promise<void>
}

export async function startHeldService(): Promise<HeldService> {
  const tokens: string[] = []
  let waiting: ((held: { letGo(): void }) => void) | undefined
  let failing: { status: number; body: string } | undefined
  const answer = (response: ServerResponse, token: string) => {
    const login = token.replace(/^ghu_/, '')
    const account = { id: login, login, email: `${login}@accounts.example`, public_repos: 0, followers: 0 }
    const { status, body } = failing ?? { status: 200, body: JSON.stringify(account) }
    response.writeHead(status, { 'content-type': 'application/json' }).end(body)
  }
  const server = createServer((request, response) => {
    const token = request.headers.authorization?.replace(/^Bearer /, '') ?? ''
    tokens.push(token)
    const told = waiting
    waiting = undefined
    if (told) told({ letGo: () => answer(response, token) })
    else answer(response, token)
  })
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    tokens,
    hold: () => new Promise((resolve) => (waiting = resolve)),
    fail(status, body) {
      failing = { status, body }
    },
    async stop() {
      server.closeAllConnections()
      await new Promise((done) => server.close(done))
    },
  }
}
