import { z } from 'zod'
import { PatchbayError } from '../core/errors.ts'
import { callerOf } from './access.ts'
import type { Api, Surroundings } from './app-type.ts'
import { answers } from './openapi.ts'
import { connectorDetail, connectorSummary, integration, pageOf, slug } from './schemas.ts'
import { connectorDetailForm, connectorForm } from './wire-form.ts'

export function catalogueRoutes(app: Api, { gateway }: Surroundings): void {
  app.get(
    '/connectors',
    {
      config: { role: 'user', webPage: true },
      schema: {
        tags: ['Catalogue'],
        operationId: 'listConnectors',
        summary: 'Everything that can be connected',
        response: answers({ 200: pageOf(connectorSummary, 'All connectors') }),
      },
    },
    async (request) => {
      const { projectId } = callerOf(request)
      const items = await Promise.all(
        gateway.catalogue
          .connectors()
          .map(async (connector) =>
            connectorForm(connector, await gateway.admin.configured(projectId, connector.provider.id)),
          ),
      )
      return { items, next_cursor: null }
    },
  )

  app.get(
    '/connectors/:id',
    {
      config: { role: 'user', webPage: true },
      schema: {
        tags: ['Catalogue'],
        operationId: 'getConnector',
        summary: 'One connector: its connect form, scopes, tools and how to set it up',
        params: z.strictObject({ id: slug }),
        response: answers({ 200: connectorDetail }),
      },
    },
    async (request) => {
      const connector = gateway.catalogue.connector(request.params.id)
      if (!connector) throw new PatchbayError('not_found', 'There is no such connector. `GET /connectors` lists them.')
      const { id } = connector.provider
      const configured = await gateway.admin.configured(callerOf(request).projectId, id)
      return connectorDetailForm(connector, configured, gateway.admin.redirectUri(id), gateway.catalogue)
    },
  )

  app.get(
    '/api/integrations',
    {
      config: { role: 'user' },
      schema: {
        tags: ['Catalogue'],
        operationId: 'listIntegrations',
        summary: 'The connectors that are connected by OAuth',
        response: answers({ 200: pageOf(integration, 'All integrations') }),
      },
    },
    async (request) => {
      const { projectId } = callerOf(request)
      const items = await Promise.all(
        gateway.catalogue
          .connectors()
          .filter((connector) => connector.kind === 'api')
          .map(async ({ id, name, description, provider }) => ({
            id,
            name,
            provider: provider.id,
            description,
            configured: await gateway.admin.configured(projectId, provider.id),
          })),
      )
      return { items, next_cursor: null }
    },
  )
}
