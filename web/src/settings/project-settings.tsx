import type { Project } from '@patchbay/sdk'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Plus, Trash2 } from 'lucide-react'
import { useState } from 'react'
import { Button, IconButton } from '../parts/button.tsx'
import { ErrorNote } from '../parts/error-note.tsx'
import { Field, TextInput } from '../parts/field.tsx'
import { Card } from '../parts/page.tsx'
import { toast } from '../parts/toasts.tsx'
import { client } from '../session/client.ts'
import { sessionQuery } from '../session/queries.ts'
import { redirectAddressProblem } from './redirect-address.ts'

export function ProjectSettings() {
  const session = useQuery(sessionQuery)
  const project = session.data?.project
  if (!project) return null
  return (
    <div className="max-w-2xl space-y-6">
      <NameCard project={project} />
      <RedirectCard project={project} />
    </div>
  )
}

function NameCard({ project }: { project: Project }) {
  const [name, setName] = useState(project.name)
  const save = useProjectUpdate(project)
  const why = !name.trim()
    ? 'A project needs a name.'
    : name.trim() === project.name
      ? 'The name has not changed.'
      : undefined
  return (
    <Card className="p-5">
      <form
        onSubmit={(event) => {
          event.preventDefault()
          if (!why) save.mutate({ name: name.trim() })
        }}
      >
        <Field label="Project name" help="Users see it on the hosted connect page.">
          {(ids) => (
            <div className="flex gap-2">
              <TextInput {...ids} maxLength={100} value={name} onChange={(event) => setName(event.target.value)} />
              <Button type="submit" busy={save.isPending} why={why}>
                Save
              </Button>
            </div>
          )}
        </Field>
        {save.error && <ErrorNote error={save.error} className="mt-3" />}
      </form>
    </Card>
  )
}

/** Where a browser may be sent back to after connecting. Each change is saved at once. */
function RedirectCard({ project }: { project: Project }) {
  const [address, setAddress] = useState('')
  const [problem, setProblem] = useState<string>()
  const save = useProjectUpdate(project)
  const add = () => {
    const wanted = address.trim()
    const found = project.redirect_urls.includes(wanted) ? 'It is on the list already.' : redirectAddressProblem(wanted)
    setProblem(found)
    if (!found) save.mutate({ redirect_urls: [...project.redirect_urls, wanted] }, { onSuccess: () => setAddress('') })
  }
  return (
    <Card className="p-5">
      <h2 className="text-sm font-semibold">Redirect addresses</h2>
      <p className="mt-0.5 mb-4 text-sm text-muted">
        Pages of your app that users may be sent back to after connecting, and whose origins may open the connect popup.
        This dashboard needs none.
      </p>
      {project.redirect_urls.length > 0 && (
        <ul className="mb-4 divide-y divide-line rounded-lg border border-line">
          {project.redirect_urls.map((one) => (
            <li key={one} className="flex items-center gap-2 py-0.5 pr-1 pl-3">
              <code className="min-w-0 flex-1 font-mono text-xs break-all">{one}</code>
              <IconButton
                name={`Remove ${one}`}
                onClick={() => save.mutate({ redirect_urls: project.redirect_urls.filter((other) => other !== one) })}
              >
                <Trash2 size={15} aria-hidden />
              </IconButton>
            </li>
          ))}
        </ul>
      )}
      <form
        noValidate
        onSubmit={(event) => {
          event.preventDefault()
          add()
        }}
      >
        <Field label="Add an address" problem={problem} help="Exact, or ending in /* for everything below.">
          {(ids) => (
            <div className="flex gap-2">
              <TextInput
                {...ids}
                type="url"
                placeholder="https://app.example.com/connected"
                className="font-mono placeholder:font-sans"
                value={address}
                onChange={(event) => setAddress(event.target.value)}
              />
              <Button type="submit" busy={save.isPending} icon={<Plus size={15} aria-hidden />}>
                Add
              </Button>
            </div>
          )}
        </Field>
      </form>
      {save.error && <ErrorNote error={save.error} className="mt-3" />}
    </Card>
  )
}

function useProjectUpdate(project: Project) {
  const queries = useQueryClient()
  return useMutation({
    mutationFn: (changes: { name?: string; redirect_urls?: string[] }) => client.projects.update(project.id, changes),
    onSuccess: (updated) => {
      queries.setQueryData(sessionQuery.queryKey, (session) => session && { ...session, project: updated })
      toast('Saved.')
    },
  })
}
