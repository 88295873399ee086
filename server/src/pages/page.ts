import { createHash } from 'node:crypto'
import type { FastifyReply } from 'fastify'
import { type Html, html } from './html.ts'

const STYLE = `
:root {
  color-scheme: light dark;
  --ground: light-dark(#f6f6f4, #131416);
  --card: light-dark(#ffffff, #1b1d20);
  --text: light-dark(#1c1d1f, #ececea);
  --quiet: light-dark(#5e6166, #a3a6ab);
  --line: light-dark(#e2e2de, #303338);
  --accent: light-dark(#1f5fd6, #86aefc);
  --on-accent: light-dark(#ffffff, #0e1116);
  --good: light-dark(#1a7a45, #6fcf97);
  --bad: light-dark(#b3261e, #ff9a91);
}
* { box-sizing: border-box; }
body {
  margin: 0; min-height: 100svh; display: grid; grid-template-rows: 1fr auto; justify-items: center;
  background: var(--ground); color: var(--text);
  font: 400 1rem/1.55 system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', sans-serif;
  -webkit-font-smoothing: antialiased; text-rendering: optimizeLegibility;
}
main { width: 100%; max-width: 34rem; padding: clamp(2rem, 9vh, 6rem) 1.25rem 2rem; }
main.single { align-self: center; padding-block: 2rem; }
h1 { font-size: 1.5rem; line-height: 1.25; letter-spacing: -0.015em; font-weight: 640; margin: 0 0 .5rem; text-wrap: balance; overflow-wrap: anywhere; }
h2 { font-size: 1.0625rem; line-height: 1.35; font-weight: 620; margin: 0; overflow-wrap: anywhere; }
p { margin: 0 0 .75rem; text-wrap: pretty; overflow-wrap: anywhere; }
.quiet { color: var(--quiet); }
.small { font-size: .875rem; line-height: 1.5; }
.lead { color: var(--quiet); margin-bottom: 2rem; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 14px; padding: 1.25rem 1.375rem; }
.card + .card { margin-top: .875rem; }
.single .card { padding: 2rem 1.75rem; }
.row { display: flex; align-items: baseline; justify-content: space-between; gap: .75rem; flex-wrap: wrap; }
.mark { width: 2.5rem; height: 2.5rem; margin: 0 0 1rem; display: block; }
.good { color: var(--good); } .bad { color: var(--bad); }
.state { font-size: .875rem; font-weight: 560; overflow-wrap: anywhere; }
.note { border-left: 3px solid var(--bad); padding: .125rem 0 .125rem .875rem; margin: .875rem 0; font-size: .9375rem; }
ul { list-style: none; margin: .875rem 0 .25rem; padding: 0; }
li { display: grid; grid-template-columns: 4.25rem 1fr; gap: .25rem .5rem; padding: .3125rem 0; font-size: .9375rem; }
li + li { border-top: 1px solid var(--line); }
li span:first-child { color: var(--quiet); font-size: .8125rem; line-height: 1.8; }
label { display: block; font-size: .875rem; font-weight: 560; margin: .875rem 0 .3125rem; }
input {
  width: 100%; font: inherit; color: inherit; background: var(--ground); border: 1px solid var(--line);
  border-radius: 9px; padding: .5625rem .75rem; min-height: 2.75rem;
}
.help { font-size: .8125rem; color: var(--quiet); margin: .3125rem 0 0; }
button, .button {
  display: inline-flex; align-items: center; justify-content: center; font: inherit; font-weight: 580; cursor: pointer;
  min-height: 2.75rem; padding: .5rem 1.125rem; border-radius: 9px; border: 1px solid transparent; text-decoration: none;
  background: var(--accent); color: var(--on-accent); margin-top: 1.125rem;
}
button:hover, .button:hover { filter: brightness(1.07); }
button.second { background: transparent; color: var(--text); border-color: var(--line); }
button:disabled { background: transparent; color: var(--quiet); border-color: var(--line); cursor: not-allowed; filter: none; }
:focus-visible { outline: 3px solid color-mix(in srgb, var(--accent) 55%, transparent); outline-offset: 2px; }
a { color: var(--accent); text-underline-offset: .18em; }
a.button { color: var(--on-accent); }
footer { padding: 1.25rem; color: var(--quiet); font-size: .8125rem; text-align: center; overflow-wrap: anywhere; }
code { font: .875em ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; }
@media (max-width: 26rem) { button, .button { width: 100%; }  }
`

const TICK = html`<svg class="mark good" viewBox="0 0 40 40" fill="none" stroke="currentColor" stroke-width="2.5" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true"><circle cx="20" cy="20" r="17.5"/><path d="m13 20.5 5 5 9.5-10.5"/></svg>`
const STOP = html`<svg class="mark bad" viewBox="0 0 40 40" fill="none" stroke="currentColor" stroke-width="2.5" stroke-linecap="round" aria-hidden="true"><circle cx="20" cy="20" r="17.5"/><path d="M20 12v10.5M20 27.6v.2"/></svg>`
export const MARKS = { tick: TICK, stop: STOP }

export interface Page {
  title: string
  main: Html
  /** One message in the middle instead of a list. */
  single?: boolean
  /** Sent on at once, as a link would; breaks out of the form, whose redirects browsers hold to `form-action`. */
  continueTo?: string
  /** Runs after the body; must be a constant, since its hash is what the policy lets run. */
  script?: string
  footer?: Html
}

/** Answers a whole page under a policy that lets nothing run or load but what is in it. */
export function sendPage(reply: FastifyReply, status: number, page: Page): FastifyReply {
  const scripts = page.script === undefined ? "'none'" : hashOf(page.script)
  const document = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
${page.continueTo !== undefined && html`<meta http-equiv="refresh" content="0;url=${page.continueTo}">`}
<title>${page.title}</title>
<style>${{ markup: STYLE }}</style>
</head>
<body>
<main${page.single ? html` class="single"` : ''}>${page.main}</main>
<footer>${page.footer ?? 'Patchbay'}</footer>
${page.script !== undefined && { markup: `<script>${page.script}</script>` }}
</body>
</html>
`
  return reply
    .code(status)
    .headers({
      'content-security-policy': [
        "default-src 'none'",
        `style-src ${hashOf(STYLE)}`,
        `script-src ${scripts}`,
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
      ].join('; '),
      'x-content-type-options': 'nosniff',
      'cache-control': 'no-store',
      // `no-referrer` would make browsers send `Origin: null` with the forms, and the same-origin check needs it.
      'referrer-policy': 'same-origin',
    })
    .type('text/html; charset=utf-8')
    .send(document.markup)
}

const hashes = new Map<string, string>()

function hashOf(content: string): string {
  const known = hashes.get(content)
  if (known !== undefined) return known
  const hash = `'sha256-${createHash('sha256').update(content).digest('base64')}'`
  hashes.set(content, hash)
  return hash
}
