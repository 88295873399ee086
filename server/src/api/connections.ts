import { z } from 'zod'
import type { Caller } from '../core/caller.ts'
import { callerOf, subjectOf } from './access.ts'
import type { Api, Surroundings } from './app-type.ts'
import { onlyConnection } from './connect.ts'
import { answers } from './openapi.ts'
import { connection, disconnectReply, id, label, pageOf, slug, status, userId } from './schemas.ts'
import { connectionForm } from './wire-form.ts'

const whose = z.strictObject({ user_id: userId.optional() })
const pageLimit = z.coerce
  .number({ error: 'must be a whole number' })
  .int('must be a whole number')
  .min(1)
  .max(200)
  .default(50)

export function connectionRoutes(app: Api, { gateway }: Surroundings): void {
  app.get(
    '/api/integrations/connected',
    {
      config: { role: 'user' },
      schema: {
        tags: ['Connections'],
        operationId: 'listConnected',
        summary: 'A user’s finished connections, each with its status',
        description: 'A dead connection stays in the list, with why it died and what to do.',
        querystring: whose,
        response: answers({ 200: pageOf(connection, 'The user’s connections') }),
      },
    },
    async (request) => {
      const caller = callerOf(request)
      const all = await gateway.connections.list(caller, subjectOf(caller, request.query.user_id))
      const items = all.filter((one) => one.status !== 'pending').map((one) => connectionForm(one, gateway.catalogue))
      return { items, next_cursor: null }
    },
  )

  app.get(
    '/api/connections',
    {
      config: { role: 'user' },
      schema: {
        tags: ['Connections'],
        operationId: 'listConnections',
        summary: 'A user’s connections; for an administrator, everyone’s in pages',
        querystring: z.strictObject({
          user_id: userId.optional(),
          connector: slug.optional(),
          status: status.optional(),
          limit: pageLimit,
          cursor: id.optional(),
        }),
        response: answers({ 200: pageOf(connection, 'Connections, newest first') }),
      },
    },
    async (request) => {
      const caller = callerOf(request)
      const { query } = request
      if (caller.role === 'admin' && query.user_id === undefined) return everyones(caller, query)

      const all = await gateway.connections.list(caller, subjectOf(caller, query.user_id), query.connector)
      const items = all
        .filter((one) => query.status === undefined || one.status === query.status)
        .map((one) => connectionForm(one, gateway.catalogue))
      return { items, next_cursor: null }
    },
  )

  async function everyones(
    caller: Caller,
    query: {
      connector?: string | undefined
      status?: z.infer<typeof status> | undefined
      limit: number
      cursor?: string | undefined
    },
  ) {
    const found = await gateway.admin.connections(caller, {
      ...(query.connector !== undefined && { connectorId: query.connector }),
      ...(query.status !== undefined && { status: query.status }),
      ...(query.cursor !== undefined && { cursor: query.cursor }),
      // One more than asked for tells whether there is a next page.
      limit: query.limit + 1,
    })
    const items = found.slice(0, query.limit).map((one) => connectionForm(one, gateway.catalogue))
    return { items, next_cursor: found.length > query.limit ? (items.at(-1)?.id ?? null) : null }
  }

  app.get(
    '/api/connections/:id',
    {
      config: { role: 'user' },
      schema: {
        tags: ['Connections'],
        operationId: 'getConnection',
        summary: 'One connection',
        params: z.strictObject({ id }),
        querystring: whose,
        response: answers({ 200: connection }),
      },
    },
    async (request) => {
      const caller = callerOf(request)
      const found = await gateway.connections.get(caller, subjectOf(caller, request.query.user_id), request.params.id)
      return connectionForm(found, gateway.catalogue)
    },
  )

  app.patch(
    '/api/connections/:id',
    {
      config: { role: 'user' },
      schema: {
        tags: ['Connections'],
        operationId: 'updateConnection',
        summary: 'Name a connection, or make it the default of its connector',
        params: z.strictObject({ id }),
        querystring: whose,
        body: z
          .strictObject({ label: label.optional(), is_default: z.literal(true).optional() })
          .refine((body) => body.label !== undefined || body.is_default !== undefined, {
            error: 'must say what to change: `label` or `is_default`',
          }),
        response: answers({ 200: connection }),
      },
    },
    async (request) => {
      const caller = callerOf(request)
      const { label: newLabel, is_default: isDefault } = request.body
      const updated = await gateway.connections.update(
        caller,
        subjectOf(caller, request.query.user_id),
        request.params.id,
        { ...(newLabel !== undefined && { label: newLabel }), ...(isDefault && { isDefault }) },
        request.id,
      )
      return connectionForm(updated, gateway.catalogue)
    },
  )

  app.post(
    '/api/connections/:id/refresh',
    {
      config: { role: 'user' },
      schema: {
        tags: ['Connections'],
        operationId: 'refreshConnection',
        summary: 'Trade the refresh token now',
        params: z.strictObject({ id }),
        querystring: whose,
        response: answers({ 200: connection }),
      },
    },
    async (request) => {
      const caller = callerOf(request)
      const user = subjectOf(caller, request.query.user_id)
      const refreshed = await gateway.connections.refresh(caller, user, request.params.id, request.id)
      return connectionForm(refreshed, gateway.catalogue)
    },
  )

  app.delete(
    '/api/connections/:id',
    {
      config: { role: 'user' },
      schema: {
        tags: ['Connections'],
        operationId: 'deleteConnection',
        summary: 'Revoke at the provider, then delete',
        params: z.strictObject({ id }),
        querystring: whose,
        response: answers({ 200: disconnectReply }),
      },
    },
    async (request) => {
      const caller = callerOf(request)
      return disconnect(caller, subjectOf(caller, request.query.user_id), request.params.id, request.id)
    },
  )

  app.post(
    '/api/integrations/disconnect',
    {
      config: { role: 'user' },
      schema: {
        tags: ['Connections'],
        operationId: 'disconnect',
        summary: 'The same as deleting the connection, by id or by provider where there is one',
        body: z
          .strictObject({ user_id: userId.optional(), connection_id: id.optional(), provider: slug.optional() })
          .refine((body) => body.connection_id !== undefined || body.provider !== undefined, {
            path: ['connection_id'],
            error: 'or `provider` must be given',
          }),
        response: answers({ 200: disconnectReply }),
      },
    },
    async (request) => {
      const caller = callerOf(request)
      const { body } = request
      const user = subjectOf(caller, body.user_id)
      const connectionId =
        body.provider === undefined
          ? (body.connection_id as string)
          : (await onlyConnection(gateway, caller, user, body.provider, body.connection_id)).id
      return disconnect(caller, user, connectionId, request.id)
    },
  )

  async function disconnect(caller: Caller, user: string, connectionId: string, requestId: string) {
    const result = await gateway.connections.disconnect(caller, user, connectionId, requestId)
    return { disconnected: true as const, revoked_at_provider: result.revoked, message: result.message }
  }
}
