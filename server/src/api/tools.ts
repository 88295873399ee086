import type { BatchItem, ExecuteReply } from '@patchbay/sdk/wire'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { asPatchbayError, errorBody } from '../core/errors.ts'
import { callerGone, callerOf, subjectOf } from './access.ts'
import type { Api, Surroundings } from './app-type.ts'
import { answers } from './openapi.ts'
import {
  batchReply,
  executeFailure,
  executeReply,
  pageOf,
  slug,
  toolItem,
  toolName,
  toolsHealth,
  userId,
} from './schemas.ts'
import { executedForm, toolForm } from './wire-form.ts'

const params = z.record(z.string().max(256), z.unknown())
const account = z.string().min(1).max(320).describe('Which account: a connection id, its label, or the account’s email')
const call = { action: toolName, params: params.optional(), account: account.optional() }

/** The most calls of one batch; they run side by side. */
const MAX_BATCH = 20

export function toolRoutes(app: Api, { gateway, limits }: Surroundings): void {
  for (const [path, operationId] of [
    ['/api/tools', 'listTools'],
    ['/tools', 'listToolsShort'],
  ] as const) {
    app.get(
      path,
      {
        config: { role: 'user', webPage: path === '/tools' },
        schema: {
          tags: ['Tools'],
          operationId,
          summary: 'The tools of a user’s connections',
          description: 'A tool that cannot run right now is listed with why, and a link that fixes it.',
          querystring: z.strictObject({
            user_id: userId.optional(),
            connector: slug.optional(),
            query: z.string().max(200).optional().describe('Words to look for'),
            all: z.enum(['true', 'false']).optional().describe('Connectors without a connection too'),
          }),
          response: answers({ 200: pageOf(toolItem, 'The tools') }),
        },
      },
      async (request) => {
        const caller = callerOf(request)
        const { query } = request
        const tools = await gateway.tools.list(caller, subjectOf(caller, query.user_id), {
          ...(query.connector !== undefined && { connectorId: query.connector }),
          ...(query.query !== undefined && { query: query.query }),
          all: query.all === 'true',
          linksFor: request.id,
        })
        return { items: tools.map((tool) => toolForm(tool, gateway.catalogue)), next_cursor: null }
      },
    )
  }

  app.post(
    '/api/tools/execute',
    {
      config: { role: 'user', envelope: 'execute' },
      bodyLimit: limits.toolBodyBytes,
      schema: {
        tags: ['Tools'],
        operationId: 'executeTool',
        summary: 'Run a tool on a user’s account',
        body: z.strictObject({ user_id: userId.optional(), ...call }),
        response: executeAnswers,
      },
    },
    async (request, reply) => {
      const { user_id, action, params: given, account: which } = request.body
      return run(request, reply, { user: user_id, name: action, arguments: given, account: which })
    },
  )

  app.post(
    '/tools/call',
    {
      config: { role: 'user', envelope: 'execute' },
      bodyLimit: limits.toolBodyBytes,
      schema: {
        tags: ['Tools'],
        operationId: 'callTool',
        summary: 'Run a tool, in the words of MCP',
        body: z.strictObject({
          user_id: userId.optional(),
          name: toolName,
          arguments: params.optional(),
          account: account.optional(),
        }),
        response: executeAnswers,
      },
    },
    async (request, reply) => {
      const { user_id, name, arguments: given, account: which } = request.body
      return run(request, reply, { user: user_id, name, arguments: given, account: which })
    },
  )

  async function run(
    request: FastifyRequest,
    reply: FastifyReply,
    wanted: {
      user: string | undefined
      name: string
      arguments: Record<string, unknown> | undefined
      account: string | undefined
    },
  ): Promise<ExecuteReply> {
    const caller = callerOf(request)
    const result = await gateway.tools.call(caller, {
      userId: subjectOf(caller, wanted.user),
      name: wanted.name,
      arguments: wanted.arguments ?? {},
      account: wanted.account,
      requestId: request.id,
      signal: callerGone(reply),
      via: 'rest',
    })
    return { ...executedForm(result), request_id: request.id }
  }

  app.post(
    '/api/tools/execute-batch',
    {
      config: { role: 'user' },
      bodyLimit: limits.toolBodyBytes,
      schema: {
        tags: ['Tools'],
        operationId: 'executeTools',
        summary: `Run up to ${MAX_BATCH} tools side by side`,
        description: 'Answers 200 with one result for each call, in order. Calls do not wait for each other.',
        body: z.strictObject({
          user_id: userId.optional(),
          calls: z.array(z.strictObject(call)).min(1).max(MAX_BATCH),
        }),
        response: answers({ 200: batchReply }),
      },
    },
    async (request, reply) => {
      const caller = callerOf(request)
      const user = subjectOf(caller, request.body.user_id)
      const signal = callerGone(reply)
      const results = await Promise.all(
        request.body.calls.map(async (wanted): Promise<BatchItem> => {
          try {
            const result = await gateway.tools.call(caller, {
              userId: user,
              name: wanted.action,
              arguments: wanted.params ?? {},
              account: wanted.account,
              requestId: request.id,
              signal,
              via: 'rest',
            })
            return executedForm(result)
          } catch (thrown) {
            const error = asPatchbayError(thrown)
            if (error.code === 'internal')
              request.log.error(
                { requestId: request.id, err: error.cause ?? error, tool: wanted.action },
                'tool failed',
              )
            return { success: false, error: errorBody(error, request.id) }
          }
        }),
      )
      return { results, request_id: request.id }
    },
  )

  app.get(
    '/api/tools/health',
    {
      config: { role: 'user' },
      schema: {
        tags: ['Health'],
        operationId: 'getToolsHealth',
        summary: 'Whether tools can run',
        response: answers({ 200: toolsHealth }),
      },
    },
    async () => {
      const { status } = await gateway.health()
      const connectors = gateway.catalogue.connectors()
      const tools = connectors.reduce((sum, connector) => sum + Object.keys(connector.tools).length, 0)
      return { status, connectors: connectors.length, tools }
    },
  )
}

const executeAnswers = { 200: executeReply, '4xx': executeFailure, '5xx': executeFailure }
