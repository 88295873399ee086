import { type ExecuteReply, PatchbayApiError, type ToolItem } from '@patchbay/sdk'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { Play, Square } from 'lucide-react'
import { useEffect, useMemo, useRef, useState } from 'react'
import { Button } from '../parts/button.tsx'
import { ConfirmDialog } from '../parts/dialog.tsx'
import { ErrorNote } from '../parts/error-note.tsx'
import { Field, Select, TextArea } from '../parts/field.tsx'
import { Card } from '../parts/page.tsx'
import { client } from '../session/client.ts'
import { type Draft, draftOf, readDraft } from './form-draft.ts'
import { formModel } from './form-model.ts'
import { ResultView } from './result-view.tsx'
import { SchemaForm } from './schema-form.tsx'

/** A tool's form, the run, and what came of it. */
export function ToolRunner({ tool, user }: { tool: ToolItem; user: string }) {
  const model = useMemo(() => formModel(withoutAccount(tool)), [tool])
  const [draft, setDraft] = useState<Draft>(() => draftOf(model, undefined))
  const [raw, setRaw] = useState<string | null>(null)
  const [problems, setProblems] = useState<Record<string, string>>({})
  const [account, setAccount] = useState('')
  const [confirming, setConfirming] = useState<Record<string, unknown> | null>(null)
  const abort = useRef<AbortController>(null)
  const outcome = useRef<HTMLDivElement>(null)
  const queries = useQueryClient()
  useEffect(() => () => abort.current?.abort(), [])

  const run = useMutation({
    mutationFn: (params: Record<string, unknown>) => {
      abort.current = new AbortController()
      const request = { user_id: user, action: tool.name, params, ...(account && { account }) }
      return client.tools.execute(request, { signal: abort.current.signal })
    },
    onSettled: () => void queries.invalidateQueries({ queryKey: ['events'] }),
    onError: (error) => {
      setProblems(problemsOf(error))
      // A refusal may be how we learn that the connection died.
      void queries.invalidateQueries({ queryKey: ['tools', user] })
      void queries.invalidateQueries({ queryKey: ['connections', user] })
    },
  })

  const ended = run.data ?? run.error
  useEffect(() => {
    if (ended) outcome.current?.scrollIntoView({ block: 'start', behavior: 'smooth' })
  }, [ended])

  const submit = () => {
    const read = raw === null ? readDraft(model, draft) : readRaw(raw)
    setProblems(read.problems)
    if (Object.keys(read.problems).length > 0) {
      requestAnimationFrame(() => document.querySelector<HTMLElement>('#tool-form [aria-invalid=true]')?.focus())
      return
    }
    if (tool.effect === 'destructive') setConfirming(read.value)
    else run.mutate(read.value)
  }
  const switchRaw = () => {
    if (raw === null) return setRaw(JSON.stringify(readDraft(model, draft).value, null, 2))
    const read = readRaw(raw)
    setProblems(read.problems)
    if (Object.keys(read.problems).length > 0) return
    setDraft(draftOf(model, read.value))
    setRaw(null)
  }
  const cancelled = run.error instanceof DOMException && run.error.name === 'AbortError'

  return (
    <div className="space-y-6">
      <Card>
        <form
          id="tool-form"
          noValidate
          className="p-4 sm:p-5"
          onSubmit={(event) => {
            event.preventDefault()
            if (!run.isPending) submit()
          }}
        >
          {tool.accounts.length > 1 && (
            <div className="mb-4">
              <Field label="Account" help="Agents choose it with the parameter account.">
                {(ids) => (
                  <Select {...ids} value={account} onChange={(event) => setAccount(event.target.value)}>
                    <option value="">Default account</option>
                    {tool.accounts.map(({ connection_id, label, is_default }) => (
                      <option key={connection_id} value={connection_id}>
                        {is_default ? `${label} (default)` : label}
                      </option>
                    ))}
                  </Select>
                )}
              </Field>
            </div>
          )}
          {raw !== null ? (
            <Field label="Input as JSON" problem={problems['']}>
              {(ids) => (
                <TextArea
                  {...ids}
                  rows={Math.min(24, Math.max(8, raw.split('\n').length + 1))}
                  spellCheck={false}
                  className="font-mono text-xs"
                  value={raw}
                  onChange={(event) => setRaw(event.target.value)}
                />
              )}
            </Field>
          ) : model.fields.length > 0 ? (
            <SchemaForm model={model} draft={draft} onChange={setDraft} problems={problems} />
          ) : (
            <p className="text-sm text-muted">This tool takes no input.</p>
          )}
          <div className="mt-5 flex flex-wrap items-center gap-2 border-t border-line pt-4">
            <Button
              type="submit"
              look="primary"
              busy={run.isPending}
              icon={<Play size={14} aria-hidden />}
              why={tool.available ? undefined : 'The tool cannot run now. The note above says why and what to do.'}
            >
              {run.isPending ? 'Running' : 'Run'}
            </Button>
            {run.isPending && (
              <Button icon={<Square size={13} aria-hidden />} onClick={() => abort.current?.abort()}>
                Stop
              </Button>
            )}
            <Button look="quiet" size="small" className="ml-auto" aria-pressed={raw !== null} onClick={switchRaw}>
              {raw === null ? 'Edit as JSON' : 'Back to the form'}
            </Button>
          </div>
        </form>
      </Card>

      <div ref={outcome} aria-live="polite" className="scroll-mt-40">
        {cancelled ? (
          <p className="text-sm text-muted">Stopped. The service may already have carried out what was sent to it.</p>
        ) : run.error ? (
          <ErrorNote error={run.error} />
        ) : run.data ? (
          <ResultView key={run.data.event_id} reply={run.data as ExecuteReply} tool={tool} />
        ) : null}
      </div>

      <ConfirmDialog
        open={confirming !== null}
        onClose={() => setConfirming(null)}
        onConfirm={() => {
          if (confirming) run.mutate(confirming)
          setConfirming(null)
        }}
        title={`Run ${tool.title.toLowerCase()}?`}
        action="Run it"
      >
        <p>This tool deletes or overwrites something in the account, and Patchbay cannot undo it.</p>
        <pre className="max-h-56 overflow-auto rounded-lg bg-sunken p-3 font-mono text-xs text-ink">
          {JSON.stringify(confirming, null, 2)}
        </pre>
      </ConfirmDialog>
    </div>
  )
}

/** The parameter `account` has its own control above the form. */
function withoutAccount(tool: ToolItem): Record<string, unknown> {
  const properties = tool.parameters['properties']
  if (tool.accounts.length < 2 || typeof properties !== 'object' || properties === null) return tool.parameters
  const { account: _, ...rest } = properties as Record<string, unknown>
  return { ...tool.parameters, properties: rest }
}

function readRaw(text: string): { value: Record<string, unknown>; problems: Record<string, string> } {
  try {
    const value: unknown = JSON.parse(text.trim() === '' ? '{}' : text)
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
      return { value: value as Record<string, unknown>, problems: {} }
    }
    return { value: {}, problems: { '': 'The input must be one JSON object, in braces.' } }
  } catch (error) {
    return {
      value: {},
      problems: { '': `This is not JSON: ${error instanceof Error ? error.message : 'it cannot be read'}.` },
    }
  }
}

/** What the gateway said about single fields, where it did. */
function problemsOf(error: unknown): Record<string, string> {
  const fields =
    error instanceof PatchbayApiError && error.code === 'invalid_input' ? error.details?.['fields'] : undefined
  if (!Array.isArray(fields)) return {}
  return Object.fromEntries(
    fields.flatMap((one: { path?: unknown; problem?: unknown }) =>
      typeof one?.path === 'string' && typeof one.problem === 'string' ? [[one.path, `It ${one.problem}.`]] : [],
    ),
  )
}
