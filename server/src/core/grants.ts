import type { Account, Connection, Credential, Token } from './connection.ts'
import type { Connector } from './connector.ts'
import type { Credentials } from './credentials.ts'
import { PatchbayError } from './errors.ts'
import type { Event } from './events.ts'
import type { Http } from './http.ts'
import type { Grant } from './oauth.ts'
import { schedule } from './refresh.ts'
import type { ServiceFor } from './service.ts'
import type { Storage } from './storage.ts'
import { cleanText } from './untrusted.ts'
import type { Vault } from './vault.ts'

const IDENTITY_TIMEOUT_MS = 20_000

/** A grant just received, by consent or brought along: whose it is, and how it becomes a connection. */
export interface Grants {
  /** Asks the provider, or the service, who granted. Throws PatchbayError when neither will say. */
  accountOf(connector: Connector, draft: Connection, grant: Grant): Promise<Account>
  /** Another connection of the same user and connector that already holds this account. */
  sameAccount(draft: Connection, account: Account): Promise<Connection | undefined>
  /** Seals and stores the grant over whatever the connection held, with its events. */
  store(
    target: Connection,
    grant: Grant,
    about: { account: Account; label: string | undefined; oauthAppId: string | null },
    told: readonly Event[],
  ): Promise<Connection>
}

export function createGrants(options: {
  storage: Pick<Storage, 'connections'>
  vault: Vault
  /** An authorised service for a token that is not stored yet, to ask whose it is. */
  serviceFor: ServiceFor
  http: Http
  now: () => number
}): Grants {
  const { storage, vault, now } = options
  return { accountOf, sameAccount, store }

  async function accountOf(connector: Connector, draft: Connection, grant: Grant): Promise<Account> {
    const named = connector.provider.identity && (await identityOf(connector, grant))
    if (named) return readable(named)
    const [firstTool] = Object.values(connector.tools)
    const service = options.serviceFor({
      connector,
      connection: { ...draft, scopes: grant.scopes },
      tool: { ...(firstTool as NonNullable<typeof firstTool>), effect: 'read', tokens: Object.keys(grant.tokens) },
      signal: AbortSignal.timeout(IDENTITY_TIMEOUT_MS),
      credentials: unstoredCredentials(connector, grant),
    })
    return readable(await connector.account(service, grant.captured))
  }

  /** Who granted, by the provider's own word; undefined when it will not say for this token. */
  async function identityOf(connector: Connector, grant: Grant): Promise<Account | undefined> {
    const { identity, name } = connector.provider
    const token = grant.tokens['default'] ?? Object.values(grant.tokens)[0]
    if (!identity || !token) return undefined
    const response = await options.http({
      method: 'GET',
      url: identity.url,
      headers: { accept: 'application/json', authorization: `Bearer ${token.accessToken}` },
      timeoutMs: IDENTITY_TIMEOUT_MS,
      maxBytes: 256 * 1024,
    })
    if (response.status === 401 || response.status === 403) return undefined
    try {
      if (response.status === 200) return identity.account(JSON.parse(response.body.toString('utf8')))
    } catch {
      // Falls through: an answer that is not what the provider documents.
    }
    throw new PatchbayError(
      'provider_unavailable',
      `${name} did not say whose account this is (HTTP ${response.status}).`,
      {
        providerStatus: response.status,
      },
    )
  }

  async function sameAccount(draft: Connection, account: Account): Promise<Connection | undefined> {
    const siblings = await storage.connections.list(draft.projectId, draft.userId, { connectorId: draft.connectorId })
    return siblings.find((one) => one.id !== draft.id && one.account?.id === account.id)
  }

  async function store(
    target: Connection,
    grant: Grant,
    { account, label, oauthAppId }: { account: Account; label: string | undefined; oauthAppId: string | null },
    told: readonly Event[],
  ): Promise<Connection> {
    const place = { table: 'connection', row: target.id, column: 'credential' } as const
    const credential = await vault.seal(
      target.projectId,
      place,
      JSON.stringify({ tokens: grant.tokens } satisfies Credential),
    )
    const ownLabel = target.account === null ? account.label : target.label
    const stored = await storage.connections.authorise(
      target.projectId,
      target.userId,
      target.id,
      {
        label: label ?? ownLabel,
        account,
        settings: target.settings,
        captured: grant.captured,
        scopes: grant.scopes,
        credential,
        ...schedule(grant.tokens, now()),
        oauthAppId,
      },
      told,
    )
    if (!stored) throw new PatchbayError('not_found', 'The connection was deleted while its user was connecting it.')
    return stored
  }
}

/** Names people gave themselves end up in lists and in what models are told: one line each, nothing hidden in them. */
function readable(account: Account): Account {
  const line = (text: string) =>
    cleanText(text.replace(/\p{Cc}+/gu, ' '))
      .trim()
      .slice(0, 200)
  return {
    ...account,
    label: line(account.label) || account.id,
    ...(account.email && { email: line(account.email) }),
    ...(account.organisation && { organisation: line(account.organisation) }),
  }
}

/** The token just granted, for the one question whose it is. */
function unstoredCredentials(connector: Connector, grant: Grant): Credentials {
  const token = (names: readonly string[]) => {
    const name = names.find((one) => grant.tokens[one]) ?? (Object.keys(grant.tokens)[0] as string)
    return { accessToken: (grant.tokens[name] as Token).accessToken, name, generation: 0 }
  }
  const refused = () =>
    new PatchbayError('oauth_failed', `${connector.name} does not accept the access it has just granted.`)
  return {
    use: async (_connection, names) => token(names),
    renew: async () => {
      throw refused()
    },
    refuse: async () => {},
    refresh: async () => {
      throw refused()
    },
    refreshIfFree: async () => 'busy',
    settled: async () => {},
  }
}
