import { ChevronRight, Plus, X } from 'lucide-react'
import { useId, useState } from 'react'
import { Button, IconButton } from '../parts/button.tsx'
import { Field, Select, TextArea, TextInput } from '../parts/field.tsx'
import { InlineCode } from '../parts/inline-code.tsx'
import { type Draft, draftOf, joined } from './form-draft.ts'
import { type FormField, type ListField, type ObjectField, splitFields } from './form-model.ts'

interface SchemaFormProps {
  model: ObjectField
  draft: Draft
  onChange: (draft: Draft) => void
  /** Dotted path → what is wrong. */
  problems: Record<string, string>
}

/** A form from a JSON Schema. Optional fields beyond the first few are folded until asked for. */
export function SchemaForm({ model, draft, onChange, problems }: SchemaFormProps) {
  const { shown, folded } = splitFields(model)
  const [open, setOpen] = useState(false)
  const unfolded = open || folded.some(({ name }) => Object.keys(problems).some((path) => path.split('.')[0] === name))
  return (
    <div className="space-y-4">
      <Fields fields={shown} path="" draft={draft} onChange={onChange} problems={problems} />
      {folded.length > 0 && (
        <>
          <button
            type="button"
            aria-expanded={unfolded}
            onClick={() => setOpen(!unfolded)}
            className="-ml-1 inline-flex h-8 items-center gap-1.5 rounded-md px-1 text-sm font-medium text-muted hover:text-ink pointer-coarse:h-11"
          >
            <ChevronRight size={15} className={unfolded ? 'rotate-90' : ''} aria-hidden />
            {folded.length} more optional fields
          </button>
          {unfolded && <Fields fields={folded} path="" draft={draft} onChange={onChange} problems={problems} />}
        </>
      )}
    </div>
  )
}

interface FieldsProps {
  fields: readonly FormField[]
  path: string
  draft: Draft
  onChange: (draft: Draft) => void
  problems: Record<string, string>
}

function Fields({ fields, path, draft, onChange, problems }: FieldsProps) {
  const values = (typeof draft === 'object' && !Array.isArray(draft) ? draft : {}) as { readonly [name: string]: Draft }
  return fields.map((field) => (
    <Control
      key={field.name}
      field={field}
      path={joined(path, field.name)}
      draft={values[field.name]}
      onChange={(next) => onChange({ ...values, [field.name]: next })}
      problems={problems}
    />
  ))
}

interface ControlProps {
  field: FormField
  path: string
  draft: Draft
  onChange: (draft: Draft) => void
  problems: Record<string, string>
  /** What it is called where the field itself has no name: an entry of a list. */
  label?: string
}

function Control({ field, path, draft, onChange, problems, label = field.label }: ControlProps) {
  const problem = problems[path]
  if (field.kind === 'object') return <Group {...{ field, path, draft, onChange, problems, label }} />
  if (field.kind === 'list') return <List {...{ field, path, draft, onChange, problems, label }} />
  const text = typeof draft === 'string' ? draft : ''
  const common = {
    label,
    required: field.required,
    help: field.description && <InlineCode text={field.description} />,
    problem,
  }
  const aside = field.name && <code className="truncate font-mono text-xs text-faint">{field.name}</code>
  return (
    <Field {...common} aside={aside}>
      {(ids) => {
        if (field.kind === 'boolean') {
          return (
            <Select
              {...ids}
              value={draft === undefined ? '' : String(draft)}
              onChange={(event) => onChange(event.target.value === '' ? undefined : event.target.value === 'true')}
            >
              {!field.required && <option value="">Not set</option>}
              {field.required && draft === undefined && <option value="">Choose…</option>}
              <option value="true">Yes</option>
              <option value="false">No</option>
            </Select>
          )
        }
        if (field.kind === 'choice') {
          return (
            <Select {...ids} value={text} onChange={(event) => onChange(event.target.value)}>
              <option value="">{field.required ? 'Choose…' : 'Not set'}</option>
              {field.options.map((option) => (
                <option key={JSON.stringify(option)} value={JSON.stringify(option)}>
                  {String(option)}
                </option>
              ))}
            </Select>
          )
        }
        if (field.kind === 'json' || (field.kind === 'text' && field.multiline)) {
          return (
            <TextArea
              {...ids}
              rows={field.kind === 'json' ? 3 : 4}
              spellCheck={field.kind === 'text'}
              placeholder={field.kind === 'json' ? 'JSON' : undefined}
              className={field.kind === 'json' ? 'font-mono text-xs' : ''}
              value={text}
              onChange={(event) => onChange(event.target.value)}
            />
          )
        }
        return (
          <TextInput
            {...ids}
            type={field.kind === 'text' ? field.inputType : 'text'}
            inputMode={field.kind === 'number' ? (field.integer ? 'numeric' : 'decimal') : undefined}
            value={text}
            onChange={(event) => onChange(event.target.value)}
          />
        )
      }}
    </Field>
  )
}

function Group({
  field,
  path,
  draft,
  onChange,
  problems,
  label,
}: ControlProps & { field: ObjectField; label: string }) {
  return (
    <fieldset className="space-y-4 rounded-lg border border-line p-3.5">
      <legend className="-ml-1 px-1 text-sm font-medium">
        {label}
        {field.required && field.name && <span className="ml-1 font-normal text-faint">· required</span>}
      </legend>
      {field.description && (
        <p className="text-xs text-muted">
          <InlineCode text={field.description} />
        </p>
      )}
      <Fields fields={field.fields} path={path} draft={draft} onChange={onChange} problems={problems} />
    </fieldset>
  )
}

function List({ field, path, draft, onChange, problems, label }: ControlProps & { field: ListField; label: string }) {
  const id = useId()
  const entries = Array.isArray(draft) ? (draft as readonly Draft[]) : []
  const full = field.maxItems !== undefined && entries.length >= field.maxItems
  const problem = problems[path]
  return (
    <fieldset aria-describedby={`${id}-help`}>
      <div className="mb-1.5 flex items-baseline justify-between gap-2">
        <legend className="contents text-sm font-medium">
          <span>
            {label}
            {field.required && <span className="ml-1 font-normal text-faint">· required</span>}
          </span>
        </legend>
        <code className="truncate font-mono text-xs text-faint">{field.name}</code>
      </div>
      {entries.length > 0 && (
        <ul className="mb-2 space-y-2">
          {entries.map((entry, index) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: entries have no identity but their place
            <li key={index} className="flex items-end gap-1">
              <div className="min-w-0 flex-1">
                <Control
                  field={{ ...field.item, description: undefined }}
                  label={`${index + 1}.`}
                  path={joined(path, String(index))}
                  draft={entry}
                  onChange={(next) => onChange(entries.map((one, at) => (at === index ? next : one)))}
                  problems={problems}
                />
              </div>
              <IconButton
                name={`Remove entry ${index + 1} of ${label}`}
                onClick={() => onChange(entries.filter((_, at) => at !== index))}
              >
                <X size={15} aria-hidden />
              </IconButton>
            </li>
          ))}
        </ul>
      )}
      <Button
        size="small"
        icon={<Plus size={14} aria-hidden />}
        why={full ? `At most ${field.maxItems} entries are allowed.` : undefined}
        aria-label={`Add an entry to ${label}`}
        onClick={() => onChange([...entries, draftOf(field.item, undefined)])}
      >
        Add
      </Button>
      {problem && <p className="mt-1 text-sm text-bad">{problem}</p>}
      <p id={`${id}-help`} className="mt-1 text-xs break-words text-muted">
        {field.description && <InlineCode text={field.description} />}
      </p>
    </fieldset>
  )
}
