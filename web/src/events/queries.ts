import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query'
import { client } from '../session/client.ts'
import { type EventFilter, eventQueryOf } from './event-filter.ts'

export const eventsQuery = (filter: EventFilter) => {
  const query = eventQueryOf(filter)
  return infiniteQueryOptions({
    queryKey: ['events', 'pages', query],
    queryFn: ({ pageParam, signal }) =>
      client.events.list({ ...query, limit: 50, ...(pageParam && { cursor: pageParam }) }, { signal }),
    initialPageParam: '',
    getNextPageParam: (page) => page.next_cursor,
  })
}

/** The newest event of a user that a tool ran well, if any. */
export const lastRunQuery = (userId: string) =>
  queryOptions({
    queryKey: ['events', 'last-run', userId],
    queryFn: async ({ signal }) => {
      const { items } = await client.events.list(
        { user_id: userId, types: ['tool.called'], outcome: 'ok', limit: 1 },
        { signal },
      )
      return items[0] ?? null
    },
  })

/** Events of one request; its tool call may be written a moment after the answer. */
export const requestEventsQuery = (requestId: string) =>
  queryOptions({
    queryKey: ['events', 'request', requestId],
    queryFn: async ({ signal }) => (await client.events.list({ request_id: requestId }, { signal })).items,
    refetchInterval: (query) => (query.state.data?.length === 0 && query.state.dataUpdateCount < 10 ? 400 : false),
  })
