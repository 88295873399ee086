import { useQuery } from '@tanstack/react-query'
import { Check, ChevronsUpDown, UserRound } from 'lucide-react'
import { Popover } from 'radix-ui'
import { useState } from 'react'
import { Button } from '../parts/button.tsx'
import { classNames } from '../parts/class-names.ts'
import { Field, TextInput } from '../parts/field.tsx'
import { useActingUser } from './acting-user.ts'
import { usersQuery } from './queries.ts'

/** Whose connections, tools and addresses the pages show. */
export function UserSwitcher({ compact }: { compact?: boolean }) {
  const [acting, actAs] = useActingUser()
  const [open, setOpen] = useState(false)
  const [typed, setTyped] = useState('')
  const known = useQuery({ ...usersQuery, enabled: open })
  const ids = [...new Set(['default', acting, ...(known.data?.items.map(({ id }) => id) ?? [])])]
  const shown = ids.filter((id) => id.toLowerCase().includes(typed.trim().toLowerCase()))
  const choose = (id: string) => {
    actAs(id)
    setOpen(false)
    setTyped('')
  }

  return (
    <Popover.Root open={open} onOpenChange={setOpen}>
      <Popover.Trigger
        aria-label={`Acting as user ${acting}. Change user`}
        className={classNames(
          'flex min-w-0 items-center gap-2 rounded-md border border-line bg-surface text-left text-sm shadow-card transition-colors hover:bg-sunken pointer-coarse:h-10',
          compact ? 'h-8 max-w-40 px-2' : 'h-9 w-full px-2.5',
        )}
      >
        <UserRound size={15} className="shrink-0 text-muted" aria-hidden />
        <span className="min-w-0 flex-1 truncate font-medium">{acting}</span>
        <ChevronsUpDown size={14} className="shrink-0 text-faint" aria-hidden />
      </Popover.Trigger>
      <Popover.Portal>
        <Popover.Content
          align={compact ? 'end' : 'start'}
          sideOffset={6}
          collisionPadding={12}
          className="z-50 w-72 max-w-[calc(100vw-1.5rem)] animate-fade rounded-xl border border-line bg-surface p-3 shadow-raised"
        >
          <form
            onSubmit={(event) => {
              event.preventDefault()
              if (typed.trim()) choose(typed)
            }}
          >
            <Field label="Act as user" help="The user id your app passes. Any text; a new one starts empty.">
              {(ids) => (
                <div className="flex gap-2">
                  <TextInput
                    {...ids}
                    value={typed}
                    placeholder={acting}
                    onChange={(event) => setTyped(event.target.value)}
                  />
                  <Button type="submit" why={typed.trim() ? undefined : 'Type a user id, or choose one below.'}>
                    Use
                  </Button>
                </div>
              )}
            </Field>
          </form>
          <ul aria-label="Known users" className="mt-2 max-h-60 overflow-y-auto">
            {shown.map((id) => (
              <li key={id}>
                <button
                  type="button"
                  aria-pressed={id === acting}
                  onClick={() => choose(id)}
                  className="flex h-8 w-full items-center gap-2 rounded-md px-2 text-left text-sm hover:bg-hover focus-visible:-outline-offset-2 pointer-coarse:h-11"
                >
                  <span className="min-w-0 flex-1 truncate">{id}</span>
                  {id === acting && <Check size={15} aria-hidden />}
                </button>
              </li>
            ))}
          </ul>
          {known.isError && (
            <p className="mt-1 px-2 text-xs text-bad">Known users could not be loaded: {known.error.message}</p>
          )}
        </Popover.Content>
      </Popover.Portal>
    </Popover.Root>
  )
}
