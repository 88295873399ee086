import { queryOptions } from '@tanstack/react-query'
import { client } from '../session/client.ts'

/** The tools of a user's connections, the unavailable ones too. */
export const toolsQuery = (userId: string) =>
  queryOptions({
    queryKey: ['tools', userId],
    queryFn: async ({ signal }) => (await client.tools.list({ user_id: userId }, { signal })).items,
    // The answer makes a link for each tool that needs one, so it is not asked for without a reason.
    staleTime: 60_000,
    refetchOnWindowFocus: false,
  })
