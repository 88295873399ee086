import type { ConnectReply } from '@patchbay/sdk/wire'
import { z } from 'zod'
import { PatchbayError } from '../core/errors.ts'
import type { ConnectStarted } from '../core/gateway.ts'
import { callerOf, subjectOf } from './access.ts'
import type { Api, Surroundings } from './app-type.ts'
import { answers } from './openapi.ts'
import {
  connection,
  connectLink,
  connectReply,
  connectRequest,
  id,
  label,
  slug,
  toolName,
  userId,
  webAddress,
} from './schemas.ts'
import { connectionForm, timeForm } from './wire-form.ts'

/** A token a service issued; its form is the service's own affair. */
const secret = z.string().min(1).max(16_384)
const token = z.strictObject({
  access_token: secret,
  refresh_token: secret.optional(),
  expires_at: z.iso.datetime({ offset: true, error: 'must be a time such as "2026-01-31T12:00:00Z"' }).optional(),
})

export function connectRoutes(app: Api, { gateway }: Surroundings): void {
  app.post(
    '/api/integrations/connect',
    {
      config: { role: 'user' },
      schema: {
        tags: ['Connect'],
        operationId: 'connect',
        summary: 'Start connecting a user’s account',
        description:
          'Send the user’s browser to `auth_url`. Without `tools` or `scopes` it asks for what reading needs.',
        body: connectRequest,
        response: answers({ 200: connectReply }),
      },
    },
    async (request) => {
      const caller = callerOf(request)
      const { body } = request
      const started = await gateway.connect.start(
        caller,
        {
          userId: subjectOf(caller, body.user_id),
          connectorId: body.provider,
          redirectUrl: body.redirect_url,
          openerOrigin: body.opener_origin,
          settings: body.settings,
          tools: body.tools,
          scopes: body.scopes,
          connectionId: body.connection_id,
          allowOtherAccount: body.allow_other_account,
          label: body.label,
        },
        request.id,
      )
      return startedForm(started)
    },
  )

  app.get(
    '/oauth/authorize/:provider',
    {
      // Starting a flow from a link on someone else's page would connect the visitor's account to their user.
      config: { role: 'user', changesState: true },
      schema: {
        tags: ['Connect'],
        operationId: 'authorize',
        summary: 'Start connecting and redirect to the address to open',
        description: 'The same as `connect`, for callers that follow redirects.',
        params: z.strictObject({ provider: slug }),
        querystring: z.strictObject({ user_id: userId.optional(), redirect_url: webAddress.optional() }),
        response: answers({ 302: z.undefined().describe('To the address the browser must open') }),
      },
    },
    async (request, reply) => {
      const caller = callerOf(request)
      const started = await gateway.connect.start(
        caller,
        {
          userId: subjectOf(caller, request.query.user_id),
          connectorId: request.params.provider,
          redirectUrl: request.query.redirect_url,
        },
        request.id,
      )
      return reply.redirect(started.authUrl, 302)
    },
  )

  app.post(
    '/api/connect-links',
    {
      config: { role: 'user' },
      schema: {
        tags: ['Connect'],
        operationId: 'createConnectLink',
        summary: 'Make a hosted connect page for one user',
        description:
          'For teams without a page of their own. The link opens in one browser and ends with its first connection.',
        body: z.strictObject({
          user_id: userId.optional(),
          connectors: z.array(slug).max(100).optional().describe('What the page offers; absent for all'),
          tools: z
            .array(z.union([toolName, z.literal('*')]))
            .max(500)
            .optional(),
          redirect_url: webAddress.optional(),
          connection_id: id.optional().describe('Makes it a reconnect link'),
        }),
        response: answers({ 201: connectLink }),
      },
    },
    async (request, reply) => {
      const caller = callerOf(request)
      const { body } = request
      const link = await gateway.connectLinks.create(
        caller,
        {
          userId: subjectOf(caller, body.user_id),
          ...(body.connectors && { connectors: body.connectors }),
          ...(body.tools && { tools: body.tools }),
          ...(body.redirect_url !== undefined && { redirectUrl: body.redirect_url }),
          ...(body.connection_id !== undefined && { connectionId: body.connection_id }),
        },
        request.id,
      )
      return reply.code(201).send({ id: link.id, url: link.url, expires_at: timeForm(link.expiresAt) })
    },
  )

  app.post(
    '/cache-tokens',
    {
      config: { role: 'user' },
      schema: {
        tags: ['Connect'],
        operationId: 'cacheTokens',
        summary: 'Bring tokens obtained elsewhere',
        description:
          'Stores them as a connection after asking the service whose they are. Give `access_token` and what belongs to ' +
          'it, or `tokens` by name where a provider issues several (Slack: `bot` and `user`).',
        body: z
          .strictObject({
            user_id: userId.optional(),
            provider: slug.describe('Connector id'),
            ...token.partial().shape,
            tokens: z.record(slug, token).optional(),
            scopes: z.array(z.string().min(1).max(512)).max(200).optional(),
            settings: z.record(z.string().max(64), z.string().max(2048)).optional(),
            label: label.optional(),
          })
          .refine((body) => (body.access_token === undefined) !== (body.tokens === undefined), {
            path: ['access_token'],
            error: 'or `tokens` must be given, and not both',
          }),
        response: answers({ 201: connection }),
      },
    },
    async (request, reply) => {
      const caller = callerOf(request)
      const { body } = request
      const brought = body.tokens ?? { default: { ...body, access_token: body.access_token as string } }
      const stored = await gateway.connect.importTokens(
        caller,
        {
          userId: subjectOf(caller, body.user_id),
          connectorId: body.provider,
          tokens: Object.fromEntries(Object.entries(brought).map(([name, given]) => [name, tokenFrom(given)])),
          ...(body.scopes && { scopes: body.scopes }),
          ...(body.settings && { settings: body.settings }),
          ...(body.label !== undefined && { label: body.label }),
        },
        request.id,
      )
      return reply.code(201).send(connectionForm(stored, gateway.catalogue))
    },
  )

  app.post(
    '/oauth/refresh/:provider',
    {
      config: { role: 'user' },
      schema: {
        tags: ['Connections'],
        operationId: 'refreshProvider',
        summary: 'Refresh a user’s connection now, by connector or provider',
        params: z.strictObject({ provider: slug }),
        body: z.strictObject({ user_id: userId.optional(), connection_id: id.optional() }),
        response: answers({ 200: connection }),
      },
    },
    async (request) => {
      const caller = callerOf(request)
      const user = subjectOf(caller, request.body.user_id)
      const found = await onlyConnection(gateway, caller, user, request.params.provider, request.body.connection_id)
      const refreshed = await gateway.connections.refresh(caller, user, found.id, request.id)
      return connectionForm(refreshed, gateway.catalogue)
    },
  )
}

/**
 * The one connection of a user that a connector or provider id means: the named one, the only one, or the default.
 * Throws `not_connected` or `ambiguous_account`.
 */
export async function onlyConnection(
  gateway: Surroundings['gateway'],
  caller: ReturnType<typeof callerOf>,
  user: string,
  provider: string,
  connectionId?: string | undefined,
) {
  const named = (connectorId: string) =>
    connectorId === provider || gateway.catalogue.connector(connectorId)?.provider.id === provider
  if (!gateway.catalogue.connector(provider) && !gateway.catalogue.provider(provider)) {
    throw new PatchbayError('not_found', 'There is no such provider. `GET /api/integrations` lists them.')
  }
  const all = await gateway.connections.list(caller, user)
  const candidates = all.filter(
    (one) => named(one.connectorId) && (connectionId === undefined || one.id === connectionId),
  )
  if (connectionId !== undefined && candidates.length === 0) {
    throw new PatchbayError('not_found', 'This user has no such connection at this provider.')
  }
  const settled = candidates.filter((one) => one.status !== 'pending')
  const [first, ...others] = settled.length > 0 ? settled : candidates
  if (!first) {
    throw new PatchbayError('not_connected', 'This user has no connection to this provider yet.', {
      fix: { action: 'Connect it with POST /api/integrations/connect' },
    })
  }
  if (others.length > 0) {
    throw new PatchbayError(
      'ambiguous_account',
      'This user has several connections that fit. Say which with `connection_id`.',
      {
        details: { connections: [first, ...others].map(({ id, label }) => ({ connection_id: id, label })) },
      },
    )
  }
  return first
}

function startedForm(started: ConnectStarted): ConnectReply {
  return { auth_url: started.authUrl, connection_id: started.connectionId, expires_at: timeForm(started.expiresAt) }
}

function tokenFrom(given: {
  access_token: string
  refresh_token?: string | undefined
  expires_at?: string | undefined
}) {
  return {
    accessToken: given.access_token,
    ...(given.refresh_token !== undefined && { refreshToken: given.refresh_token }),
    ...(given.expires_at !== undefined && { expiresAt: Date.parse(given.expires_at) }),
  }
}
