import { type Connection, eachItem } from '@patchbay/sdk'
import { queryOptions, useQueryClient } from '@tanstack/react-query'
import { client } from '../session/client.ts'

export const connectorsQuery = queryOptions({
  queryKey: ['connectors'],
  queryFn: async ({ signal }) => (await client.connectors.list({ signal })).items,
})

export const connectorQuery = (id: string) =>
  queryOptions({
    queryKey: ['connectors', id],
    queryFn: ({ signal }) => client.connectors.get(id, { signal }),
    staleTime: 60_000,
  })

/** All connections of one user; looked at again now and then, because they can die by themselves. */
export const connectionsQuery = (userId: string) =>
  queryOptions({
    queryKey: ['connections', userId],
    queryFn: async ({ signal }) => {
      const found: Connection[] = []
      const pages = eachItem((page) => client.connections.list({ user_id: userId, ...page }, { signal }))
      for await (const connection of pages) found.push(connection)
      return found
    },
    refetchInterval: 30_000,
  })

/** Everything that a new, changed or ended connection changes. */
export function useConnectionsChanged() {
  const queries = useQueryClient()
  return () =>
    Promise.all(
      ['connections', 'tools', 'events', 'users'].map((key) => queries.invalidateQueries({ queryKey: [key] })),
    )
}
