/** Markup that is safe to send: text put into it has been escaped. */
export interface Html {
  readonly markup: string
}

type Part = string | number | Html | readonly Html[] | null | undefined | false

/** Builds markup; every part that is not itself markup is escaped, so that no name of a user or service can act as HTML. */
export function html(strings: TemplateStringsArray, ...parts: Part[]): Html {
  let markup = strings[0] as string
  parts.forEach((part, index) => {
    markup += markupOf(part) + strings[index + 1]
  })
  return { markup }
}

function markupOf(part: Part): string {
  if (part === null || part === undefined || part === false) return ''
  if (typeof part === 'string' || typeof part === 'number') return escaped(String(part))
  if ('markup' in part) return part.markup
  return part.map((one) => one.markup).join('')
}

const ENTITIES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }

function escaped(text: string): string {
  // Direction overrides and other invisible characters could make one name read as another.
  return text
    .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/g, '')
    .replace(/[&<>"']/g, (character) => ENTITIES[character] as string)
}

/** A value for a script of the page to read, as a block the browser never runs. */
export function dataBlock(id: string, value: unknown): Html {
  const json = JSON.stringify(value).replace(/[<>&]|[^\x20-\x7e]/g, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
  })
  return { markup: `<script type="application/json" id="${escaped(id)}">${json}</script>` }
}
