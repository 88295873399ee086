import type { ConnectionStatus, ErrorBody } from '@patchbay/sdk/wire'
import type { FastifyRequest } from 'fastify'
import { z } from 'zod'
import { asPatchbayError, errorBody, PatchbayError } from '../core/errors.ts'
import type { Instance } from '../core/storage.ts'
import { callerOf, subjectOf } from './access.ts'
import type { Api, Surroundings } from './app-type.ts'
import { answers } from './openapi.ts'
import {
  id,
  instance,
  instanceCreated,
  instanceHealth,
  instanceRefresh,
  instanceStatus,
  label,
  pageOf,
  policyInput,
  userId,
} from './schemas.ts'
import { connectionForm, instanceForm, policyFrom } from './wire-form.ts'

/** Instance addresses start at the root; the pattern keeps them from ever shadowing another route. */
export const INSTANCE_PATH = '/:instanceId(^inst_[A-Za-z0-9_-]{1,64}$)'

const whose = z.strictObject({ user_id: userId.optional() })
const instanceParams = z.strictObject({ instanceId: id })

export function instanceRoutes(app: Api, { gateway, publicUrl }: Surroundings): void {
  app.post(
    '/api/instances',
    {
      config: { role: 'user' },
      schema: {
        tags: ['Instances'],
        operationId: 'createInstance',
        summary: 'Make an MCP address for one user',
        body: z.strictObject({ user_id: userId.optional(), name: label.optional(), policy: policyInput.optional() }),
        response: answers({ 201: instanceCreated }),
      },
    },
    async (request, reply) => {
      const caller = callerOf(request)
      const policy = policyFrom(request.body.policy)
      const created = await gateway.instances.create(
        caller,
        {
          userId: subjectOf(caller, request.body.user_id),
          ...(request.body.name !== undefined && { name: request.body.name }),
          ...(policy && { policy }),
        },
        request.id,
      )
      return reply.code(201).send({ ...instanceForm(created.instance, publicUrl), token: created.token })
    },
  )

  app.get(
    '/api/instances',
    {
      config: { role: 'user' },
      schema: {
        tags: ['Instances'],
        operationId: 'listInstances',
        summary: 'Instances of a user, or of all users of the project',
        querystring: whose,
        response: answers({ 200: pageOf(instance, 'Instances') }),
      },
    },
    async (request) => {
      const caller = callerOf(request)
      const named = request.query.user_id
      const user = caller.userId === null ? named : subjectOf(caller, named)
      const found = await gateway.instances.list(caller, user)
      return { items: found.map((one) => instanceForm(one, publicUrl)), next_cursor: null }
    },
  )

  app.get(
    '/api/instances/:id',
    {
      config: { role: 'user' },
      schema: {
        tags: ['Instances'],
        operationId: 'getInstance',
        summary: 'One instance',
        params: z.strictObject({ id }),
        querystring: whose,
        response: answers({ 200: instance }),
      },
    },
    async (request) => {
      const caller = callerOf(request)
      const user = subjectOf(caller, request.query.user_id)
      return instanceForm(await gateway.instances.get(caller, user, request.params.id), publicUrl)
    },
  )

  app.patch(
    '/api/instances/:id',
    {
      config: { role: 'user' },
      schema: {
        tags: ['Instances'],
        operationId: 'updateInstance',
        summary: 'Name an instance, or change what it is limited to',
        params: z.strictObject({ id }),
        querystring: whose,
        body: z
          .strictObject({ name: label.optional(), policy: policyInput.optional() })
          .refine((body) => body.name !== undefined || body.policy !== undefined, {
            error: 'must say what to change: `name` or `policy`',
          }),
        response: answers({ 200: instance }),
      },
    },
    async (request) => {
      const caller = callerOf(request)
      const policy = policyFrom(request.body.policy)
      const updated = await gateway.instances.update(
        caller,
        subjectOf(caller, request.query.user_id),
        request.params.id,
        { ...(request.body.name !== undefined && { name: request.body.name }), ...(policy && { policy }) },
        request.id,
      )
      return instanceForm(updated, publicUrl)
    },
  )

  app.post(
    '/api/instances/:id/rotate-token',
    {
      config: { role: 'user' },
      schema: {
        tags: ['Instances'],
        operationId: 'rotateInstanceToken',
        summary: 'Give an instance a new bearer token; the old one ends',
        params: z.strictObject({ id }),
        querystring: whose,
        response: answers({ 200: instanceCreated }),
      },
    },
    async (request) => {
      const caller = callerOf(request)
      const user = subjectOf(caller, request.query.user_id)
      const rotated = await gateway.instances.rotateToken(caller, user, request.params.id, request.id)
      return { ...instanceForm(rotated.instance, publicUrl), token: rotated.token }
    },
  )

  app.delete(
    '/api/instances/:id',
    {
      config: { role: 'user' },
      schema: {
        tags: ['Instances'],
        operationId: 'deleteInstance',
        summary: 'Delete an instance; its bearer token ends',
        params: z.strictObject({ id }),
        querystring: whose,
        response: answers({ 204: z.undefined().describe('It is gone') }),
      },
    },
    async (request, reply) => {
      const caller = callerOf(request)
      await gateway.instances.remove(caller, subjectOf(caller, request.query.user_id), request.params.id, request.id)
      return reply.code(204).send()
    },
  )

  app.get(
    `${INSTANCE_PATH}/health`,
    {
      config: { role: 'instance' },
      schema: {
        tags: ['Instances'],
        operationId: 'getInstanceHealth',
        summary: 'Whether an instance answers',
        params: instanceParams,
        response: answers({ 200: instanceHealth }),
      },
    },
    async (request) => ({ status: (await gateway.health()).status, instance_id: instanceOf(request).id }),
  )

  app.get(
    `${INSTANCE_PATH}/status`,
    {
      config: { role: 'instance' },
      schema: {
        tags: ['Instances'],
        operationId: 'getInstanceStatus',
        summary: 'What an instance shows: its connections and how many tools',
        params: instanceParams,
        response: answers({ 200: instanceStatus }),
      },
    },
    async (request) => {
      const caller = callerOf(request)
      const shown = instanceOf(request)
      const [tools, connections] = await Promise.all([
        gateway.tools.list(caller, shown.userId),
        gateway.connections.list(caller, shown.userId),
      ])
      return {
        instance: instanceForm(shown, publicUrl),
        tools: { total: tools.length, available: tools.filter((tool) => tool.available).length },
        connections: connections
          .filter((one) => shows(shown, one.connectorId))
          .map((one) => connectionForm(one, gateway.catalogue)),
      }
    },
  )

  app.post(
    `${INSTANCE_PATH}/refresh`,
    {
      config: { role: 'instance' },
      schema: {
        tags: ['Instances'],
        operationId: 'refreshInstance',
        summary: 'Refresh the connections behind an instance now',
        description: 'All of them, or the one named by `connection_id`. One that fails does not stop the others.',
        params: instanceParams,
        body: z.strictObject({ connection_id: id.optional() }).optional(),
        response: answers({ 200: instanceRefresh }),
      },
    },
    async (request) => {
      const caller = callerOf(request)
      const shown = instanceOf(request)
      const wanted = request.body?.connection_id
      const all = await gateway.connections.list(caller, shown.userId)
      const chosen = all.filter(
        (one) => shows(shown, one.connectorId) && (wanted === undefined ? one.status !== 'pending' : one.id === wanted),
      )
      if (wanted !== undefined && chosen.length === 0) {
        throw new PatchbayError('not_found', 'This instance shows no such connection.')
      }
      const items = await Promise.all(
        chosen.map(
          async (one): Promise<{ connection_id: string; status: ConnectionStatus | null; error: ErrorBody | null }> => {
            try {
              const refreshed = await gateway.connections.refresh(caller, shown.userId, one.id, request.id)
              return { connection_id: one.id, status: refreshed.status, error: null }
            } catch (thrown) {
              const error = asPatchbayError(thrown)
              if (error.code === 'internal')
                request.log.error({ requestId: request.id, err: error.cause ?? error }, 'refresh failed')
              return { connection_id: one.id, status: null, error: errorBody(error, request.id) }
            }
          },
        ),
      )
      return { items }
    },
  )
}

function instanceOf(request: FastifyRequest): Instance {
  if (!request.instance) throw new Error(`${request.routeOptions.url} is not a route of an instance`)
  return request.instance
}

function shows(shown: Instance, connectorId: string): boolean {
  return !shown.policy.connectors || shown.policy.connectors.includes(connectorId)
}
