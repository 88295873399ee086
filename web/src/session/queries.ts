import { PatchbayApiError } from '@patchbay/sdk'
import { QueryCache, QueryClient, queryOptions } from '@tanstack/react-query'
import { client } from './client.ts'

/** The cache of what the gateway said. A call that finds the session gone brings the sign-in page back. */
export function createQueries(): QueryClient {
  const signedOut = (error: unknown) => {
    if (isUnauthorized(error)) queries.setQueryData(sessionQuery.queryKey, null)
  }
  const queries: QueryClient = new QueryClient({
    queryCache: new QueryCache({ onError: signedOut }),
    // The client retries by itself what may be retried.
    defaultOptions: { queries: { retry: false, staleTime: 10_000 }, mutations: { retry: false, onError: signedOut } },
  })
  return queries
}

/** Who is signed in, or null. */
export const sessionQuery = queryOptions({
  queryKey: ['session'],
  queryFn: async ({ signal }) => {
    try {
      return await client.session.get({ signal })
    } catch (error) {
      if (isUnauthorized(error)) return null
      throw error
    }
  },
  staleTime: Number.POSITIVE_INFINITY,
})

/** Users that have connections, for choosing one. */
export const usersQuery = queryOptions({
  queryKey: ['users'],
  queryFn: ({ signal }) => client.users.list({ signal }),
})

function isUnauthorized(error: unknown): boolean {
  return error instanceof PatchbayApiError && error.status === 401
}
