import type { FastifyReply } from 'fastify'
import type { ErrorBody, ErrorCode } from '../core/errors.ts'
import { html } from './html.ts'
import { MARKS, sendPage } from './page.ts'

/** Status of the pages; what is not named here is something the person or the request did. */
const STATUS: Partial<Record<ErrorCode, number>> = {
  not_found: 404,
  unsupported_media_type: 415,
  forbidden: 403,
  too_large: 413,
  rate_limited: 429,
  internal: 500,
  provider_unavailable: 502,
  shutting_down: 503,
  timeout: 504,
}

export function statusOf(code: ErrorCode): number {
  return STATUS[code] ?? 400
}

/** What happened, what to do, and the number to quote; nothing else of the error. */
export function sendTrouble(reply: FastifyReply, title: string, error: ErrorBody, requestId: string): FastifyReply {
  return sendPage(reply, statusOf(error.code), {
    title,
    single: true,
    main: html`<div class="card" role="alert">
${MARKS.stop}
<h1>${title}</h1>
<p>${error.message}</p>
${error.fix ? html`<p class="quiet">${sentence(error.fix.action)}</p>` : html`<p class="quiet">Close this window, go back to where you came from, and start again.</p>`}
${webLink(error.fix?.url)}
</div>`,
    footer: html`Request <code>${requestId}</code>`,
  })
}

function webLink(url: string | undefined) {
  if (url === undefined || !/^https?:\/\//i.test(url)) return null
  return html`<a class="button" href="${url}">Continue</a>`
}

function sentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`
}
