import { z } from 'zod'
import { defineConnector, defineTools } from '../../server/src/core/connector.ts'

const scopes = { read: { description: 'Read things', effect: 'read' } } as const

/** A connector whose service answers at once, so that what is measured is the gateway. */
export const thing = defineConnector({
  id: 'thing',
  kind: 'api',
  name: 'Thing',
  description: 'A service for benchmarks.',
  category: 'Benchmarks',
  provider: {
    id: 'thing',
    name: 'Thing',
    issuer: null,
    authorizeUrl: 'https://thing.example/authorize',
    tokenUrl: 'https://thing.example/token',
    clientAuth: 'post',
    pkce: 'S256',
    refresh: { rotates: true, graceSeconds: 0 },
    setup: { url: 'https://thing.example', steps: [] },
  },
  api: 'https://thing.example',
  scopes,
  identityScopes: ['read'],
  account: async (service) => {
    const { id } = await service.get('/me')
    return { id, label: id }
  },
  tools: defineTools(scopes, {
    THING_GET_ITEM: {
      title: 'Get an item',
      description: 'Answers one item.',
      effect: 'read',
      scopes: ['read'],
      input: z.object({ id: z.string() }),
      run: 'GET /items/{id}',
    },
  }),
})
