import { useQuery } from '@tanstack/react-query'
import { connectorsQuery } from '../connectors/queries.ts'
import { Field, Select, TextArea } from '../parts/field.tsx'
import type { PolicyForm } from './policy-words.ts'

/** What a key or an address is limited to. */
export function PolicyFields({ form, onChange }: { form: PolicyForm; onChange: (form: PolicyForm) => void }) {
  const connectors = useQuery(connectorsQuery)
  const toggle = (id: string) => {
    const next = new Set(form.connectors)
    if (!next.delete(id)) next.add(id)
    onChange({ ...form, connectors: next })
  }
  return (
    <div className="space-y-4">
      <Field label="Allowed effects">
        {(ids) => (
          <Select
            {...ids}
            value={form.effects}
            onChange={(event) => onChange({ ...form, effects: event.target.value as PolicyForm['effects'] })}
          >
            <option value="all">Everything its connections allow</option>
            <option value="write">Read and write, nothing destructive</option>
            <option value="read">Read only</option>
          </Select>
        )}
      </Field>
      <fieldset>
        <legend className="mb-1.5 text-sm font-medium">Connectors</legend>
        <div className="flex flex-wrap gap-x-4 gap-y-2">
          {connectors.data?.map(({ id, name }) => (
            <label key={id} className="inline-flex min-h-6 items-center gap-2 text-sm pointer-coarse:min-h-10">
              <input type="checkbox" checked={form.connectors.has(id)} onChange={() => toggle(id)} />
              {name}
            </label>
          ))}
        </div>
        <p className="mt-1 text-xs text-muted">None chosen means all of them.</p>
      </fieldset>
      <details className="group" open={form.tools !== '' || form.denyTools !== ''}>
        <summary className="inline-flex rounded text-sm font-medium text-muted hover:text-ink">
          Limit single tools
        </summary>
        <div className="mt-3 space-y-4">
          <Field label="Only these tools" help="One name a line; GMAIL_* means all that begin so. Empty means all.">
            {(ids) => (
              <TextArea
                {...ids}
                rows={2}
                spellCheck={false}
                className="font-mono text-xs"
                value={form.tools}
                onChange={(event) => onChange({ ...form, tools: event.target.value })}
              />
            )}
          </Field>
          <Field label="Never these tools">
            {(ids) => (
              <TextArea
                {...ids}
                rows={2}
                spellCheck={false}
                className="font-mono text-xs"
                value={form.denyTools}
                onChange={(event) => onChange({ ...form, denyTools: event.target.value })}
              />
            )}
          </Field>
        </div>
      </details>
    </div>
  )
}
