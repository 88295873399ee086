import type { Connection } from '../src/core/connection.ts'
import type { Connector } from '../src/core/connector.ts'
import { PatchbayError } from '../src/core/errors.ts'
import type { CallbackOutcome, Gateway, OpenLink } from '../src/core/gateway.ts'

/** The part of a gateway that the pages use, with what it was asked, for the tests of this folder. */
export function standInFlow() {
  const asked: Record<string, unknown>[] = []
  const state: { outcome: CallbackOutcome; link: OpenLink; refusal: PatchbayError | undefined } = {
    outcome: { status: 'connected', connectorId: 'gmail', connectorName: 'Gmail', connectionId: 'conn_1' },
    link: {
      userId: 'ann',
      projectName: 'Acme',
      expiresAt: Date.parse('2026-11-20T12:10:00Z'),
      connectors: [{ connector: connector('gmail', 'Gmail'), configured: true }],
    },
    refusal: undefined,
  }
  const gateway = {
    connect: {
      async open(token: string, secret: string) {
        asked.push({ open: token, secret })
        if (token !== 'good') throw new PatchbayError('not_found', 'This address was used already or has expired.')
        return 'https://accounts.example/authorize?state=abc'
      },
      async callback(request: { providerId: string; query: URLSearchParams; browserSecret: string | undefined }) {
        asked.push({ ...request, query: request.query.toString() })
        return state.outcome
      },
    },
    connectLinks: {
      async open(token: string, secret: string) {
        asked.push({ openLink: token, secret })
        if (token !== 'cl_good')
          throw new PatchbayError('not_found', 'This connect link was used already. Ask for a new one.')
        return state.link
      },
      async start(token: string, secret: string, request: unknown) {
        asked.push({ start: token, secret, request })
        if (state.refusal) throw state.refusal
        return { authUrl: 'http://gateway.test/connect/start/next', connectionId: 'conn_1', expiresAt: 0 }
      },
    },
  } as unknown as Gateway
  return { gateway, asked, state }
}

export function connector(id: string, name: string, more: Partial<Connector> = {}): Connector {
  return {
    id,
    kind: 'api',
    name,
    description: `Read and send ${name} messages.`,
    category: 'email',
    provider: {
      id: 'google',
      name: 'Google',
      issuer: null,
      authorizeUrl: 'https://accounts.example/authorize',
      tokenUrl: 'https://accounts.example/token',
      clientAuth: 'post',
      pkce: 'S256',
      refresh: { rotates: false, graceSeconds: 0 },
      setup: { url: 'https://console.example', steps: [] },
    },
    api: 'https://api.example',
    scopes: {
      read: { description: 'Read messages and their attachments', effect: 'read' },
      send: { description: 'Send messages in your name', effect: 'write' },
      email: { description: 'See which account this is', effect: 'read' },
    },
    identityScopes: ['email'],
    account: async () => ({ id: '1', label: '1' }),
    tools: {
      READ: {
        title: 'Read',
        description: 'Reads.',
        effect: 'read',
        scopes: ['read'],
        input: undefined as never,
        run: 'GET /m',
      },
      SEND: {
        title: 'Send',
        description: 'Sends.',
        effect: 'write',
        scopes: ['send'],
        input: undefined as never,
        run: 'POST /m',
      },
    },
    ...more,
  }
}

export function connection(status: Connection['status'], label: string): Connection {
  return {
    id: 'conn_1',
    status,
    label,
    account: { id: '1', label },
    statusReason:
      status === 'active'
        ? null
        : { code: 'revoked', message: 'Google ended the access.', fix: 'Connect it again.', at: 0 },
  } as unknown as Connection
}
