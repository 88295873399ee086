import { Monitor, Moon, Sun } from 'lucide-react'
import { type Theme, useTheme } from '../parts/theme.ts'
import { Tooltip } from '../parts/tooltip.tsx'

const THEMES: { value: Theme; label: string; icon: typeof Sun }[] = [
  { value: 'system', label: "The system's theme", icon: Monitor },
  { value: 'light', label: 'Light theme', icon: Sun },
  { value: 'dark', label: 'Dark theme', icon: Moon },
]

export function ThemeSwitch() {
  const [theme, choose] = useTheme()
  return (
    <fieldset className="flex rounded-md border border-line p-0.5">
      <legend className="sr-only">Theme</legend>
      {THEMES.map(({ value, label, icon: Icon }) => (
        <Tooltip key={value} text={label}>
          <label className="flex size-7 items-center justify-center rounded text-faint hover:text-ink has-checked:bg-hover has-checked:text-ink has-focus-visible:outline-2 has-focus-visible:outline-accent pointer-coarse:size-9">
            <input
              type="radio"
              name="theme"
              value={value}
              checked={theme === value}
              onChange={() => choose(value)}
              className="sr-only"
              aria-label={label}
            />
            <Icon size={14} aria-hidden />
          </label>
        </Tooltip>
      ))}
    </fieldset>
  )
}
