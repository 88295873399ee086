import { ExternalLink } from 'lucide-react'
import { type ReactNode, useState } from 'react'
import { safeUrl } from '../parts/error-note.tsx'
import { inWords } from '../parts/words.ts'
import { tableOf } from './result-table.ts'

const ROWS_AT_FIRST = 25
const DEEPEST = 6

/** Any JSON for a person: lists of objects as tables, objects as names and values, text as text. */
export function ReadableValue({ value, depth = 0 }: { value: unknown; depth?: number }) {
  if (value === null || value === undefined)
    return <Quiet>{depth === 0 ? 'The service answered without content.' : 'none'}</Quiet>
  if (typeof value === 'boolean') return <span>{value ? 'Yes' : 'No'}</span>
  if (typeof value === 'number') return <span className="tabular-nums">{value}</span>
  if (typeof value === 'string') return <Text text={value} />
  if (depth >= DEEPEST) return <code className="font-mono text-xs break-all">{JSON.stringify(value)}</code>
  if (Array.isArray(value)) return <ListValue items={value} depth={depth} />
  return <ObjectValue value={value as Record<string, unknown>} depth={depth} />
}

function ObjectValue({ value, depth }: { value: Record<string, unknown>; depth: number }) {
  const entries = Object.entries(value)
  if (entries.length === 0) return <Quiet>empty</Quiet>
  return (
    <dl className={depth === 0 ? 'divide-y divide-line text-sm' : 'space-y-1 border-l-2 border-line pl-3 text-sm'}>
      {entries.map(([name, one]) => {
        const wide = typeof one === 'object' && one !== null && (depth === 0 || Array.isArray(one))
        return (
          <div
            key={name}
            className={`${depth === 0 ? 'py-2' : ''} ${wide ? '' : 'sm:grid sm:grid-cols-[10rem_minmax(0,1fr)] sm:gap-4'}`}
          >
            <dt className="text-muted">{inWords(name)}</dt>
            <dd className={`min-w-0 ${wide ? 'mt-1.5' : ''}`}>
              <ReadableValue value={one} depth={depth + 1} />
            </dd>
          </div>
        )
      })}
    </dl>
  )
}

function ListValue({ items, depth }: { items: readonly unknown[]; depth: number }) {
  const [all, setAll] = useState(false)
  if (items.length === 0) return <Quiet>{depth === 0 ? 'Nothing was found.' : 'none'}</Quiet>
  const shown = all ? items : items.slice(0, ROWS_AT_FIRST)
  const more = items.length > shown.length && (
    <button
      type="button"
      onClick={() => setAll(true)}
      className="mt-2 rounded text-sm font-medium text-accent underline underline-offset-2"
    >
      Show all {items.length}
    </button>
  )
  const table = tableOf(shown)
  if (!table) {
    return (
      <div>
        <ul className="space-y-1 text-sm">
          {shown.map((one, index) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: an answer's items have no other identity and never move
            <li key={index} className="min-w-0">
              <ReadableValue value={one} depth={depth + 1} />
            </li>
          ))}
        </ul>
        {more}
      </div>
    )
  }
  return (
    <div>
      <section
        className="max-h-[32rem] overflow-auto rounded-lg border border-line"
        aria-label="Table, scrolls"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region must be reachable by keyboard
        tabIndex={0}
      >
        <table className="w-full border-collapse text-left text-sm">
          <thead className="sticky top-0 bg-sunken">
            <tr>
              {table.columns.map((column) => (
                <th key={column} scope="col" className="px-3 py-2 text-xs font-medium whitespace-nowrap text-muted">
                  {inWords(column)}
                </th>
              ))}
            </tr>
          </thead>
          <tbody className="divide-y divide-line">
            {table.rows.map((row, index) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: an answer's rows have no other identity and never move
              <tr key={index} className="align-top">
                {table.columns.map((column) => (
                  <td key={column} className="max-w-80 min-w-24 px-3 py-2">
                    <Cell value={row[column]} depth={depth} />
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </section>
      {more}
    </div>
  )
}

function Cell({ value, depth }: { value: unknown; depth: number }) {
  if (value === undefined || value === null) return <span className="text-faint">–</span>
  if (typeof value === 'string') return <Text text={value} lines={4} />
  if (typeof value !== 'object') return <ReadableValue value={value} depth={depth + 1} />
  const size = Array.isArray(value) ? value.length : Object.keys(value).length
  if (size === 0) return <span className="text-faint">–</span>
  if (Array.isArray(value) && value.every((one) => typeof one !== 'object'))
    return <Text text={value.join(', ')} lines={3} />
  return (
    <details>
      <summary className="rounded text-xs font-medium whitespace-nowrap text-accent">
        {Array.isArray(value)
          ? `${size} ${size === 1 ? 'entry' : 'entries'}`
          : `${size} ${size === 1 ? 'field' : 'fields'}`}
      </summary>
      <div className="mt-1.5">
        <ReadableValue value={value} depth={depth + 2} />
      </div>
    </details>
  )
}

/** Text as it is; an address as a link that shows where it goes. Long text is cut until asked for. */
function Text({ text, lines = 14 }: { text: string; lines?: number }) {
  const [all, setAll] = useState(false)
  if (text === '') return <Quiet>empty</Quiet>
  const url = /^https?:\/\/\S+$/.test(text) ? safeUrl(text) : undefined
  if (url) {
    return (
      <a href={url} target="_blank" rel="noreferrer" className="break-all text-accent underline underline-offset-2">
        {text} <ExternalLink size={12} className="inline" aria-hidden />
      </a>
    )
  }
  const long = text.length > lines * 90 || text.split('\n').length > lines
  const cut = long && !all
  return (
    <span>
      <span
        className="break-words whitespace-pre-wrap"
        style={
          cut
            ? { display: '-webkit-box', WebkitBoxOrient: 'vertical', WebkitLineClamp: lines, overflow: 'hidden' }
            : undefined
        }
      >
        {text}
      </span>
      {long && (
        <button
          type="button"
          onClick={() => setAll(!all)}
          className="mt-0.5 block rounded text-xs font-medium text-accent underline underline-offset-2"
        >
          {all ? 'Show less' : 'Show all of it'}
        </button>
      )}
    </span>
  )
}

function Quiet({ children }: { children: ReactNode }) {
  return <span className="text-sm text-faint">{children}</span>
}
