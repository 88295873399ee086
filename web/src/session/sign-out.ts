import { useQueryClient } from '@tanstack/react-query'
import { toast } from '../parts/toasts.tsx'
import { client } from './client.ts'
import { sessionQuery } from './queries.ts'

/** Ends the session and forgets everything that was read with it. */
export function useSignOut(): () => Promise<void> {
  const queries = useQueryClient()
  return async () => {
    try {
      await client.session.signOut()
      queries.setQueryData(sessionQuery.queryKey, null)
      queries.removeQueries({ predicate: ({ queryKey }) => queryKey[0] !== sessionQuery.queryKey[0] })
    } catch (error) {
      toast(`Signing out failed: ${error instanceof Error ? error.message : 'unknown cause'}`, 'bad')
    }
  }
}
