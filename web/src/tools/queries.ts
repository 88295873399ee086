import { queryOptions } from '@tanstack/react-query'
import { client } from '../session/client.ts'

/** The tools of a user's connections, the unavailable ones too. */
export const toolsQuery = (userId: string) =>
  queryOptions({
    queryKey: ['tools', userId],
    queryFn: async ({ signal }) => (await client.tools.list({ user_id: userId }, { signal })).items,
  })
