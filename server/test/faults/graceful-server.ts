import { randomBytes } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Provider } from '../../src/core/provider.ts'

/**
 * A token endpoint that rotates, takes the refresh token before for a while longer, and ends the family when one is
 * presented later than that. The certified server of the strict tests knows no such window.
 */
export interface GracefulServer {
  provider: Provider
  /** A family of its own: its first pair. */
  grant(): { accessToken: string; refreshToken: string }
  accepts(accessToken: string): boolean
  stop(): Promise<void>
}

export async function startGracefulServer(options: {
  graceMs: number
  /** Asked before each call; `drop` breaks the connection before the server acts. */
  onToken?: (refreshToken: string) => Promise<'drop' | undefined>
}): Promise<GracefulServer> {
  interface Family {
    ended: boolean
  }
  const refreshTokens = new Map<string, { family: Family; spentAt?: number }>()
  const accessTokens = new Map<string, Family>()

  function pair(family: Family) {
    const [accessToken, refreshToken] = [
      `at_${randomBytes(16).toString('hex')}`,
      `rt_${randomBytes(16).toString('hex')}`,
    ]
    accessTokens.set(accessToken, family)
    refreshTokens.set(refreshToken, { family })
    return { accessToken, refreshToken }
  }

  const http = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const refreshToken = new URLSearchParams(Buffer.concat(chunks).toString()).get('refresh_token') ?? ''
    if ((await options.onToken?.(refreshToken)) === 'drop') return void request.socket.destroy()
    const held = refreshTokens.get(refreshToken)
    if (held?.spentAt !== undefined && Date.now() - held.spentAt > options.graceMs) held.family.ended = true
    if (!held || held.family.ended) {
      response.writeHead(400, { 'content-type': 'application/json' }).end('{"error":"invalid_grant"}')
      return
    }
    held.spentAt ??= Date.now()
    const fresh = pair(held.family)
    response.writeHead(200, { 'content-type': 'application/json' }).end(
      JSON.stringify({
        access_token: fresh.accessToken,
        refresh_token: fresh.refreshToken,
        token_type: 'Bearer',
        expires_in: 3600,
        scope: 'read',
      }),
    )
  })
  await new Promise<void>((ready) => http.listen(0, '127.0.0.1', ready))
  const url = `http://127.0.0.1:${(http.address() as AddressInfo).port}`

  return {
    provider: {
      id: 'graceful',
      name: 'Graceful',
      issuer: null,
      authorizeUrl: `${url}/authorize`,
      tokenUrl: `${url}/token`,
      clientAuth: 'post',
      pkce: 'S256',
      refresh: { rotates: true, graceSeconds: options.graceMs / 1000 },
      setup: { url, steps: ['It is set up.'] },
    },
    grant: () => pair({ ended: false }),
    accepts: (accessToken) => accessTokens.get(accessToken)?.ended === false,
    async stop() {
      http.closeAllConnections()
      await new Promise((done) => http.close(done))
    },
  }
}
