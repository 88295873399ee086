import type { Event } from '@patchbay/sdk'
import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { getRouteApi } from '@tanstack/react-router'
import { Activity, Download, RefreshCw } from 'lucide-react'
import { connectorsQuery } from '../connectors/queries.ts'
import { Button, buttonClass } from '../parts/button.tsx'
import { ErrorNote } from '../parts/error-note.tsx'
import { Select, TextInput } from '../parts/field.tsx'
import { Empty, Loading, PageHead, Skeleton } from '../parts/page.tsx'
import { duration } from '../parts/time.ts'
import { TimeAgo } from '../parts/time-ago.tsx'
import { client } from '../session/client.ts'
import { usersQuery } from '../session/queries.ts'
import { EventDrawer } from './event-drawer.tsx'
import { EVENT_TYPES, type EventFilter, eventQueryOf, eventTitle, withoutEmpty } from './event-filter.ts'
import { OutcomeBadge } from './outcome-badge.tsx'
import { eventsQuery } from './queries.ts'
import { useTypedFilter } from './typed-filter.ts'

const route = getRouteApi('/events')

export function EventsPage() {
  const filter = route.useSearch()
  const navigate = route.useNavigate()
  const events = useInfiniteQuery(eventsQuery(filter))
  const change = (changes: { [Key in keyof EventFilter]: EventFilter[Key] | undefined }) =>
    void navigate({
      search: (before) => withoutEmpty<EventFilter>({ ...before, event: undefined, ...changes }),
      replace: !changes.event,
    })
  const items = events.data?.pages.flatMap((page) => page.items) ?? []
  const filtered = Object.keys(eventQueryOf(filter)).length > 0

  return (
    <>
      <PageHead title="Events" lead="Who did what, when, and how it ended. Never holds tokens, inputs or answers.">
        <Button
          icon={<RefreshCw size={14} aria-hidden />}
          busy={events.isRefetching}
          onClick={() => void events.refetch()}
        >
          Refresh
        </Button>
        <a
          className={buttonClass()}
          href={client.events.exportUrl(eventQueryOf(filter))}
          download="patchbay-events.jsonl"
        >
          <Download size={14} aria-hidden />
          Export
        </a>
      </PageHead>
      <Filters filter={filter} onChange={change} />
      {events.error && <ErrorNote error={events.error} className="mb-4" />}
      {events.isPending ? (
        <Loading what="events">
          <Skeleton className="h-96 rounded-xl" />
        </Loading>
      ) : items.length > 0 ? (
        <>
          <EventTable items={items} onOpen={(id) => change({ event: id })} />
          <div className="mt-4 flex justify-center">
            {events.hasNextPage ? (
              <Button busy={events.isFetchingNextPage} onClick={() => void events.fetchNextPage()}>
                Older events
              </Button>
            ) : (
              <p className="text-sm text-faint">That is all.</p>
            )}
          </div>
        </>
      ) : events.data ? (
        <Empty
          icon={<Activity size={26} aria-hidden />}
          title={filtered ? 'No event matches' : 'Nothing has happened yet'}
          action={
            filtered ? <Button onClick={() => void navigate({ search: {} })}>Clear the filters</Button> : undefined
          }
        >
          {filtered
            ? 'Change or clear the filters above.'
            : 'Connect an account or run a tool, and it is written down here.'}
        </Empty>
      ) : null}
      {filter.event && (
        <EventDrawer
          id={filter.event}
          event={items.find(({ id }) => id === filter.event)}
          onClose={() => change({ event: undefined })}
        />
      )}
    </>
  )
}

interface FiltersProps {
  filter: EventFilter
  onChange: (changes: { [Key in keyof EventFilter]: EventFilter[Key] | undefined }) => void
}

function Filters({ filter, onChange }: FiltersProps) {
  const connectors = useQuery(connectorsQuery)
  const users = useQuery(usersQuery)
  const [user, setUser] = useTypedFilter(filter.user, (value) => onChange({ user: value }))
  const [tool, setTool] = useTypedFilter(filter.tool, (value) => onChange({ tool: value.toUpperCase() }))
  const groups = [...new Set(EVENT_TYPES.map((type) => type.split('.')[0] as string))]
  return (
    <search className="mb-4 grid grid-cols-2 gap-2 md:grid-cols-3 xl:grid-cols-5">
      <Select aria-label="Type" value={filter.type ?? ''} onChange={(event) => onChange({ type: event.target.value })}>
        <option value="">Every type</option>
        {groups.map((group) => {
          const types = EVENT_TYPES.filter((type) => type.startsWith(`${group}.`))
          return (
            <optgroup key={group} label={eventTitle(group)}>
              {types.length > 1 && <option value={group}>{eventTitle(group)}: all</option>}
              {types.map((type) => (
                <option key={type} value={type}>
                  {eventTitle(type)}
                </option>
              ))}
            </optgroup>
          )
        })}
      </Select>
      <Select
        aria-label="Outcome"
        value={filter.outcome ?? ''}
        onChange={(event) => onChange({ outcome: (event.target.value || undefined) as EventFilter['outcome'] })}
      >
        <option value="">Every outcome</option>
        <option value="ok">OK</option>
        <option value="error">Error</option>
        <option value="refused">Refused</option>
      </Select>
      <Select
        aria-label="Connector"
        value={filter.connector ?? ''}
        onChange={(event) => onChange({ connector: event.target.value })}
      >
        <option value="">Every connector</option>
        {connectors.data?.map(({ id, name }) => (
          <option key={id} value={id}>
            {name}
          </option>
        ))}
      </Select>
      <TextInput
        aria-label="User"
        placeholder="Any user"
        list="event-users"
        value={user}
        onChange={(event) => setUser(event.target.value)}
      />
      <datalist id="event-users">
        {users.data?.items.map(({ id }) => (
          <option key={id} value={id} />
        ))}
      </datalist>
      <TextInput
        aria-label="Tool name"
        placeholder="Any tool, by full name"
        className="col-span-2 font-mono placeholder:font-sans md:col-span-1"
        value={tool}
        onChange={(event) => setTool(event.target.value)}
      />
    </search>
  )
}

function EventTable({ items, onOpen }: { items: readonly Event[]; onOpen: (id: string) => void }) {
  return (
    <ul aria-label="Events" className="overflow-hidden rounded-xl border border-line bg-surface shadow-card">
      {items.map((event) => (
        <li key={event.id} className="border-b border-line last:border-0">
          <button
            type="button"
            onClick={() => onOpen(event.id)}
            className="grid w-full grid-cols-[4.5rem_minmax(0,1fr)_auto] items-center gap-x-3 gap-y-0.5 px-4 py-2.5 text-left text-sm hover:bg-sunken focus-visible:-outline-offset-2 lg:grid-cols-[5rem_14rem_minmax(0,1fr)_9rem_4.5rem_5.5rem]"
          >
            <span className="row-span-2 self-center lg:row-span-1">
              <OutcomeBadge outcome={event.outcome} />
            </span>
            <span className="truncate font-medium">{eventTitle(event.type)}</span>
            <span className="col-start-2 row-start-2 min-w-0 truncate text-muted lg:col-start-auto lg:row-start-auto">
              {subjectOf(event)}
            </span>
            <span className="hidden truncate text-muted lg:block">{event.user_id}</span>
            <span className="hidden text-right text-muted tabular-nums lg:block">
              {event.duration_ms === null ? '' : duration(event.duration_ms)}
            </span>
            <span className="col-start-3 row-start-1 text-right text-xs whitespace-nowrap text-muted lg:col-start-auto lg:row-start-auto lg:text-sm">
              <TimeAgo at={event.at} />
            </span>
          </button>
        </li>
      ))}
    </ul>
  )
}

/** What it was about: the tool, the connector, or the sentence. */
function subjectOf(event: Event) {
  const about = event.tool ?? event.connector
  return (
    <>
      {about && <span className={event.tool ? 'font-mono text-xs text-ink' : 'text-ink'}>{about}</span>}
      {about && event.message && ' · '}
      {event.message}
    </>
  )
}
