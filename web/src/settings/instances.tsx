import type { Instance } from '@patchbay/sdk'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Cable, Plus } from 'lucide-react'
import { useState } from 'react'
import { AddressFields, RotateDialog } from '../agents/address-card.tsx'
import { instancesQuery } from '../agents/queries.ts'
import { showToken, useShownToken } from '../agents/shown-tokens.ts'
import { Badge } from '../parts/badge.tsx'
import { Button } from '../parts/button.tsx'
import { ConfirmDialog, Dialog } from '../parts/dialog.tsx'
import { ErrorNote } from '../parts/error-note.tsx'
import { Field, TextInput } from '../parts/field.tsx'
import { Menu } from '../parts/menu.tsx'
import { Empty } from '../parts/page.tsx'
import { TimeAgo } from '../parts/time-ago.tsx'
import { toast } from '../parts/toasts.tsx'
import { useActingUser } from '../session/acting-user.ts'
import { client } from '../session/client.ts'
import { PolicyFields } from './policy-fields.tsx'
import { policyForm, policyInWords, policyOf } from './policy-words.ts'
import { Row, Rows, SectionHead } from './rows.tsx'

type Open = { what: 'new' } | { what: 'edit' | 'rotate' | 'delete' | 'show'; instance: Instance }

export function Instances() {
  const instances = useQuery(instancesQuery())
  const [open, setOpen] = useState<Open | null>(null)
  const close = () => setOpen(null)
  const create = (
    <Button look="primary" icon={<Plus size={15} aria-hidden />} onClick={() => setOpen({ what: 'new' })}>
      Create an address
    </Button>
  )
  return (
    <>
      <SectionHead lead="Each is one user's tools for one agent, with its own token and limits. All users are listed.">
        {create}
      </SectionHead>
      <Rows
        label="MCP addresses"
        query={instances}
        empty={
          <Empty icon={<Cable size={26} aria-hidden />} title="No MCP addresses" action={create}>
            An agent reaches a user's tools through one.
          </Empty>
        }
      >
        {(instance) => (
          <Row
            key={instance.id}
            title={instance.name}
            badges={<Badge>{policyInWords(instance.policy)}</Badge>}
            facts={
              <>
                <span>user {instance.user_id}</span>
                <span className="font-mono">{instance.token_prefix}…</span>
                <span>
                  {instance.last_used_at ? (
                    <>
                      used <TimeAgo at={instance.last_used_at} />
                    </>
                  ) : (
                    'never used'
                  )}
                </span>
              </>
            }
            action={
              <Menu
                name={`More for ${instance.name}`}
                items={[
                  { label: 'Show address', onSelect: () => setOpen({ what: 'show', instance }) },
                  { label: 'Edit name and limits', onSelect: () => setOpen({ what: 'edit', instance }) },
                  { label: 'Make a new token', onSelect: () => setOpen({ what: 'rotate', instance }) },
                  { label: 'Delete', onSelect: () => setOpen({ what: 'delete', instance }), danger: true },
                ]}
              />
            }
          />
        )}
      </Rows>
      {open?.what === 'new' && (
        <InstanceDialog onClose={close} onCreated={(instance) => setOpen({ what: 'show', instance })} />
      )}
      {open?.what === 'edit' && <InstanceDialog instance={open.instance} onClose={close} />}
      {open?.what === 'rotate' && <RotateThenShow instance={open.instance} onClose={close} />}
      {open?.what === 'delete' && <DeleteDialog instance={open.instance} onClose={close} />}
      {open?.what === 'show' && (
        <Dialog
          open
          onClose={close}
          title={open.instance.name}
          description={`For agents of user ${open.instance.user_id}.`}
        >
          <AddressFields instance={open.instance} />
        </Dialog>
      )}
    </>
  )
}

/** Once there is a new token, the same window shows it. */
function RotateThenShow({ instance, onClose }: { instance: Instance; onClose: () => void }) {
  const [before] = useState(useShownToken(instance.id))
  const token = useShownToken(instance.id)
  if (token === before) return <RotateDialog instance={instance} onClose={onClose} keepOpen />
  return (
    <Dialog open onClose={onClose} title={instance.name} description={`For agents of user ${instance.user_id}.`}>
      <AddressFields instance={instance} />
    </Dialog>
  )
}

interface InstanceDialogProps {
  instance?: Instance
  onClose: () => void
  onCreated?: (instance: Instance) => void
}

function InstanceDialog({ instance, onClose, onCreated }: InstanceDialogProps) {
  const [acting] = useActingUser()
  const [name, setName] = useState(instance?.name ?? '')
  const [user, setUser] = useState(instance?.user_id ?? acting)
  const [policy, setPolicy] = useState(policyForm(instance?.policy ?? {}))
  const [problem, setProblem] = useState<string>()
  const queries = useQueryClient()
  const save = useMutation({
    mutationFn: async () => {
      const limits = { ...policyOf(policy), ...(instance?.policy.users && { users: instance.policy.users }) }
      if (instance) {
        await client.instances.update(instance.id, { user_id: instance.user_id, name: name.trim(), policy: limits })
        return undefined
      }
      return client.instances.create({ user_id: user.trim() || acting, name: name.trim(), policy: limits })
    },
    onSuccess: async (created) => {
      if (created) showToken(created.id, created.token)
      await queries.invalidateQueries({ queryKey: ['instances'] })
      if (created && onCreated) onCreated(created)
      else {
        onClose()
        toast('Saved. It holds from the next call on.')
      }
    },
  })
  const submit = () => {
    if (!name.trim()) return setProblem('Give it a name that says which agent uses it.')
    setProblem(undefined)
    save.mutate()
  }
  return (
    <Dialog
      open
      onClose={onClose}
      title={instance ? `Edit ${instance.name}` : 'Create an MCP address'}
      footer={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button look="primary" type="submit" form="instance" busy={save.isPending}>
            {instance ? 'Save' : 'Create'}
          </Button>
        </>
      }
    >
      <form
        id="instance"
        noValidate
        className="space-y-5"
        onSubmit={(event) => {
          event.preventDefault()
          submit()
        }}
      >
        <Field label="Name" required problem={problem}>
          {(ids) => (
            <TextInput
              {...ids}
              maxLength={100}
              placeholder="Claude Code on my laptop"
              value={name}
              onChange={(event) => setName(event.target.value)}
            />
          )}
        </Field>
        {!instance && (
          <Field label="User id" help="Whose connections it uses. It cannot be changed later.">
            {(ids) => <TextInput {...ids} value={user} onChange={(event) => setUser(event.target.value)} />}
          </Field>
        )}
        <PolicyFields form={policy} onChange={setPolicy} />
        {save.error && <ErrorNote error={save.error} />}
      </form>
    </Dialog>
  )
}

function DeleteDialog({ instance, onClose }: { instance: Instance; onClose: () => void }) {
  const queries = useQueryClient()
  const remove = useMutation({
    mutationFn: () => client.instances.remove(instance.id, { user_id: instance.user_id }),
    onSuccess: async () => {
      onClose()
      toast(`${instance.name} is deleted.`)
      await queries.invalidateQueries({ queryKey: ['instances'] })
    },
  })
  return (
    <ConfirmDialog
      open
      onClose={onClose}
      onConfirm={() => remove.mutate()}
      busy={remove.isPending}
      error={remove.error}
      title={`Delete ${instance.name}?`}
      action="Delete"
    >
      <p>Its address and token stop working at once. The accounts of user {instance.user_id} stay connected.</p>
    </ConfirmDialog>
  )
}
