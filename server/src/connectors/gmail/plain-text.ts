import { createRequire } from 'node:module'

/** Loaded with the first HTML mail, to keep the start quick and an idle gateway small. */
const load = createRequire(import.meta.url)

/** HTML beyond these is cut before it is read. */
const MAX_HTML = 2_000_000
/**
 * The parser's time grows with the square of how deep tags nest, so that two megabytes of `<div>` from a stranger
 * would hold up everybody for a minute. Only a bound on all tags cannot be talked round by tags that seem to close.
 */
const MAX_TAGS = 20_000

/** Readable text of an HTML body: links kept, pictures and styling left out, no hard wrapping. */
export function plainText(html: string): string {
  const { convert } = load('html-to-text') as typeof import('html-to-text')
  return (
    convert(bounded(html), {
      wordwrap: false,
      limits: { maxInputLength: MAX_HTML, maxDepth: 200, maxChildNodes: 20_000 },
      selectors: [
        { selector: 'img', format: 'skip' },
        { selector: 'a', options: { hideLinkHrefIfSameAsText: true, ignoreHref: false } },
        ...['h1', 'h2', 'h3', 'h4', 'h5', 'h6'].map((selector) => ({ selector, options: { uppercase: false } })),
        { selector: 'table', options: { uppercaseHeaderCells: false } },
      ],
    })
      .split('\n')
      // Not by a pattern: a million spaces in a row would keep one busy for hours.
      .map((line) => line.trimEnd())
      .join('\n')
      .replace(/\n{3,}/g, '\n\n')
      .trim()
  )
}

function bounded(html: string): string {
  let tags = 0
  for (const { index } of html.matchAll(/<[/a-z]/gi)) {
    if (index >= MAX_HTML) break
    if (++tags > MAX_TAGS) return html.slice(0, index)
  }
  return html.slice(0, MAX_HTML)
}
