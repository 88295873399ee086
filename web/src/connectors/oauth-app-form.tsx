import type { OAuthApp } from '@patchbay/sdk'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { ExternalLink } from 'lucide-react'
import { useState } from 'react'
import { Button } from '../parts/button.tsx'
import { CopyField } from '../parts/copy.tsx'
import { Dialog } from '../parts/dialog.tsx'
import { ErrorNote, safeUrl } from '../parts/error-note.tsx'
import { Field, TextInput } from '../parts/field.tsx'
import { client } from '../session/client.ts'

export interface OAuthAppTarget {
  provider: string
  name: string
  redirectUri: string
  setup: OAuthApp['setup']
  clientId?: string | null
  source?: OAuthApp['source']
}

interface OAuthAppDialogProps {
  app: OAuthAppTarget
  onClose: () => void
  onSaved: () => void
}

/** Client id and secret of the project's app at a provider, with how to get them there. */
export function OAuthAppDialog({ app, onClose, onSaved }: OAuthAppDialogProps) {
  const [clientId, setClientId] = useState(app.source === 'stored' ? (app.clientId ?? '') : '')
  const [secret, setSecret] = useState('')
  const [problems, setProblems] = useState<{ clientId?: string; secret?: string }>({})
  const queries = useQueryClient()
  const keepsSecret = app.source === 'stored' && clientId.trim() === app.clientId
  const save = useMutation({
    mutationFn: () =>
      client.oauthApps.save(app.provider, {
        client_id: clientId.trim(),
        ...(secret.trim() && { client_secret: secret.trim() }),
      }),
    onSuccess: async () => {
      await Promise.all([
        queries.invalidateQueries({ queryKey: ['oauth-apps'] }),
        queries.invalidateQueries({ queryKey: ['connectors'] }),
      ])
      onSaved()
    },
  })
  const submit = () => {
    const found: typeof problems = {
      ...(!clientId.trim() && { clientId: `Paste the client id that ${app.name} shows for your app.` }),
      ...(!secret.trim() && !keepsSecret && { secret: `Paste the client secret that ${app.name} shows for your app.` }),
    }
    setProblems(found)
    if (Object.keys(found).length === 0) save.mutate()
  }
  const url = safeUrl(app.setup.url)

  return (
    <Dialog
      open
      wide
      onClose={onClose}
      title={`OAuth app for ${app.name}`}
      description={`${app.name} lets users connect through an app that you register there once. All users of this project share it.`}
      footer={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button look="primary" busy={save.isPending} type="submit" form="oauth-app">
            Save
          </Button>
        </>
      }
    >
      <div className="space-y-5">
        <ol className="list-decimal space-y-1.5 rounded-lg bg-sunken py-3 pr-4 pl-8 text-sm text-muted marker:text-faint">
          {app.setup.steps.map((step) => (
            <li key={step} className="pl-1 break-words">
              {step}
            </li>
          ))}
          {url && (
            <li className="list-none">
              <a
                href={url}
                target="_blank"
                rel="noreferrer"
                className="inline-flex items-center gap-1.5 font-medium text-accent underline underline-offset-2"
              >
                Open {new URL(url).host} <ExternalLink size={13} aria-hidden />
              </a>
            </li>
          )}
        </ol>
        <CopyField label="Redirect address to register there" value={app.redirectUri} />
        <form
          id="oauth-app"
          noValidate
          className="space-y-4"
          onSubmit={(event) => {
            event.preventDefault()
            submit()
          }}
        >
          <Field label="Client id" required problem={problems.clientId}>
            {(ids) => (
              <TextInput
                {...ids}
                className="font-mono"
                value={clientId}
                onChange={(event) => setClientId(event.target.value)}
              />
            )}
          </Field>
          <Field
            label="Client secret"
            required={!keepsSecret}
            problem={problems.secret}
            help={keepsSecret ? 'Leave empty to keep the stored one.' : 'Stored encrypted and never shown again.'}
          >
            {(ids) => (
              <TextInput
                {...ids}
                type="password"
                autoComplete="new-password"
                className="font-mono"
                value={secret}
                onChange={(event) => setSecret(event.target.value)}
              />
            )}
          </Field>
          {app.source === 'environment' && (
            <p className="text-sm text-muted">
              An app from the gateway's environment is in use now. Saving one here takes its place for this project.
            </p>
          )}
          {save.error && <ErrorNote error={save.error} />}
        </form>
      </div>
    </Dialog>
  )
}
