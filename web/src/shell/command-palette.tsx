import { useQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { Blocks, LogOut, type LucideIcon, Moon, Search, Settings, Sun, Wrench } from 'lucide-react'
import { Dialog } from 'radix-ui'
import { useEffect, useState } from 'react'
import { connectorsQuery } from '../connectors/queries.ts'
import { classNames } from '../parts/class-names.ts'
import { chooseTheme } from '../parts/theme.ts'
import { useActingUser } from '../session/acting-user.ts'
import { toolsQuery } from '../tools/queries.ts'
import { PLACES } from './places.ts'
import { rankCommands } from './rank-commands.ts'

interface Command {
  label: string
  detail: string
  icon: LucideIcon
  run: () => void
}

interface PaletteProps {
  open: boolean
  onOpenChange: (open: boolean) => void
  onSignOut: () => void
}

/** Ctrl K or ⌘K: every page, connector, tool and setting by a few letters. */
export function CommandPalette({ open, onOpenChange, onSignOut }: PaletteProps) {
  useEffect(() => {
    const toggle = (event: KeyboardEvent) => {
      if (event.key.toLowerCase() !== 'k' || !(event.metaKey || event.ctrlKey) || event.shiftKey || event.altKey) return
      event.preventDefault()
      onOpenChange(!open)
    }
    document.addEventListener('keydown', toggle)
    return () => document.removeEventListener('keydown', toggle)
  }, [open, onOpenChange])

  return (
    <Dialog.Root open={open} onOpenChange={onOpenChange}>
      <Dialog.Portal>
        <Dialog.Overlay className="fixed inset-0 z-40 animate-fade bg-veil" />
        <Dialog.Content
          aria-describedby={undefined}
          className="fixed inset-x-3 top-[10vh] z-40 mx-auto max-w-xl animate-rise overflow-hidden rounded-xl border border-line bg-surface shadow-raised outline-none"
        >
          <Dialog.Title className="sr-only">Search everything</Dialog.Title>
          <Commands onSignOut={onSignOut} onDone={() => onOpenChange(false)} />
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  )
}

function Commands({ onSignOut, onDone }: { onSignOut: () => void; onDone: () => void }) {
  const [query, setQuery] = useState('')
  const [at, setAt] = useState(0)
  const found = rankCommands(useCommands(onSignOut), query).slice(0, 50)
  const chosen = Math.min(at, found.length - 1)
  const run = (command: Command | undefined) => {
    if (!command) return
    onDone()
    command.run()
  }
  useEffect(() => {
    document.getElementById(`command-${chosen}`)?.scrollIntoView({ block: 'nearest' })
  }, [chosen])

  return (
    <>
      <div className="flex items-center gap-3 border-b border-line px-4">
        <Search size={16} className="shrink-0 text-muted" aria-hidden />
        <input
          role="combobox"
          aria-label="Search pages, connectors, tools and settings"
          aria-expanded="true"
          aria-controls="commands"
          aria-activedescendant={found.length > 0 ? `command-${chosen}` : undefined}
          placeholder="Go to a page, a connector, a tool…"
          autoComplete="off"
          spellCheck={false}
          value={query}
          onChange={(event) => {
            setQuery(event.target.value)
            setAt(0)
          }}
          onKeyDown={(event) => {
            if (event.key === 'ArrowDown') setAt(Math.min(chosen + 1, found.length - 1))
            else if (event.key === 'ArrowUp') setAt(Math.max(chosen - 1, 0))
            else if (event.key === 'Enter') run(found[chosen])
            else return
            event.preventDefault()
          }}
          className="h-13 min-w-0 flex-1 bg-transparent text-base outline-none placeholder:text-faint"
        />
        <kbd aria-hidden className="rounded border border-line-strong px-1.5 font-mono text-xs text-faint">
          esc
        </kbd>
      </div>
      <div id="commands" role="listbox" aria-label="Results" className="max-h-[50vh] overflow-y-auto p-1.5">
        {found.map((command, index) => (
          // biome-ignore lint/a11y/useKeyWithClickEvents: the combobox above handles the keys
          <div
            key={`${command.detail} ${command.label}`}
            id={`command-${index}`}
            role="option"
            tabIndex={-1}
            aria-selected={index === chosen}
            onClick={() => run(command)}
            onPointerMove={() => setAt(index)}
            className={classNames(
              'flex h-10 cursor-default items-center gap-3 rounded-md px-3 text-sm',
              index === chosen && 'bg-hover',
            )}
          >
            <command.icon size={15} className="shrink-0 text-muted" aria-hidden />
            <span className="min-w-0 flex-1 truncate">{command.label}</span>
            <span
              className={classNames(
                'max-w-[55%] truncate text-xs text-faint',
                /^[A-Z0-9_]+$/.test(command.detail) && 'hidden sm:inline',
              )}
            >
              {command.detail}
            </span>
          </div>
        ))}
        {found.length === 0 && <p className="px-3 py-8 text-center text-sm text-muted">Nothing matches “{query}”.</p>}
      </div>
    </>
  )
}

function useCommands(onSignOut: () => void): Command[] {
  const navigate = useNavigate()
  const [user] = useActingUser()
  const connectors = useQuery(connectorsQuery)
  const tools = useQuery(toolsQuery(user))
  return [
    ...PLACES.map(({ to, label, icon }) => ({ label, detail: 'Page', icon, run: () => void navigate({ to }) })),
    ...(connectors.data ?? []).map(({ id, name }) => ({
      label: `Connect ${name}`,
      detail: 'Connector',
      icon: Blocks,
      run: () => void navigate({ to: '/connectors', search: { connect: id } }),
    })),
    ...(tools.data ?? []).map(({ name, title }) => ({
      label: title,
      detail: name,
      icon: Wrench,
      run: () => void navigate({ to: '/tools/$name', params: { name } }),
    })),
    ...SETTINGS.map(([section, label]) => ({
      label,
      detail: 'Settings',
      icon: Settings,
      run: () => void navigate({ to: '/settings/$section', params: { section } }),
    })),
    { label: 'Light theme', detail: 'Action', icon: Sun, run: () => chooseTheme('light') },
    { label: 'Dark theme', detail: 'Action', icon: Moon, run: () => chooseTheme('dark') },
    { label: 'Sign out', detail: 'Action', icon: LogOut, run: onSignOut },
  ]
}

const SETTINGS = [
  ['oauth-apps', 'OAuth apps'],
  ['api-keys', 'API keys'],
  ['addresses', 'MCP addresses'],
  ['project', 'Project'],
] as const
