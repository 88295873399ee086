import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Provider } from '../../src/core/provider.ts'

/** What the connector calls the server; map it in SERVICE_URLS. */
export const STRICT_URL = 'https://strict.example'

/**
 * A CONNECTORS_DIR with one connector, `strict`, of the given provider: `read` lets STRICT_READ run, `write` STRICT_WRITE.
 * As a stranger's file would be: nothing of the gateway but its documented shape.
 */
export function strictConnectorFolder(provider: Provider): string {
  // Only https may be declared; SERVICE_URLS leads to the server on loopback.
  const declared = {
    ...JSON.parse(JSON.stringify(provider).replaceAll(`${provider.issuer}/`, `${STRICT_URL}/`)),
    issuer: provider.issuer,
  }
  const folder = mkdtempSync(join(tmpdir(), 'patchbay-connectors-'))
  const zod = import.meta.resolve('zod')
  writeFileSync(
    join(folder, 'strict.ts'),
    `import { z } from '${zod}'
const account = async (service) => {
  const { sub } = await service.get('/me')
  return { id: sub, label: sub }
}
export const strict = {
  id: 'strict',
  kind: 'api',
  name: 'Strict',
  description: 'An authorization server that forgives nothing.',
  category: 'test',
  provider: ${JSON.stringify(declared)},
  api: '${STRICT_URL}',
  scopes: {
    openid: { description: 'Know whose account this is', effect: 'read' },
    read: { description: 'Read everything', effect: 'read' },
    write: { description: 'Write everything', effect: 'write' },
  },
  identityScopes: ['openid'],
  account,
  tools: {
    STRICT_READ: { title: 'Read', description: 'Reads whose account it is.', effect: 'read', scopes: ['read'], input: z.object({}), run: 'GET /me' },
    STRICT_WRITE: { title: 'Write', description: 'Pretends to write.', effect: 'write', scopes: ['write'], input: z.object({}), run: 'GET /me' },
  },
}
`,
  )
  return folder
}
