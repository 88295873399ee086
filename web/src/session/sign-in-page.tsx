import { useMutation, useQueryClient } from '@tanstack/react-query'
import { Eye, EyeOff } from 'lucide-react'
import { useState } from 'react'
import { Button, IconButton } from '../parts/button.tsx'
import { ErrorNote } from '../parts/error-note.tsx'
import { Field, TextInput } from '../parts/field.tsx'
import { useTabTitle } from '../parts/page.tsx'
import { Mark } from '../shell/mark.tsx'
import { client } from './client.ts'
import { sessionQuery } from './queries.ts'

export function SignInPage() {
  const [key, setKey] = useState('')
  const [shown, setShown] = useState(false)
  const [problem, setProblem] = useState<string>()
  const queries = useQueryClient()
  const signIn = useMutation({
    mutationFn: () => client.session.signIn(key.trim()),
    onSuccess: (session) => queries.setQueryData(sessionQuery.queryKey, session),
  })
  useTabTitle('Sign in')
  const submit = () => {
    if (key.trim() === '') return setProblem('Paste the admin key here first.')
    signIn.mutate()
  }

  return (
    <main className="mx-auto flex min-h-dvh w-full max-w-[26rem] flex-col justify-center px-5 py-10">
      <Mark size={36} />
      <h1 className="mt-5 text-xl font-semibold tracking-tight">Sign in to Patchbay</h1>
      <p className="mt-1 text-muted">One gateway between your agents and everything your users have connected.</p>

      <form
        className="mt-7 space-y-4"
        noValidate
        onSubmit={(event) => {
          event.preventDefault()
          submit()
        }}
      >
        {/* Password managers keep the key under this name. */}
        <input type="text" name="username" autoComplete="username" value="patchbay-admin" readOnly hidden />
        <Field label="Admin key" problem={problem}>
          {(ids) => (
            <div className="relative">
              <TextInput
                {...ids}
                name="password"
                type={shown ? 'text' : 'password'}
                autoComplete="current-password"
                autoFocus
                className="pr-11 font-mono"
                value={key}
                onChange={(event) => {
                  setKey(event.target.value)
                  setProblem(undefined)
                }}
              />
              <IconButton
                name={shown ? 'Hide the key' : 'Show the key'}
                className="absolute top-0.5 right-0.5"
                onClick={() => setShown(!shown)}
              >
                {shown ? <EyeOff size={16} aria-hidden /> : <Eye size={16} aria-hidden />}
              </IconButton>
            </div>
          )}
        </Field>
        {signIn.error && <ErrorNote error={signIn.error} />}
        <Button type="submit" look="primary" busy={signIn.isPending} className="w-full">
          Sign in
        </Button>
      </form>

      <details className="group mt-7 rounded-lg border border-line bg-surface text-sm">
        <summary className="flex items-center justify-between px-3.5 py-2.5 font-medium">
          Where do I find the key?
          <span aria-hidden className="text-faint transition-transform group-open:rotate-45">
            +
          </span>
        </summary>
        <div className="space-y-2 px-3.5 pb-3.5 text-muted">
          <p>The gateway printed it in the terminal when it started for the first time, and only then.</p>
          <p>
            If it is gone, make a new one on the machine that runs the gateway with{' '}
            <code className="rounded bg-sunken px-1 py-0.5 font-mono text-xs text-ink">patchbay keys</code>. Where the
            setting <code className="rounded bg-sunken px-1 py-0.5 font-mono text-xs text-ink">ADMIN_API_KEY</code> is
            used, its value is the key.
          </p>
        </div>
      </details>
    </main>
  )
}
