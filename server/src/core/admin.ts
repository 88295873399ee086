import type { Caller } from './caller.ts'
import { redirectUriOf } from './connect.ts'
import { PatchbayError } from './errors.ts'
import { by, type EventInput, type EventLog } from './event-log.ts'
import type { Admin, Catalogue } from './gateway.ts'
import type { ClientCredentials } from './oauth.ts'
import { ENVIRONMENT_APP, type OAuthAppsOf } from './oauth-apps.ts'
import { assertUser, narrowed } from './policy.ts'
import { redirectEntryMistake } from './redirects.ts'
import { newId, newSecret, secretHash } from './secrets.ts'
import type { ApiKey, OAuthApp, Project, Storage } from './storage.ts'
import type { Vault } from './vault.ts'

/** A `user` key is for a browser: it lives this long unless asked otherwise, and a day at most. */
const USER_KEY_SECONDS = 3600
const MAX_USER_KEY_SECONDS = 24 * 3600
/** The project a first start makes; its administrators run the gateway itself. */
export const DEFAULT_PROJECT = 'default'

export interface AdminOptions {
  storage: Storage
  vault: Vault
  catalogue: Catalogue
  oauthApps: OAuthAppsOf
  environmentApps: Readonly<Record<string, ClientCredentials>>
  events: EventLog
  publicUrl: string
  now: () => number
}

export function createAdmin(options: AdminOptions): Admin {
  const { storage, events, now, catalogue } = options

  const told = (caller: Caller, requestId: string, about: Omit<EventInput, 'projectId' | 'actor' | 'requestId'>) =>
    events.event({ ...by(caller, requestId), ...about })

  async function ownProject(caller: Caller): Promise<Project> {
    const project = await storage.projects.get(caller.projectId)
    if (!project) throw new PatchbayError('not_found', 'The project was deleted.')
    return project
  }

  function provider(id: string) {
    const found = catalogue.provider(id)
    if (found) return found
    const names = catalogue.providers().map((one) => one.id)
    throw new PatchbayError('not_found', `There is no provider "${id}". Known: ${names.join(', ')}.`)
  }

  return {
    async project(caller) {
      return ownProject(caller)
    },

    async projects(caller) {
      assertAdmin(caller)
      return runsGateway(caller) ? storage.projects.list() : [await ownProject(caller)]
    },

    async createProject(caller, name, requestId) {
      assertAdmin(caller)
      if (!runsGateway(caller))
        throw new PatchbayError('forbidden', `Only an admin key of the project "${DEFAULT_PROJECT}" can make projects.`)
      const project: Project = { id: newId('proj_'), name, redirectUrls: [], createdAt: now() }
      const { apiKey, secret } = newApiKey({ projectId: project.id, name: 'First admin key', role: 'admin' }, now())
      await storage.projects.create(project)
      await options.vault.addDataKey(project.id)
      await storage.apiKeys.create(apiKey)
      await events.write([
        told(caller, requestId, { type: 'project.created', details: { project_id: project.id, name } }),
      ])
      return { project, adminKey: secret }
    },

    async updateProject(caller, id, changes, requestId) {
      assertAdmin(caller)
      assertOwn(caller, id)
      for (const entry of changes.redirectUrls ?? []) {
        const mistake = redirectEntryMistake(entry)
        if (mistake) throw new PatchbayError('invalid_input', `"redirect_urls": ${JSON.stringify(entry)} ${mistake}.`)
      }
      const project = await storage.projects.update(id, changes)
      if (!project) throw new PatchbayError('not_found', `There is no project "${id}".`)
      await events.write([
        told(caller, requestId, { type: 'project.updated', details: { project_id: id, ...changes } }),
      ])
      return project
    },

    async removeProject(caller, id, requestId) {
      assertAdmin(caller)
      assertOwn(caller, id)
      if (id === DEFAULT_PROJECT)
        throw new PatchbayError('conflict', `The project "${DEFAULT_PROJECT}" runs the gateway and cannot be deleted.`)
      if (!(await storage.projects.remove(id))) throw new PatchbayError('not_found', `There is no project "${id}".`)
      // In the log of the project that runs the gateway, for the deleted one's log is gone with it.
      const event = told(caller, requestId, { type: 'project.deleted', details: { project_id: id } })
      await events.write([{ ...event, projectId: DEFAULT_PROJECT }])
    },

    async apiKeys(caller) {
      assertAdmin(caller)
      return storage.apiKeys.list(caller.projectId)
    },

    async createApiKey(caller, request, requestId) {
      if (caller.role === 'user') throw new PatchbayError('forbidden', 'A key for one user cannot make keys.')
      if (caller.role === 'app' && request.role !== 'user')
        throw new PatchbayError('forbidden', 'An app key can make keys of the role "user" only.')
      if (request.role === 'user' && !request.userId)
        throw new PatchbayError('invalid_input', '"user_id" is required: a key of the role "user" acts for one user.')
      if (request.role !== 'user' && request.userId)
        throw new PatchbayError(
          'invalid_input',
          '"user_id" goes with the role "user" only; limit other keys by "policy.users".',
        )
      if (request.userId) assertUser(caller, request.userId)
      if (request.role === 'user' && (request.expiresInSeconds ?? 0) > MAX_USER_KEY_SECONDS) {
        throw new PatchbayError(
          'invalid_input',
          `"expires_in_seconds" may be at most ${MAX_USER_KEY_SECONDS} for a key of the role "user".`,
        )
      }
      const seconds = request.expiresInSeconds ?? (request.role === 'user' ? USER_KEY_SECONDS : undefined)
      const { apiKey, secret } = newApiKey(
        {
          projectId: caller.projectId,
          name: request.name,
          role: request.role,
          userId: request.userId ?? null,
          policy: narrowed(caller.policy, request.policy ?? {}),
          expiresAt: seconds === undefined ? null : now() + seconds * 1000,
        },
        now(),
      )
      await storage.apiKeys.create(apiKey)
      await events.write([
        told(caller, requestId, {
          type: 'api_key.created',
          userId: apiKey.userId,
          details: { api_key_id: apiKey.id, name: apiKey.name, role: apiKey.role },
        }),
      ])
      return { apiKey, secret }
    },

    async revokeApiKey(caller, id, requestId) {
      assertAdmin(caller)
      const keys = await storage.apiKeys.list(caller.projectId)
      const key = keys.find((one) => one.id === id)
      if (!key) throw new PatchbayError('not_found', `There is no API key "${id}".`)
      const admins = keys.filter(
        (one) => one.role === 'admin' && one.revokedAt === null && (one.expiresAt ?? Number.POSITIVE_INFINITY) > now(),
      )
      if (key.role === 'admin' && admins.length === 1 && admins[0]?.id === id) {
        throw new PatchbayError(
          'conflict',
          'This is the last admin key; revoking it would lock everybody out. Make another one first.',
        )
      }
      await storage.apiKeys.revoke(caller.projectId, id, now())
      await events.write([
        told(caller, requestId, { type: 'api_key.revoked', details: { api_key_id: id, name: key.name } }),
      ])
    },

    async oauthApps(caller) {
      assertAdmin(caller)
      const stored = (await storage.oauthApps.list(caller.projectId)).map((app) => ({
        ...withoutSecret(app),
        source: 'stored' as const,
      }))
      const fromEnvironment = Object.entries(options.environmentApps)
        .filter(
          ([providerId]) => catalogue.provider(providerId) && !stored.some((app) => app.providerId === providerId),
        )
        .map(([providerId, { clientId }]) => ({
          id: ENVIRONMENT_APP,
          projectId: caller.projectId,
          providerId,
          clientId,
          createdAt: 0,
          updatedAt: 0,
          source: 'environment' as const,
        }))
      return [...stored, ...fromEnvironment]
    },

    async saveOAuthApp(caller, request, requestId) {
      assertAdmin(caller)
      const { id: providerId } = provider(request.providerId)
      const before = await storage.oauthApps.get(caller.projectId, providerId)
      // A form that leaves the secret empty keeps the one stored for the same client.
      const kept = before?.clientId === request.clientId ? before.clientSecret : null
      const saved = async (id: string) =>
        storage.oauthApps.save({
          id,
          projectId: caller.projectId,
          providerId,
          clientId: request.clientId,
          clientSecret: request.clientSecret
            ? await options.vault.seal(
                caller.projectId,
                { table: 'oauth_app', row: id, column: 'client_secret' },
                request.clientSecret,
              )
            : kept,
          createdAt: before?.createdAt ?? now(),
          updatedAt: now(),
        })
      const id = before?.id ?? newId('app_')
      let app = await saved(id)
      // Somebody saved one at the same moment and the row kept its id: the secret only opens when sealed for that row.
      if (app.id !== id) app = await saved(app.id)
      await events.write([
        told(caller, requestId, {
          type: 'oauth_app.saved',
          details: { provider: providerId, client_id: request.clientId },
        }),
      ])
      return withoutSecret(app)
    },

    async removeOAuthApp(caller, providerId, requestId) {
      assertAdmin(caller)
      if (!(await storage.oauthApps.remove(caller.projectId, providerId))) {
        throw new PatchbayError('not_found', `No OAuth app for "${providerId}" is stored in this project.`)
      }
      await events.write([told(caller, requestId, { type: 'oauth_app.deleted', details: { provider: providerId } })])
    },

    redirectUri: (providerId) => redirectUriOf(options.publicUrl, providerId),
    configured: options.oauthApps.configured,

    async connections(caller, page) {
      assertAdmin(caller)
      if (page.userId !== undefined) assertUser(caller, page.userId)
      else if (caller.policy.users) {
        throw new PatchbayError(
          'invalid_input',
          '`user_id` is missing: this key is limited to some users and cannot list everyone’s connections.',
        )
      }
      return storage.connections.listProject(caller.projectId, page)
    },

    async users(caller) {
      if (caller.role === 'user') throw new PatchbayError('forbidden', 'A key for one user cannot list users.')
      const users = await storage.connections.listUsers(caller.projectId, 1000)
      return users.filter((user) => !caller.policy.users || caller.policy.users.includes(user))
    },
  }
}

/** A key and its secret, which is shown once and stored as a hash. */
export function newApiKey(
  key: Pick<ApiKey, 'projectId' | 'name' | 'role'> & Partial<Pick<ApiKey, 'userId' | 'policy' | 'expiresAt'>>,
  at: number,
  given?: string,
): { apiKey: ApiKey; secret: string } {
  const secret = given ?? newSecret(`pb_${key.role}_`)
  return {
    secret,
    apiKey: {
      id: newId('key_'),
      userId: null,
      policy: {},
      expiresAt: null,
      ...key,
      hash: secretHash(secret),
      prefix: secret.slice(0, 14),
      createdAt: at,
      lastUsedAt: null,
      revokedAt: null,
    },
  }
}

function withoutSecret(app: OAuthApp): Omit<OAuthApp, 'clientSecret'> {
  const { clientSecret: _, ...rest } = app
  return rest
}

function assertAdmin(caller: Caller): void {
  if (caller.role !== 'admin') throw new PatchbayError('forbidden', 'This needs an admin key.')
}

function runsGateway(caller: Caller): boolean {
  return caller.projectId === DEFAULT_PROJECT
}

/** Another project does not exist for an administrator who does not run the gateway. */
function assertOwn(caller: Caller, projectId: string): void {
  if (caller.projectId !== projectId && !runsGateway(caller))
    throw new PatchbayError('not_found', `There is no project "${projectId}".`)
}
