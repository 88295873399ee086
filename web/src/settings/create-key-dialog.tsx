import type { ApiKeyCreated, Role } from '@patchbay/sdk'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { Button } from '../parts/button.tsx'
import { CopyField } from '../parts/copy.tsx'
import { Dialog } from '../parts/dialog.tsx'
import { ErrorNote } from '../parts/error-note.tsx'
import { Choice, Field, Select, TextInput } from '../parts/field.tsx'
import { client } from '../session/client.ts'
import { PolicyFields } from './policy-fields.tsx'
import { policyForm, policyOf } from './policy-words.ts'

const ROLES: { role: Role; title: string; detail: string }[] = [
  { role: 'app', title: 'App', detail: 'For your backend: acts for any user of this project.' },
  { role: 'user', title: 'One user', detail: 'For a browser or script of one user. Give it a short life.' },
  { role: 'admin', title: 'Admin', detail: 'Runs the project: keys, OAuth apps, every connection. Signs in here.' },
]

const DAY = 24 * 3600
const LIVES = [
  [0, 'Until revoked'],
  [3600, 'One hour'],
  [DAY, 'One day'],
  [30 * DAY, '30 days'],
  [365 * DAY, 'One year'],
] as const

export function CreateKeyDialog({ onClose }: { onClose: () => void }) {
  const [created, setCreated] = useState<ApiKeyCreated | null>(null)
  if (created) return <CreatedKey created={created} onClose={onClose} />
  return <NewKey onClose={onClose} onCreated={setCreated} />
}

function NewKey({ onClose, onCreated }: { onClose: () => void; onCreated: (key: ApiKeyCreated) => void }) {
  const [name, setName] = useState('')
  const [role, setRole] = useState<Role>('app')
  const [user, setUser] = useState('')
  const [life, setLife] = useState(0)
  const [policy, setPolicy] = useState(policyForm({}))
  const [problems, setProblems] = useState<{ name?: string; user?: string }>({})
  const queries = useQueryClient()
  const create = useMutation({
    mutationFn: () =>
      client.apiKeys.create({
        name: name.trim(),
        role,
        policy: policyOf(policy),
        ...(role === 'user' && { user_id: user.trim() }),
        ...(life > 0 && { expires_in: life }),
      }),
    onSuccess: async (key) => {
      onCreated(key)
      await queries.invalidateQueries({ queryKey: ['api-keys'] })
    },
  })
  const submit = () => {
    const found: typeof problems = {
      ...(!name.trim() && { name: 'Give it a name that says what uses it.' }),
      ...(role === 'user' && !user.trim() && { user: 'Say which user it acts for.' }),
    }
    setProblems(found)
    if (Object.keys(found).length === 0) create.mutate()
  }
  const choose = (next: Role) => {
    setRole(next)
    if (next === 'user' && life === 0) setLife(3600)
  }

  return (
    <Dialog
      open
      wide
      onClose={onClose}
      title="Create an API key"
      footer={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button look="primary" type="submit" form="new-key" busy={create.isPending}>
            Create
          </Button>
        </>
      }
    >
      <form
        id="new-key"
        noValidate
        className="space-y-5"
        onSubmit={(event) => {
          event.preventDefault()
          submit()
        }}
      >
        <Field label="Name" required problem={problems.name}>
          {(ids) => (
            <TextInput
              {...ids}
              maxLength={100}
              placeholder="Production backend"
              value={name}
              onChange={(event) => setName(event.target.value)}
            />
          )}
        </Field>
        <fieldset className="grid gap-2 sm:grid-cols-3">
          <legend className="mb-1.5 text-sm font-medium">Role</legend>
          {ROLES.map(({ role: one, title, detail }) => (
            <Choice
              key={one}
              type="radio"
              name="role"
              checked={role === one}
              onChange={() => choose(one)}
              title={title}
              detail={detail}
            />
          ))}
        </fieldset>
        {role === 'user' && (
          <Field label="User id" required problem={problems.user}>
            {(ids) => <TextInput {...ids} value={user} onChange={(event) => setUser(event.target.value)} />}
          </Field>
        )}
        <Field label="Ends">
          {(ids) => (
            <Select {...ids} value={life} onChange={(event) => setLife(Number(event.target.value))}>
              {LIVES.map(([seconds, label]) => (
                <option key={seconds} value={seconds}>
                  {label}
                </option>
              ))}
            </Select>
          )}
        </Field>
        <PolicyFields form={policy} onChange={setPolicy} />
        {create.error && <ErrorNote error={create.error} />}
      </form>
    </Dialog>
  )
}

function CreatedKey({ created, onClose }: { created: ApiKeyCreated; onClose: () => void }) {
  return (
    <Dialog
      open
      onClose={onClose}
      title={`${created.name} is ready`}
      description="Copy the key now. It is stored only as a hash, so it cannot be shown again."
      footer={
        <Button look="primary" onClick={onClose}>
          I have copied it
        </Button>
      }
    >
      <CopyField label="API key" value={created.secret} secret />
    </Dialog>
  )
}
