import type { Connection, ConnectorSummary } from '@patchbay/sdk'
import { useQuery } from '@tanstack/react-query'
import { getRouteApi } from '@tanstack/react-router'
import { SearchX } from 'lucide-react'
import { useCallback, useEffect, useState } from 'react'
import { Button } from '../parts/button.tsx'
import { ErrorNote } from '../parts/error-note.tsx'
import { Empty, Loading, PageHead, Skeleton } from '../parts/page.tsx'
import { SearchField } from '../parts/search-field.tsx'
import { useActingUser } from '../session/acting-user.ts'
import { ConnectDialog } from './connect-dialog.tsx'
import { isDead, isUsable } from './connection-state.ts'
import { ConnectorCard } from './connector-card.tsx'
import { MissingOAuthApp } from './missing-oauth-app.tsx'
import { connectionsQuery, connectorsQuery } from './queries.ts'

const route = getRouteApi('/connectors')

type Filter = 'all' | 'connected' | 'attention'

export function ConnectorsPage() {
  const [user] = useActingUser()
  const connectors = useQuery(connectorsQuery)
  const connections = useQuery(connectionsQuery(user))
  const [query, setQuery] = useState('')
  const [filter, setFilter] = useState<Filter>('all')
  const [setUp, setSetUp] = useState<ConnectorSummary | null>(null)
  const [connecting, setConnecting] = useState<{
    connector: ConnectorSummary
    connection?: Connection
    widen?: boolean
  } | null>(null)
  const wanted = useWantedConnector(connectors.data, (connector) =>
    connector.configured ? setConnecting({ connector }) : setSetUp(connector),
  )
  const stopConnecting = useCallback(() => {
    setConnecting(null)
    wanted.done()
  }, [wanted.done])

  const of = (connector: ConnectorSummary) => (connections.data ?? []).filter((one) => one.connector === connector.id)
  const words = query.trim().toLowerCase()
  const shown = (connectors.data ?? [])
    .filter(({ name, category, description, id }) =>
      `${name} ${id} ${category} ${description}`.toLowerCase().includes(words),
    )
    .filter((connector) => {
      if (filter === 'connected') return of(connector).some(isUsable)
      return filter === 'all' || of(connector).some(isDead)
    })
    .sort((a, b) => rank(of(b), b) - rank(of(a), a) || a.name.localeCompare(b.name))
  const attention = (connections.data ?? []).filter(isDead).length
  const error = connectors.error ?? connections.error

  return (
    <>
      <PageHead title="Connectors" lead="The accounts that agents may use, each with the permissions you give it." />
      <div className="mb-5 flex flex-wrap items-center gap-3">
        <SearchField label="Search connectors" value={query} onChange={setQuery} className="w-full sm:w-80" />
        <fieldset className="flex gap-1">
          <legend className="sr-only">Show</legend>
          {FILTERS.map(([value, label]) => (
            <label
              key={value}
              className="inline-flex h-9 items-center rounded-md px-3 text-sm font-medium text-muted hover:bg-hover hover:text-ink has-checked:bg-hover has-checked:text-ink has-focus-visible:outline-2 has-focus-visible:outline-accent pointer-coarse:h-11"
            >
              <input
                type="radio"
                name="filter"
                className="sr-only"
                checked={filter === value}
                onChange={() => setFilter(value)}
              />
              {label}
              {value === 'attention' && attention > 0 && <span className="ml-1.5 text-bad">{attention}</span>}
            </label>
          ))}
        </fieldset>
      </div>

      {error && <ErrorNote error={error} className="mb-5" />}
      {connectors.isPending || (connections.isPending && !connections.error) ? (
        <Loading what="connectors">
          <div className={GRID}>
            {['a', 'b', 'c', 'd', 'e', 'f'].map((key) => (
              <Skeleton key={key} className="h-44 rounded-xl" />
            ))}
          </div>
        </Loading>
      ) : shown.length > 0 ? (
        <div className={GRID}>
          {shown.map((connector) => (
            <ConnectorCard
              key={connector.id}
              connector={connector}
              connections={of(connector)}
              onConnect={(connection, widen) =>
                setConnecting({ connector, ...(connection && { connection }), ...(widen && { widen }) })
              }
              onSetUp={() => setSetUp(connector)}
            />
          ))}
        </div>
      ) : connectors.data ? (
        <NothingFound query={query} filter={filter} onReset={() => [setQuery(''), setFilter('all')]} />
      ) : null}

      {setUp && (
        <MissingOAuthApp
          connector={setUp}
          onClose={() => {
            setSetUp(null)
            wanted.done()
          }}
          onSaved={() => {
            setSetUp(null)
            setConnecting({ connector: { ...setUp, configured: true } })
          }}
        />
      )}
      {connecting && (
        <ConnectDialog
          target={{
            connectorId: connecting.connector.id,
            name: connecting.connector.name,
            userId: user,
            ...(connecting.connection && { connection: connecting.connection }),
            ...(connecting.widen && { widen: true }),
          }}
          onClose={stopConnecting}
        />
      )}
    </>
  )
}

const GRID = 'grid items-start gap-4 sm:grid-cols-2 xl:grid-cols-3'
const FILTERS = [
  ['all', 'All'],
  ['connected', 'Connected'],
  ['attention', 'Needs attention'],
] as const

/** Accounts first, then what can be connected now. */
function rank(connections: readonly Connection[], connector: ConnectorSummary): number {
  if (connections.length > 0) return 2
  return connector.configured ? 1 : 0
}

/** `?connect=gmail` opens that connector's dialog, once. */
function useWantedConnector(
  connectors: readonly ConnectorSummary[] | undefined,
  open: (connector: ConnectorSummary) => void,
) {
  const { connect } = route.useSearch()
  const navigate = route.useNavigate()
  // biome-ignore lint/correctness/useExhaustiveDependencies: `open` is new with every render; the address decides
  useEffect(() => {
    const connector = connectors?.find(({ id }) => id === connect)
    if (connector) open(connector)
  }, [connect, connectors !== undefined])
  return { done: useCallback(() => void navigate({ search: {}, replace: true }), [navigate]) }
}

function NothingFound({ query, filter, onReset }: { query: string; filter: Filter; onReset: () => void }) {
  const calm = filter === 'attention' && query === ''
  return (
    <Empty
      icon={<SearchX size={26} aria-hidden />}
      title={calm ? 'Every connection works' : query ? `No connector matches “${query}”` : 'Nothing is connected yet'}
      action={<Button onClick={onReset}>Show all connectors</Button>}
    >
      {calm
        ? 'One that stops working shows up here with the reason and what to do.'
        : 'Look at all of them, and choose Connect on a card.'}
    </Empty>
  )
}
