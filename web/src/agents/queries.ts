import { queryOptions } from '@tanstack/react-query'
import { client } from '../session/client.ts'

/** MCP addresses of one user, or of all users of the project. */
export const instancesQuery = (userId?: string) =>
  queryOptions({
    queryKey: ['instances', userId ?? null],
    queryFn: async ({ signal }) => (await client.instances.list(userId ? { user_id: userId } : {}, { signal })).items,
  })
