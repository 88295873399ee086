import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

const css = readFileSync(new URL('./styles.css', import.meta.url), 'utf8')
const blocks = [...css.matchAll(/:root[^{]*\{\s*color-scheme:[^}]*\}/g)].map(([block]) => tokensOf(block))
const [light, systemDark, chosenDark] = blocks as [Tokens, Tokens, Tokens]
type Tokens = Record<string, string>

function tokensOf(block: string): Tokens {
  return Object.fromEntries(
    [...block.matchAll(/--([\w-]+):\s*(#[0-9a-f]{6})/g)].map(([, name, value]) => [name, value]),
  )
}

/** WCAG 2.2, relative luminance. */
function luminance(hex: string): number {
  const [r = 0, g = 0, b = 0] = [1, 3, 5].map((at) => {
    const channel = Number.parseInt(hex.slice(at, at + 2), 16) / 255
    return channel <= 0.04045 ? channel / 12.92 : ((channel + 0.055) / 1.055) ** 2.4
  })
  return 0.2126 * r + 0.7152 * g + 0.0722 * b
}

function contrast(tokens: Tokens, text: string, ground: string): number {
  const [a, b] = [luminance(tokens[text] as string), luminance(tokens[ground] as string)]
  return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05)
}

const themes: [string, Tokens][] = [
  ['light', light],
  ['dark', chosenDark],
]

test('the dark theme is the same by choice and by system', () => {
  expect(blocks).toHaveLength(3)
  expect(systemDark).toEqual(chosenDark)
})

test.each(themes)('text reaches 4.5:1 on every ground of the %s theme', (_name, tokens) => {
  const pairs = [
    ...['canvas', 'surface', 'sunken', 'hover'].flatMap((ground) => ['ink', 'muted'].map((text) => [text, ground])),
    ...['canvas', 'surface', 'sunken'].flatMap((ground) =>
      ['faint', 'accent', 'bad', 'warn', 'good'].map((text) => [text, ground]),
    ),
    ...['good', 'warn', 'bad'].flatMap((tone) => [tone, 'ink', 'muted'].map((text) => [text, `${tone}-soft`])),
    ['on-primary', 'primary'],
    ['on-primary', 'primary-hover'],
  ] as [string, string][]
  const weak = pairs.filter(([text, ground]) => contrast(tokens, text, ground) < 4.5)

  expect(weak.map(([text, ground]) => `${text} on ${ground}: ${contrast(tokens, text, ground).toFixed(2)}`)).toEqual([])
})

test.each(themes)('edges of fields, focus rings and dots reach 3:1 in the %s theme', (_name, tokens) => {
  const pairs = ['canvas', 'surface'].flatMap((ground) =>
    ['field', 'accent', 'good-dot', 'bad-dot'].map((mark) => [mark, ground]),
  ) as [string, string][]
  const weak = pairs.filter(([mark, ground]) => contrast(tokens, mark, ground) < 3)

  expect(weak.map(([mark, ground]) => `${mark} on ${ground}: ${contrast(tokens, mark, ground).toFixed(2)}`)).toEqual([])
})
