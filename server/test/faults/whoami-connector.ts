import { z } from 'zod'
import type { Connector } from '../../src/core/connector.ts'
import type { Provider } from '../../src/core/provider.ts'

/** A service with one tool, `<ID>_WHO_AM_I`, that answers which token it was called with. */
export function whoamiConnector(provider: Provider): Connector {
  return {
    id: provider.id,
    kind: 'api',
    name: provider.name,
    description: 'Says whose token it is.',
    category: 'Tests',
    provider,
    api: `https://${provider.id}.test`,
    scopes: { read: { description: 'Read who it is', effect: 'read' } },
    identityScopes: ['read'],
    account: async (service) => service.get('/me'),
    tools: {
      [whoami(provider.id)]: {
        title: 'Who am I',
        description: 'Answers which token it was.',
        effect: 'read',
        scopes: ['read'],
        input: z.object({}),
        run: 'GET /me',
      },
    },
  }
}

export function whoami(connectorId: string): string {
  return `${connectorId.toUpperCase()}_WHO_AM_I`
}
