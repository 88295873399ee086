import { Readable } from 'node:stream'
import { z } from 'zod'
import type { Caller } from '../core/caller.ts'
import { EVENT_TYPES } from '../core/events.ts'
import type { EventFilter } from '../core/storage.ts'
import { callerOf, subjectOf } from './access.ts'
import type { Api, Surroundings } from './app-type.ts'
import { answers } from './openapi.ts'
import { event, id, pageOf, slug, toolName, userId } from './schemas.ts'
import { eventForm } from './wire-form.ts'

const moment = z.iso.datetime({ offset: true, error: 'must be a time such as "2026-01-31T12:00:00Z"' })
const filters = {
  user_id: userId.optional(),
  connector: slug.optional(),
  connection_id: id.optional(),
  tool: toolName.optional(),
  types: z
    .string()
    .max(1000)
    .transform((list) => list.split(','))
    .pipe(z.array(z.enum(EVENT_TYPES)))
    .optional()
    .describe(`Comma-separated; of ${EVENT_TYPES.join(', ')}`),
  outcome: z.enum(['ok', 'error', 'refused']).optional(),
  request_id: z
    .string()
    .regex(/^[A-Za-z0-9._-]{1,128}$/, 'must be a request id')
    .optional(),
  from: moment.optional().describe('Inclusive'),
  to: moment.optional().describe('Inclusive'),
}
const filterQuery = z.strictObject(filters)

export function eventRoutes(app: Api, { gateway }: Surroundings): void {
  app.get(
    '/api/events',
    {
      config: { role: 'user' },
      schema: {
        tags: ['Events'],
        operationId: 'listEvents',
        summary: 'The audit log, newest first, in pages',
        querystring: z.strictObject({
          ...filters,
          limit: z.coerce
            .number({ error: 'must be a whole number' })
            .int('must be a whole number')
            .min(1)
            .max(200)
            .default(50),
          cursor: id.optional(),
        }),
        response: answers({ 200: pageOf(event, 'Events, newest first') }),
      },
    },
    async (request) => {
      const caller = callerOf(request)
      const { limit, cursor, ...query } = request.query
      // One more than asked for tells whether there is a next page.
      const page = { ...filterFrom(caller, query), limit: limit + 1, ...(cursor !== undefined && { cursor }) }
      const found = await gateway.events.list(caller, page)
      const items = found.slice(0, limit).map(eventForm)
      return { items, next_cursor: found.length > limit ? (items.at(-1)?.id ?? null) : null }
    },
  )

  app.get(
    '/api/events/export',
    {
      config: { role: 'user' },
      schema: {
        tags: ['Events'],
        operationId: 'exportEvents',
        summary: 'The audit log as JSON Lines, oldest first',
        querystring: filterQuery,
        response: answers({ 200: z.string().describe('application/x-ndjson: one `Event` a line') }),
      },
    },
    async (request, reply) => {
      const caller = callerOf(request)
      const events = gateway.events.stream(caller, filterFrom(caller, request.query))
      // A Readable pulls: a slow reader slows the reading of the store, and one that leaves ends it.
      const lines = Readable.from(jsonLines(events), { objectMode: false })
      return reply
        .type('application/x-ndjson; charset=utf-8')
        .header('content-disposition', 'attachment; filename="patchbay-events.jsonl"')
        .send(lines as never)
    },
  )

  async function* jsonLines(events: ReturnType<typeof gateway.events.stream>): AsyncGenerator<string> {
    for await (const one of events) yield `${JSON.stringify(eventForm(one))}\n`
  }
}

function filterFrom(caller: Caller, query: z.infer<typeof filterQuery>): EventFilter {
  const user = caller.userId === null ? query.user_id : subjectOf(caller, query.user_id)
  return {
    ...(user !== undefined && { userId: user }),
    ...(query.connector !== undefined && { connectorId: query.connector }),
    ...(query.connection_id !== undefined && { connectionId: query.connection_id }),
    ...(query.tool !== undefined && { tool: query.tool.toUpperCase() }),
    ...(query.types !== undefined && { types: query.types }),
    ...(query.outcome !== undefined && { outcome: query.outcome }),
    ...(query.request_id !== undefined && { requestId: query.request_id }),
    ...(query.from !== undefined && { from: Date.parse(query.from) }),
    ...(query.to !== undefined && { to: Date.parse(query.to) }),
  }
}
