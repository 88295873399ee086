import type { Connection } from '@patchbay/sdk'
import { useMutation } from '@tanstack/react-query'
import { Pencil, RefreshCw, ShieldPlus, Star, Unplug } from 'lucide-react'
import { useState } from 'react'
import { Badge, Dot } from '../parts/badge.tsx'
import { Button } from '../parts/button.tsx'
import { ConfirmDialog, Dialog } from '../parts/dialog.tsx'
import { ErrorNote } from '../parts/error-note.tsx'
import { Field, TextInput } from '../parts/field.tsx'
import { Menu, type MenuItem } from '../parts/menu.tsx'
import { TimeAgo } from '../parts/time-ago.tsx'
import { toast } from '../parts/toasts.tsx'
import { asSentence } from '../parts/words.ts'
import { client } from '../session/client.ts'
import { accountName, connectionState, isUsable, permissionWords } from './connection-state.ts'
import { useConnectionsChanged } from './queries.ts'

interface ConnectionRowProps {
  connection: Connection
  connectorName: string
  /** There are others to the same connector. */
  several: boolean
  onReconnect: (widen?: boolean) => void
}

/** One account on a card: who it is, what agents may do with it, or why they cannot. */
export function ConnectionRow({ connection, connectorName, several, onReconnect }: ConnectionRowProps) {
  const [dialog, setDialog] = useState<'rename' | 'disconnect' | null>(null)
  const changed = useConnectionsChanged()
  const { tone, label: stateLabel } = connectionState(connection)
  const name = accountName(connection)
  const own = connection.label === name ? undefined : connection.label
  const facts = [
    own && name,
    connection.account?.email !== name && connection.account?.email,
    connection.account?.organisation,
  ]
  const usable = isUsable(connection)
  const makeDefault = useMutation({
    mutationFn: () => client.connections.update(connection.id, { user_id: connection.user_id, is_default: true }),
    onSuccess: async () => {
      toast(`${name} is the default for ${connectorName} now.`)
      await changed()
    },
    onError: (error) => toast(`${name} was not made the default: ${error.message}`, 'bad'),
  })
  const items: MenuItem[] = [
    ...(usable
      ? [{ label: 'Change permissions', icon: <ShieldPlus size={15} aria-hidden />, onSelect: () => onReconnect(true) }]
      : []),
    ...(usable
      ? [{ label: 'Reconnect', icon: <RefreshCw size={15} aria-hidden />, onSelect: () => onReconnect() }]
      : []),
    ...(several && !connection.is_default && usable
      ? [{ label: 'Make default', icon: <Star size={15} aria-hidden />, onSelect: () => makeDefault.mutate() }]
      : []),
    { label: 'Rename', icon: <Pencil size={15} aria-hidden />, onSelect: () => setDialog('rename') },
    {
      label: connection.status === 'pending' ? 'Remove' : 'Disconnect',
      icon: <Unplug size={15} aria-hidden />,
      onSelect: () => setDialog('disconnect'),
      danger: true,
    },
  ]

  return (
    <li className="px-4 py-3">
      <div className="flex items-start gap-2.5">
        <span className="flex h-5 items-center">
          <Dot tone={tone} />
        </span>
        <div className="min-w-0 flex-1">
          <div className="flex flex-wrap items-center gap-x-2 gap-y-1">
            <span className="min-w-0 text-sm font-medium break-words">{own ?? name}</span>
            {several && connection.is_default && <Badge>Default</Badge>}
          </div>
          <p className="text-xs break-words text-muted">
            {[...facts, !usable && stateLabel].filter(Boolean).join(' · ')}
            {usable && (
              <>
                {facts.some(Boolean) && ' · '}connected <TimeAgo at={connection.created_at} />
              </>
            )}
          </p>
        </div>
        <Menu name={`More for ${name}`} items={items} />
      </div>
      {usable ? (
        <Permissions connection={connection} />
      ) : (
        <WhyNot connection={connection} onReconnect={() => onReconnect()} />
      )}
      {dialog === 'rename' && <RenameDialog connection={connection} onClose={() => setDialog(null)} />}
      {dialog === 'disconnect' && (
        <DisconnectDialog connection={connection} connectorName={connectorName} onClose={() => setDialog(null)} />
      )}
    </li>
  )
}

/** Granted permissions in words; the first few, the rest on demand. */
function Permissions({ connection }: { connection: Connection }) {
  const [all, setAll] = useState(false)
  const words = permissionWords(connection)
  if (words.length === 0)
    return <p className="mt-1.5 pl-4.5 text-xs text-muted">The service did not say what it allows.</p>
  const shown = all ? words : words.slice(0, 2)
  return (
    <div className="mt-1.5 pl-4.5 text-xs text-muted">
      <ul className="space-y-0.5">
        {shown.map((word) => (
          <li key={word}>{word}</li>
        ))}
      </ul>
      {words.length > 2 && (
        <button
          type="button"
          aria-expanded={all}
          onClick={() => setAll(!all)}
          className="mt-1 rounded font-medium text-ink underline decoration-line-strong underline-offset-2 hover:decoration-ink"
        >
          {all ? 'Show fewer' : `${words.length - 2} more permissions`}
        </button>
      )}
    </div>
  )
}

function WhyNot({ connection, onReconnect }: { connection: Connection; onReconnect: () => void }) {
  const pending = connection.status === 'pending'
  const reason = connection.status_reason
  const message =
    reason?.message ?? (pending ? 'Sign-in at the service was started and never finished.' : 'It stopped working.')
  return (
    <div className="mt-2 ml-4.5 rounded-lg bg-sunken px-3 py-2.5 text-sm">
      <p className="break-words">{message}</p>
      {reason && <p className="mt-0.5 text-xs break-words text-muted">{asSentence(reason.fix)}</p>}
      {reason && (
        <p className="mt-0.5 font-mono text-xs text-muted">
          {reason.code} · <TimeAgo at={reason.at} />
        </p>
      )}
      <Button size="small" className="mt-2" icon={<RefreshCw size={14} aria-hidden />} onClick={onReconnect}>
        {pending ? 'Finish connecting' : 'Reconnect'}
      </Button>
    </div>
  )
}

function RenameDialog({ connection, onClose }: { connection: Connection; onClose: () => void }) {
  const [label, setLabel] = useState(connection.label)
  const changed = useConnectionsChanged()
  const rename = useMutation({
    mutationFn: () => client.connections.update(connection.id, { user_id: connection.user_id, label: label.trim() }),
    onSuccess: async () => {
      onClose()
      await changed()
    },
  })
  return (
    <Dialog
      open
      onClose={onClose}
      title={`Rename ${accountName(connection)}`}
      footer={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button
            look="primary"
            type="submit"
            form="rename"
            busy={rename.isPending}
            why={label.trim() ? undefined : 'A name needs at least one letter.'}
          >
            Rename
          </Button>
        </>
      }
    >
      <form
        id="rename"
        onSubmit={(event) => {
          event.preventDefault()
          if (label.trim()) rename.mutate()
        }}
      >
        <Field label="Name" help="Agents and people choose between several accounts by this name.">
          {(ids) => (
            <TextInput {...ids} maxLength={100} value={label} onChange={(event) => setLabel(event.target.value)} />
          )}
        </Field>
        {rename.error && <ErrorNote error={rename.error} className="mt-4" />}
      </form>
    </Dialog>
  )
}

interface DisconnectDialogProps {
  connection: Connection
  connectorName: string
  onClose: () => void
}

function DisconnectDialog({ connection, connectorName, onClose }: DisconnectDialogProps) {
  const changed = useConnectionsChanged()
  const disconnect = useMutation({
    mutationFn: () => client.connections.disconnect(connection.id, { user_id: connection.user_id }),
    onSuccess: async (reply) => {
      onClose()
      toast(reply.message)
      await changed()
    },
  })
  const pending = connection.status === 'pending'
  const name = accountName(connection)
  return (
    <ConfirmDialog
      open
      onClose={onClose}
      onConfirm={() => disconnect.mutate()}
      busy={disconnect.isPending}
      error={disconnect.error}
      title={pending ? 'Remove the unfinished connection?' : `Disconnect ${name}?`}
      action={pending ? 'Remove' : 'Disconnect'}
    >
      {pending ? (
        <p>Nothing was connected, so nothing is lost.</p>
      ) : (
        <>
          <p>
            Access is revoked at {connectorName}, then the stored tokens are deleted here. If {connectorName} cannot be
            reached they are deleted all the same, and you are told.
          </p>
          <p>Agents of user {connection.user_id} lose its tools at once. Nothing in the account itself changes.</p>
        </>
      )}
    </ConfirmDialog>
  )
}
