import type { ClientCredentials } from './oauth.ts'
import type { OAuthApp, Storage } from './storage.ts'
import type { Vault } from './vault.ts'

/** Id of the OAuth app that comes from the environment instead of the database. */
export const ENVIRONMENT_APP = 'environment'

export interface OAuthAppsOf {
  /** The app new connections of a project use: the stored one, else the environment's. Opened for the moment of use. */
  forProject(projectId: string, providerId: string): Promise<(ClientCredentials & { appId: string }) | undefined>
  /**
   * The app a connection was made with. When it was replaced under the same provider the present one answers; a
   * grant of another client then fails at the provider and says so.
   */
  forConnection(projectId: string, providerId: string, appId: string | null): Promise<ClientCredentials | undefined>
  configured(projectId: string, providerId: string): Promise<boolean>
}

/** Environment apps apply to every project; a project's own app goes first. */
export function createOAuthApps(options: {
  storage: Pick<Storage, 'oauthApps' | 'onChange'>
  vault: Vault
  environment: Readonly<Record<string, ClientCredentials>>
}): OAuthAppsOf {
  const cache = new Map<string, Promise<OAuthApp | undefined>>()
  options.storage.onChange((change) => {
    if (change.kind === 'oauth_app' || change.kind === 'project' || change.kind === 'everything') cache.clear()
  })

  function stored(projectId: string, providerId: string): Promise<OAuthApp | undefined> {
    const key = `${projectId}/${providerId}`
    let row = cache.get(key)
    if (!row) {
      if (cache.size > 10_000) cache.clear()
      row = options.storage.oauthApps.get(projectId, providerId)
      row.catch(() => cache.delete(key))
      cache.set(key, row)
    }
    return row
  }

  async function forProject(projectId: string, providerId: string) {
    const app = await stored(projectId, providerId)
    if (!app) {
      const fromEnvironment = options.environment[providerId]
      return fromEnvironment && { ...fromEnvironment, appId: ENVIRONMENT_APP }
    }
    if (!app.clientSecret) return { clientId: app.clientId, appId: app.id }
    const place = { table: 'oauth_app', row: app.id, column: 'client_secret' } as const
    const clientSecret = await options.vault.open(projectId, place, app.clientSecret)
    return { clientId: app.clientId, clientSecret, appId: app.id }
  }

  return {
    forProject,
    async forConnection(projectId, providerId, appId) {
      const fromEnvironment = options.environment[providerId]
      if (appId === ENVIRONMENT_APP && fromEnvironment) return fromEnvironment
      return forProject(projectId, providerId)
    },
    configured: async (projectId, providerId) =>
      Boolean((await stored(projectId, providerId)) ?? options.environment[providerId]),
  }
}
