import type { Event } from '@patchbay/sdk'
import { useQuery } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import { CodeBlock, CopyButton } from '../parts/copy.tsx'
import { Dialog } from '../parts/dialog.tsx'
import { ErrorNote } from '../parts/error-note.tsx'
import { Loading, Skeleton } from '../parts/page.tsx'
import { duration, exactTime } from '../parts/time.ts'
import { eventTitle } from './event-filter.ts'
import { OutcomeBadge } from './outcome-badge.tsx'
import { requestEventsQuery } from './queries.ts'

interface EventDrawerProps {
  id: string
  /** The event, where it is known; else it is looked up by its request. */
  event?: Event | undefined
  requestId?: string
  onClose: () => void
}

/** Everything one line of the audit log holds. */
export function EventDrawer({ id, event: known, requestId, onClose }: EventDrawerProps) {
  const found = useQuery({ ...requestEventsQuery(requestId ?? ''), enabled: !known && requestId !== undefined })
  const event = known ?? found.data?.find((one) => one.id === id) ?? found.data?.[0]
  const waiting = !event && (found.isPending || (found.data?.length === 0 && found.isFetching))
  return (
    <Dialog drawer open onClose={onClose} title={event ? eventTitle(event.type) : 'Event'}>
      {event ? (
        <Details event={event} />
      ) : found.error ? (
        <ErrorNote error={found.error} />
      ) : waiting && requestId !== undefined ? (
        <Loading what="the event">
          <Skeleton className="h-5 w-40" />
          <Skeleton className="mt-3 h-40" />
        </Loading>
      ) : (
        <p className="text-sm text-muted">The event is not in the log. It may be older than what the log keeps.</p>
      )}
    </Dialog>
  )
}

function Details({ event }: { event: Event }) {
  return (
    <div className="space-y-5">
      <div className="flex flex-wrap items-center gap-3 text-sm text-muted">
        <OutcomeBadge outcome={event.outcome} />
        <time dateTime={event.at}>{exactTime(Date.parse(event.at))}</time>
        {event.duration_ms !== null && <span className="tabular-nums">{duration(event.duration_ms)}</span>}
      </div>
      {event.message && <p className="text-sm break-words">{event.message}</p>}
      <dl className="divide-y divide-line border-y border-line text-sm">
        <Line name="Type">{event.type}</Line>
        <Line name="Code">{event.code}</Line>
        <Line name="Done by">{`${event.actor.type.replace(/_/g, ' ')} ${event.actor.id}`}</Line>
        <Line name="User">{event.user_id}</Line>
        <Line name="Connector">{event.connector}</Line>
        <Line name="Tool">{event.tool}</Line>
        <Line name="Connection" copy>
          {event.connection_id}
        </Line>
        <Line name="Request" copy>
          {event.request_id}
        </Line>
        <Line name="Event" copy>
          {event.id}
        </Line>
      </dl>
      {event.details && Object.keys(event.details).length > 0 && (
        <CodeBlock code={JSON.stringify(event.details, null, 2)} where="details" />
      )}
    </div>
  )
}

function Line({ name, copy, children }: { name: string; copy?: boolean; children: ReactNode }) {
  if (children === null || children === undefined) return null
  return (
    <div className="grid min-h-9 grid-cols-[6.5rem_minmax(0,1fr)_auto] items-center gap-2 py-1">
      <dt className="text-muted">{name}</dt>
      <dd className={copy ? 'font-mono text-xs break-all' : 'break-words'}>{children}</dd>
      {copy && typeof children === 'string' && <CopyButton text={children} name={`Copy ${name.toLowerCase()} id`} />}
    </div>
  )
}
