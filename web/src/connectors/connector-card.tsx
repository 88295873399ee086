import type { Connection, ConnectorSummary } from '@patchbay/sdk'
import { KeyRound, Plus } from 'lucide-react'
import { Badge } from '../parts/badge.tsx'
import { Button } from '../parts/button.tsx'
import { inWords } from '../parts/words.ts'
import { ConnectionRow } from './connection-row.tsx'
import { cardState, isUsable } from './connection-state.ts'
import { Glyph } from './glyph.tsx'

interface ConnectorCardProps {
  connector: ConnectorSummary
  connections: readonly Connection[]
  onConnect: (connection?: Connection, widen?: boolean) => void
  onSetUp: () => void
}

export function ConnectorCard({ connector, connections, onConnect, onSetUp }: ConnectorCardProps) {
  const state = cardState(connections)
  const usable = connections.some(isUsable)
  return (
    <article
      aria-label={connector.name}
      className="flex flex-col rounded-xl border border-line bg-surface shadow-card transition-colors hover:border-line-strong"
    >
      <div className="flex items-start gap-3 p-4 pb-3">
        <Glyph id={connector.id} name={connector.name} kind={connector.kind} />
        <div className="min-w-0 flex-1">
          <div className="flex flex-wrap items-center justify-between gap-x-2 gap-y-1">
            <h2 className="truncate text-base font-semibold tracking-tight">{connector.name}</h2>
            {state && <Badge tone={state.tone}>{state.label}</Badge>}
          </div>
          <p className="text-xs text-muted">
            {inWords(connector.category)} · {connector.tools_count} {connector.tools_count === 1 ? 'tool' : 'tools'}
          </p>
        </div>
      </div>
      {connections.length === 0 && <p className="px-4 pb-1 text-sm text-muted">{connector.description}</p>}
      {connections.length > 0 && (
        <ul className="divide-y divide-line border-t border-line" aria-label={`Accounts at ${connector.name}`}>
          {connections.map((connection) => (
            <ConnectionRow
              key={connection.id}
              connection={connection}
              connectorName={connector.name}
              several={connections.length > 1}
              onReconnect={(widen) => onConnect(connection, widen)}
            />
          ))}
        </ul>
      )}
      <div className="mt-auto p-4 pt-3">
        {connector.configured ? (
          <Button
            look={connections.length === 0 ? 'secondary' : 'quiet'}
            size={connections.length === 0 ? 'normal' : 'small'}
            className={connections.length === 0 ? 'w-full' : '-ml-2'}
            icon={connections.length > 0 && <Plus size={15} aria-hidden />}
            aria-label={
              connections.length === 0 ? `Connect ${connector.name}` : `Add another account at ${connector.name}`
            }
            onClick={() => onConnect()}
          >
            {connections.length === 0 ? 'Connect' : usable ? 'Add another account' : 'Connect another account'}
          </Button>
        ) : (
          <>
            <Button
              className="w-full"
              icon={<KeyRound size={15} aria-hidden />}
              aria-label={`Connect ${connector.name}: set up its OAuth app first`}
              onClick={onSetUp}
            >
              Set up to connect
            </Button>
            <p className="mt-2 text-xs text-muted">Needs your OAuth app at the service, once for all users.</p>
          </>
        )}
      </div>
    </article>
  )
}
