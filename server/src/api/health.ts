import { z } from 'zod'
import { DEFAULT_PROJECT } from '../core/admin.ts'
import { PatchbayError } from '../core/errors.ts'
import { callerOf } from './access.ts'
import type { Api, Surroundings } from './app-type.ts'
import { answers } from './openapi.ts'
import { healthReply } from './schemas.ts'

/** What the metrics route needs of a prom-client Registry. */
export interface MetricsSource {
  contentType: string
  metrics(): Promise<string>
}

export function healthRoutes(
  app: Api,
  { gateway, metrics }: Pick<Surroundings, 'gateway'> & { metrics?: MetricsSource | undefined },
): void {
  app.get(
    '/health',
    {
      config: { role: 'public' },
      schema: {
        tags: ['Health'],
        operationId: 'getHealth',
        summary: 'Whether the gateway works',
        response: answers({ 200: healthReply, 503: healthReply }),
      },
    },
    async (_request, reply) => {
      const health = await gateway.health()
      return reply.code(health.status === 'ok' ? 200 : 503).send({
        status: health.status,
        version: health.version,
        uptime_seconds: health.uptimeSeconds,
        storage: { engine: health.storage.engine, ok: health.storage.ok },
      })
    },
  )

  if (!metrics) return
  app.get(
    '/metrics',
    {
      config: { role: 'admin' },
      schema: {
        tags: ['Health'],
        operationId: 'getMetrics',
        summary: 'Metrics in the Prometheus text format',
        response: answers({ 200: z.string().describe('Prometheus text format') }),
      },
    },
    async (request, reply) => {
      // They count the whole gateway, so they are for those who run it, not for every project's administrators.
      if (callerOf(request).projectId !== DEFAULT_PROJECT) {
        throw new PatchbayError('forbidden', `Metrics need an admin key of the project "${DEFAULT_PROJECT}".`)
      }
      return reply
        .type(metrics.contentType)
        .serializer(String)
        .send(await metrics.metrics())
    },
  )
}
