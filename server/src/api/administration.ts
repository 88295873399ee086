import type { OAuthApp } from '@patchbay/sdk/wire'
import { z } from 'zod'
import { PatchbayError } from '../core/errors.ts'
import type { Provider } from '../core/provider.ts'
import { callerOf } from './access.ts'
import type { Api, Surroundings } from './app-type.ts'
import { answers } from './openapi.ts'
import {
  apiKey,
  apiKeyCreated,
  id,
  label,
  oauthApp,
  pageOf,
  policyInput,
  project,
  projectCreated,
  role,
  slug,
  user,
  userId,
  webAddress,
} from './schemas.ts'
import { apiKeyForm, policyFrom, projectForm, timeForm } from './wire-form.ts'

/** A year: a key that should live longer has no end at all. */
const MAX_KEY_SECONDS = 366 * 24 * 3600

const gone = answers({ 204: z.undefined().describe('It is gone') })

export function administrationRoutes(app: Api, { gateway }: Surroundings): void {
  app.get(
    '/api/projects',
    {
      config: { role: 'admin' },
      schema: {
        tags: ['Administration'],
        operationId: 'listProjects',
        summary: 'Projects this administrator sees',
        response: answers({ 200: pageOf(project, 'Projects') }),
      },
    },
    async (request) => {
      const projects = await gateway.admin.projects(callerOf(request))
      return { items: projects.map(projectForm), next_cursor: null }
    },
  )

  app.post(
    '/api/projects',
    {
      config: { role: 'admin' },
      schema: {
        tags: ['Administration'],
        operationId: 'createProject',
        summary: 'Make a project with a data key and an admin key of its own',
        body: z.strictObject({ name: label }),
        response: answers({ 201: projectCreated }),
      },
    },
    async (request, reply) => {
      const created = await gateway.admin.createProject(callerOf(request), request.body.name, request.id)
      return reply.code(201).send({ ...projectForm(created.project), admin_key: created.adminKey })
    },
  )

  app.patch(
    '/api/projects/:id',
    {
      config: { role: 'admin' },
      schema: {
        tags: ['Administration'],
        operationId: 'updateProject',
        summary: 'Name a project, or say where browsers may be sent after connecting',
        params: z.strictObject({ id }),
        body: z
          .strictObject({
            name: label.optional(),
            redirect_urls: z.array(webAddress).max(100).optional().describe('Exact addresses, or ending in `/*`'),
          })
          .refine((body) => body.name !== undefined || body.redirect_urls !== undefined, {
            error: 'must say what to change: `name` or `redirect_urls`',
          }),
        response: answers({ 200: project }),
      },
    },
    async (request) => {
      const { name, redirect_urls: redirectUrls } = request.body
      const updated = await gateway.admin.updateProject(
        callerOf(request),
        request.params.id,
        { ...(name !== undefined && { name }), ...(redirectUrls && { redirectUrls }) },
        request.id,
      )
      return projectForm(updated)
    },
  )

  app.delete(
    '/api/projects/:id',
    {
      config: { role: 'admin' },
      schema: {
        tags: ['Administration'],
        operationId: 'deleteProject',
        summary: 'Delete a project, everything in it, and the key that opens its secrets',
        params: z.strictObject({ id }),
        response: gone,
      },
    },
    async (request, reply) => {
      await gateway.admin.removeProject(callerOf(request), request.params.id, request.id)
      return reply.code(204).send()
    },
  )

  app.get(
    '/api/api-keys',
    {
      config: { role: 'admin' },
      schema: {
        tags: ['Administration'],
        operationId: 'listApiKeys',
        summary: 'API keys of the project, without their secrets',
        response: answers({ 200: pageOf(apiKey, 'API keys') }),
      },
    },
    async (request) => {
      const keys = await gateway.admin.apiKeys(callerOf(request))
      return { items: keys.map(apiKeyForm), next_cursor: null }
    },
  )

  app.post(
    '/api/api-keys',
    {
      config: { role: 'app' },
      schema: {
        tags: ['Administration'],
        operationId: 'createApiKey',
        summary: 'Make an API key; a key of role `app` may make keys of role `user`',
        body: z
          .strictObject({
            name: label,
            role,
            user_id: userId.optional().describe('For role `user`: whom it acts for'),
            policy: policyInput.optional(),
            expires_in: z
              .int('must be a whole number of seconds')
              .min(60)
              .max(MAX_KEY_SECONDS)
              .optional()
              .describe('Seconds'),
          })
          .refine((body) => (body.role === 'user') === (body.user_id !== undefined), {
            path: ['user_id'],
            error: 'must be given for the role "user", and only for it',
          }),
        response: answers({ 201: apiKeyCreated }),
      },
    },
    async (request, reply) => {
      const caller = callerOf(request)
      const { body } = request
      if (caller.role !== 'admin' && body.role !== 'user') {
        throw new PatchbayError(
          'forbidden',
          'A key of role "app" makes keys of role "user" only. Use an admin key for others.',
        )
      }
      const policy = policyFrom(body.policy)
      const created = await gateway.admin.createApiKey(
        caller,
        {
          name: body.name,
          role: body.role,
          ...(body.user_id !== undefined && { userId: body.user_id }),
          ...(policy && { policy }),
          ...(body.expires_in !== undefined && { expiresInSeconds: body.expires_in }),
        },
        request.id,
      )
      return reply.code(201).send({ ...apiKeyForm(created.apiKey), secret: created.secret })
    },
  )

  app.delete(
    '/api/api-keys/:id',
    {
      config: { role: 'admin' },
      schema: {
        tags: ['Administration'],
        operationId: 'revokeApiKey',
        summary: 'Revoke an API key at once',
        params: z.strictObject({ id }),
        response: gone,
      },
    },
    async (request, reply) => {
      await gateway.admin.revokeApiKey(callerOf(request), request.params.id, request.id)
      return reply.code(204).send()
    },
  )

  app.get(
    '/api/oauth-apps',
    {
      config: { role: 'admin' },
      schema: {
        tags: ['Administration'],
        operationId: 'listOAuthApps',
        summary: 'Every provider with its OAuth app, or how to make one',
        response: answers({ 200: pageOf(oauthApp, 'Providers') }),
      },
    },
    async (request) => {
      const apps = await gateway.admin.oauthApps(callerOf(request))
      const items = gateway.catalogue.providers().map((provider) =>
        oauthAppForm(
          provider,
          apps.find((one) => one.providerId === provider.id),
        ),
      )
      return { items, next_cursor: null }
    },
  )

  app.put(
    '/api/oauth-apps/:provider',
    {
      config: { role: 'admin' },
      schema: {
        tags: ['Administration'],
        operationId: 'saveOAuthApp',
        summary: 'Store the client id and secret for a provider',
        params: z.strictObject({ provider: slug }),
        body: z.strictObject({
          client_id: z.string().trim().min(1).max(512),
          client_secret: z.string().trim().min(1).max(4096).optional().describe('Left out for a public client'),
        }),
        response: answers({ 200: oauthApp }),
      },
    },
    async (request) => {
      const provider = knownProvider(request.params.provider)
      const saved = await gateway.admin.saveOAuthApp(
        callerOf(request),
        {
          providerId: provider.id,
          clientId: request.body.client_id,
          ...(request.body.client_secret !== undefined && { clientSecret: request.body.client_secret }),
        },
        request.id,
      )
      return oauthAppForm(provider, { ...saved, source: 'stored' })
    },
  )

  app.delete(
    '/api/oauth-apps/:provider',
    {
      config: { role: 'admin' },
      schema: {
        tags: ['Administration'],
        operationId: 'deleteOAuthApp',
        summary: 'Forget the OAuth app of a provider',
        params: z.strictObject({ provider: slug }),
        response: gone,
      },
    },
    async (request, reply) => {
      await gateway.admin.removeOAuthApp(callerOf(request), knownProvider(request.params.provider).id, request.id)
      return reply.code(204).send()
    },
  )

  app.get(
    '/api/users',
    {
      config: { role: 'admin' },
      schema: {
        tags: ['Administration'],
        operationId: 'listUsers',
        summary: 'Users that have connections',
        response: answers({ 200: pageOf(user, 'Users') }),
      },
    },
    async (request) => {
      const users = await gateway.admin.users(callerOf(request))
      return { items: users.map((one) => ({ id: one })), next_cursor: null }
    },
  )

  function knownProvider(providerId: string): Provider {
    const provider = gateway.catalogue.provider(providerId)
    if (!provider) throw new PatchbayError('not_found', 'There is no such provider. `GET /api/oauth-apps` lists them.')
    return provider
  }

  function oauthAppForm(
    provider: Provider,
    stored: { clientId: string; source: 'stored' | 'environment'; updatedAt: number } | undefined,
  ): OAuthApp {
    return {
      provider: provider.id,
      provider_name: provider.name,
      client_id: stored?.clientId ?? null,
      source: stored?.source ?? null,
      redirect_uri: gateway.admin.redirectUri(provider.id),
      setup: { url: provider.setup.url, steps: [...provider.setup.steps] },
      connectors: gateway.catalogue
        .connectors()
        .filter((connector) => connector.provider.id === provider.id)
        .map((connector) => connector.id),
      updated_at: stored?.source === 'stored' ? timeForm(stored.updatedAt) : null,
    }
  }
}
