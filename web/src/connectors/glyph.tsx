import { Database, Plug } from 'lucide-react'

/**
 * A connector's sign: an own drawing of what the service is for, or its initials. Hues are spread by the name so that
 * neighbours differ; they are decoration, never meaning.
 */
export function Glyph({ id, name, kind, size = 36 }: { id: string; name: string; kind?: string; size?: number }) {
  const hue = hueOf(id)
  const drawing = DRAWINGS[id]
  return (
    <span
      aria-hidden
      className="inline-flex shrink-0 items-center justify-center rounded-lg font-semibold"
      style={{
        width: size,
        height: size,
        fontSize: size * 0.36,
        color: `light-dark(oklch(0.45 0.13 ${hue}), oklch(0.82 0.11 ${hue}))`,
        background: `light-dark(oklch(0.955 0.025 ${hue}), oklch(0.27 0.04 ${hue}))`,
      }}
    >
      {drawing ? (
        <svg
          aria-hidden="true"
          width={size * 0.56}
          height={size * 0.56}
          viewBox="0 0 24 24"
          fill="none"
          stroke="currentColor"
          strokeWidth="1.8"
          strokeLinecap="round"
          strokeLinejoin="round"
        >
          <path d={drawing} />
        </svg>
      ) : kind === 'database' ? (
        <Database size={size * 0.5} />
      ) : kind === 'mcp' ? (
        <Plug size={size * 0.5} />
      ) : (
        initials(name)
      )}
    </span>
  )
}

const DRAWINGS: Record<string, string> = {
  gmail: 'M3 6.5h18v11H3zM3 7l9 6.5L21 7',
  slack: 'M9.5 4 8 20M16 4l-1.5 16M4.5 9h16M3.5 15h16',
  github: 'M7 6v12M7 6a2 2 0 1 0 0-.01M7 18a2 2 0 1 0 0 .01M17 8a2 2 0 1 0 0-.01M17 10c0 4-10 2-10 6',
  'google-calendar': 'M4 6h16v14H4zM4 10h16M8 3.5V7M16 3.5V7',
  'google-drive': 'M9 4h6l6 10.5L18 20H6l-3-5.500zM9 4l6 10.500M15 4 6 20M3 14.500h18',
}

function initials(name: string): string {
  const words = name.split(/\s+/).filter(Boolean)
  return (words.length > 1 ? `${words[0]?.[0]}${words[1]?.[0]}` : name.slice(0, 2)).toUpperCase()
}

function hueOf(id: string): number {
  let hash = 0
  for (const character of id) hash = (hash * 31 + (character.codePointAt(0) ?? 0)) % 9973
  return (hash * 47) % 360
}
