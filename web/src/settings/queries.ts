import { queryOptions } from '@tanstack/react-query'
import { client } from '../session/client.ts'

export const oauthAppsQuery = queryOptions({
  queryKey: ['oauth-apps'],
  queryFn: async ({ signal }) => (await client.oauthApps.list({ signal })).items,
})

export const apiKeysQuery = queryOptions({
  queryKey: ['api-keys'],
  queryFn: async ({ signal }) => (await client.apiKeys.list({ signal })).items,
})
