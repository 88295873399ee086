import type { Connection, ConnectorDetail } from '@patchbay/sdk'
import { useQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { Check, ExternalLink } from 'lucide-react'
import { useCallback, useState } from 'react'
import { EffectBadge } from '../parts/badge.tsx'
import { Button } from '../parts/button.tsx'
import { Dialog } from '../parts/dialog.tsx'
import { ErrorNote } from '../parts/error-note.tsx'
import { Choice } from '../parts/field.tsx'
import { Loading, Skeleton } from '../parts/page.tsx'
import { SearchField } from '../parts/search-field.tsx'
import { toast } from '../parts/toasts.tsx'
import { type Draft, draftOf, readDraft } from '../tools/form-draft.ts'
import { formModel } from '../tools/form-model.ts'
import { SchemaForm } from '../tools/schema-form.tsx'
import { chosenTools, type Permission, permissionsInWords, toolsToAsk } from './chosen-permissions.ts'
import { useConnectFlow } from './connect-flow.ts'
import { accountName } from './connection-state.ts'
import { connectorQuery, useConnectionsChanged } from './queries.ts'

export interface ConnectTarget {
  connectorId: string
  name: string
  userId: string
  /** Reconnect this one, or give it further permissions. */
  connection?: Connection
  /** It works, and is to be allowed more. */
  widen?: boolean
  /** Ask for these tools from the start. */
  tools?: readonly string[]
}

/** Choose what an agent may do, then allow it in the provider's own window. */
export function ConnectDialog({ target, onClose }: { target: ConnectTarget; onClose: () => void }) {
  const connector = useQuery(connectorQuery(target.connectorId))
  const title = titleOf(target)
  if (connector.data) return <Choosing connector={connector.data} target={target} title={title} onClose={onClose} />
  return (
    <Dialog open onClose={onClose} title={title}>
      {connector.error ? (
        <ErrorNote error={connector.error} />
      ) : (
        <Loading what={target.name}>
          <Skeleton className="h-16" />
          <Skeleton className="mt-2 h-16" />
          <Skeleton className="mt-2 h-16" />
        </Loading>
      )}
    </Dialog>
  )
}

interface ChoosingProps {
  connector: ConnectorDetail
  target: ConnectTarget
  title: string
  onClose: () => void
}

function Choosing({ connector, target, title, onClose }: ChoosingProps) {
  const [permission, setPermission] = useState<Permission>(target.tools ? 'pick' : target.widen ? 'write' : 'read')
  const [picked, setPicked] = useState<ReadonlySet<string>>(new Set(target.tools))
  const form = formModel(connector.form)
  const [settings, setSettings] = useState<Draft>(draftOf(form, undefined))
  const [problems, setProblems] = useState<Record<string, string>>({})
  const changed = useConnectionsChanged()
  const { connection, userId } = target
  const navigate = useNavigate()
  const connected = useCallback(
    async (found: Connection) => {
      onClose()
      const name = firstToTry(connector)
      const tryIt = name !== undefined && {
        label: 'Try a tool',
        onSelect: () => void navigate({ to: '/tools/$name', params: { name } }),
      }
      toast(
        `${connector.name} is connected as ${accountName(found)}.`,
        'good',
        connection || !tryIt ? undefined : tryIt,
      )
      await changed()
    },
    [onClose, connector, connection, changed, navigate],
  )
  const flow = useConnectFlow(connected)

  const start = (allowOtherAccount = false) => {
    const read = readDraft(form, settings)
    setProblems(read.problems)
    if (Object.keys(read.problems).length > 0) return
    const tools = toolsToAsk(permission, picked)
    flow.start({
      user_id: userId,
      provider: connector.id,
      ...(tools && { tools }),
      ...(Object.keys(read.value).length > 0 && { settings: textValues(read.value) }),
      ...(connection && { connection_id: connection.id }),
      ...(allowOtherAccount && { allow_other_account: true }),
    })
  }
  const close = () => {
    flow.cancel()
    onClose()
  }

  if (flow.state.step === 'waiting') {
    return (
      <Dialog open onClose={close} title={title} footer={<Button onClick={flow.cancel}>Back</Button>}>
        <div role="status" className="flex flex-col items-center gap-4 rounded-lg bg-sunken px-5 py-9 text-center">
          {flow.closed ? (
            <>
              <div>
                <p className="font-medium">The window was closed</p>
                <p className="mt-1 text-sm text-muted">
                  Or {connector.name} hides it from this page: if you are still in it, finish there and this page
                  notices.
                </p>
              </div>
              <Button size="small" icon={<ExternalLink size={14} aria-hidden />} onClick={() => start()}>
                Open it again
              </Button>
            </>
          ) : (
            <>
              <span className="relative flex size-3">
                <span className="absolute inset-0 animate-ping rounded-full bg-signal opacity-60" />
                <span className="size-3 rounded-full bg-signal" />
              </span>
              <div>
                <p className="font-medium">Waiting for {connector.name}</p>
                <p className="mt-1 text-sm text-muted">
                  Sign in and allow access in the window that opened. This page notices by itself.
                </p>
              </div>
              <Button size="small" icon={<ExternalLink size={14} aria-hidden />} onClick={flow.focus}>
                Show that window
              </Button>
            </>
          )}
        </div>
      </Dialog>
    )
  }

  const usable = chosenTools(connector, permission, picked)
  const before = (connection?.permissions ?? []).map(({ description }) => description)
  const words = [...new Set([...before, ...permissionsInWords(connector, usable)])]
  const writes = connector.tools.filter((tool) => tool.effect !== 'read').length
  const destructive = connector.tools.filter((tool) => tool.effect === 'destructive').length
  const why = permission === 'pick' && picked.size === 0 ? 'Pick at least one tool first.' : undefined
  const error = flow.state.step === 'failed' ? flow.state.error : undefined

  return (
    <Dialog
      open
      onClose={close}
      title={title}
      description={
        connection
          ? 'What was allowed before stays; choose what to ask for beyond it.'
          : `For user ${userId}. You can give more permissions later.`
      }
      footer={
        <>
          <Button onClick={close}>Cancel</Button>
          <Button
            look="primary"
            busy={flow.state.step === 'starting'}
            why={why}
            icon={<ExternalLink size={14} aria-hidden />}
            onClick={() => start()}
          >
            Continue to {connector.name}
          </Button>
        </>
      }
    >
      <div className="space-y-4">
        {error !== undefined && (
          <ErrorNote error={error}>
            {isOtherAccount(error) && (
              <Button size="small" className="mt-1" onClick={() => start(true)}>
                Connect the other account instead
              </Button>
            )}
          </ErrorNote>
        )}
        {form.fields.length > 0 && (
          <SchemaForm model={form} draft={settings} onChange={setSettings} problems={problems} />
        )}
        <fieldset className="space-y-2">
          <legend className="mb-2 text-sm font-medium">What agents may do</legend>
          <Choice
            type="radio"
            name="permission"
            checked={permission === 'read'}
            onChange={() => setPermission('read')}
            title={connection ? 'As before' : 'Read only'}
            detail={
              connection
                ? 'What was allowed before, and all tools that only read.'
                : `${connector.tools.length - writes} of ${connector.tools.length} tools, those that only read.`
            }
          />
          <Choice
            type="radio"
            name="permission"
            checked={permission === 'write'}
            onChange={() => setPermission('write')}
            title="Read and write"
            detail={`All ${connector.tools.length} tools${destructive > 0 ? `, ${destructive} of which can delete or overwrite` : ''}.`}
          />
          <Choice
            type="radio"
            name="permission"
            checked={permission === 'pick'}
            onChange={() => setPermission('pick')}
            title="Pick tools"
            detail="Exactly what the tools you choose need."
          />
        </fieldset>
        {permission === 'pick' && <ToolPicker connector={connector} picked={picked} onChange={setPicked} />}
        {words.length > 0 && (
          <div>
            <h3 className="text-sm font-medium">{connector.name} will ask you to allow</h3>
            <ul className="mt-1.5 space-y-1 text-sm text-muted">
              {words.map((word) => (
                <li key={word} className="flex gap-2">
                  <Check size={14} className="mt-1 shrink-0 text-good" aria-hidden />
                  {word}
                </li>
              ))}
            </ul>
          </div>
        )}
      </div>
    </Dialog>
  )
}

interface ToolPickerProps {
  connector: ConnectorDetail
  picked: ReadonlySet<string>
  onChange: (picked: ReadonlySet<string>) => void
}

function ToolPicker({ connector, picked, onChange }: ToolPickerProps) {
  const [query, setQuery] = useState('')
  const wanted = query.trim().toLowerCase()
  const shown = connector.tools.filter(({ name, title }) => `${title} ${name}`.toLowerCase().includes(wanted))
  const toggle = (name: string) => {
    const next = new Set(picked)
    if (!next.delete(name)) next.add(name)
    onChange(next)
  }
  return (
    <div className="rounded-lg border border-line">
      <SearchField label="Find a tool" value={query} onChange={setQuery} className="p-2" />
      <ul className="max-h-64 overflow-y-auto border-t border-line p-1">
        {shown.map((tool) => (
          <li key={tool.name}>
            <label className="flex min-h-9 items-center gap-3 rounded-md px-2.5 py-1 text-sm hover:bg-sunken">
              <input type="checkbox" checked={picked.has(tool.name)} onChange={() => toggle(tool.name)} />
              <span className="min-w-0 flex-1">{tool.title}</span>
              <EffectBadge effect={tool.effect} />
            </label>
          </li>
        ))}
        {shown.length === 0 && <li className="px-3 py-4 text-sm text-muted">No tool matches “{query}”.</li>}
      </ul>
    </div>
  )
}

function titleOf({ connection, widen, name }: ConnectTarget): string {
  if (!connection) return `Connect ${name}`
  return widen ? `Change what agents may do as ${accountName(connection)}` : `Reconnect ${accountName(connection)}`
}

/** A tool that shows something at once: it only reads and needs no input. */
function firstToTry({ tools }: ConnectorDetail): string | undefined {
  return tools.find(({ effect, parameters }) => {
    const required = parameters['required']
    return effect === 'read' && !(Array.isArray(required) && required.length > 0)
  })?.name
}

function isOtherAccount(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'account_mismatch'
}

/** Settings travel as text. */
function textValues(values: Record<string, unknown>): Record<string, string> {
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [key, String(value)]))
}
