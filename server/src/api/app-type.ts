import type { IncomingMessage, ServerResponse } from 'node:http'
import type { FastifyBaseLogger, FastifyInstance, RawServerDefault } from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import type { Gateway } from '../core/gateway.ts'
import type { ApiLimits, RateLimits } from './limits.ts'

/** Fastify whose routes are typed by their zod schemas. */
export type Api = FastifyInstance<RawServerDefault, IncomingMessage, ServerResponse, FastifyBaseLogger, ZodTypeProvider>

/** What the routes need, handed to each group. */
export interface Surroundings {
  gateway: Gateway
  /** Without a trailing slash. */
  publicUrl: string
  publicOrigin: string
  secureCookies: boolean
  limits: ApiLimits
  rates: RateLimits
}

/** Marks every route that a third-party plugin registers in this scope as public. */
export function openToAnyone(scope: FastifyInstance): void {
  scope.addHook('onRoute', (route) => {
    route.config = { ...route.config, role: 'public' }
  })
}
