import type { FastifyReply } from 'fastify'
import { isUsable } from '../core/connection.ts'
import type { Connector, Effect } from '../core/connector.ts'
import type { ErrorBody } from '../core/errors.ts'
import type { OpenLink } from '../core/gateway.ts'
import type { ConnectionParam } from '../core/provider.ts'
import { readOnlyTools, scopesToAsk } from '../core/scopes.ts'
import { type Html, html } from './html.ts'
import { sendPage } from './page.ts'
import { statusOf } from './trouble.ts'

type Offer = OpenLink['connectors'][number]

/** A form that was sent and refused: shown again with what was typed and why. */
export interface Refused {
  connectorId: string
  settings: Record<string, string>
  error: ErrorBody
}

const VERBS: Record<Effect, string> = { read: 'Read', write: 'Change', destructive: 'Delete' }

/** The hosted connect page: what can be connected, what each asks for in words, and one button each. */
export function sendLinkPage(
  reply: FastifyReply,
  link: OpenLink,
  refused: Refused | undefined,
  requestId: string,
): FastifyReply {
  const [only] = link.connectors.length === 1 ? link.connectors : []
  const title = only ? `Connect ${only.connector.name}` : 'Connect your accounts'
  return sendPage(reply, refused ? statusOf(refused.error.code) : 200, {
    title,
    main: html`<h1>${title}</h1>
<p class="lead">${link.projectName} asks to use ${only ? 'your account' : 'accounts of yours'} through Patchbay. You choose what to connect, and can disconnect it at any time.</p>
${link.connectors.length === 0 ? html`<div class="card"><p>There is nothing to connect here yet. Ask whoever sent you this link.</p></div>` : null}
${link.connectors.map((offer) => card(offer, refused?.connectorId === offer.connector.id ? refused : undefined, requestId))}`,
    footer: html`This link works in this browser only, until ${new Date(link.expiresAt).toISOString().slice(11, 16)} UTC, and ends with the first account connected.`,
  })
}

/** Sent in answer to the form: goes on to the provider by itself, and by a link where that is off. */
export function sendOnward(reply: FastifyReply, connectorName: string, url: string): FastifyReply {
  return sendPage(reply, 200, {
    title: `Going to ${connectorName}`,
    single: true,
    continueTo: url,
    main: html`<div class="card" role="status">
<h1>Taking you to ${connectorName}</h1>
<p class="quiet">You will be asked to allow access there, and brought back here.</p>
<a class="button" href="${url}">Continue</a>
</div>`,
  })
}

/** Shown to what does not look like a browser: a chat's link preview must not use up the link. */
export function sendThreshold(reply: FastifyReply, url: string): FastifyReply {
  return sendPage(reply, 200, {
    title: 'Connect an account',
    single: true,
    main: html`<div class="card">
<h1>Connect an account</h1>
<p class="quiet">This link opens once, in one browser.</p>
<a class="button" href="${url}" rel="nofollow">Open it here</a>
</div>`,
  })
}

function card(offer: Offer, refused: Refused | undefined, requestId: string): Html {
  const { connector, connection } = offer
  const headingId = `c-${connector.id}`
  const usable = connection !== undefined && isUsable(connection)
  return html`<section class="card" aria-labelledby="${headingId}">
<div class="row"><h2 id="${headingId}">${connector.name}</h2>${stateOf(offer, usable)}</div>
<p class="quiet small">${connector.description}</p>
${
  connection && !usable && connection.statusReason
    ? html`<p class="note">${connection.statusReason.message} ${connection.statusReason.fix}</p>`
    : null
}
${refused ? html`<p class="note" role="alert">${refused.error.message} <span class="quiet small">Request <code>${requestId}</code></span></p>` : null}
${usable ? null : permissions(offer)}
<form method="post">
<input type="hidden" name="connector" value="${connector.id}">
${(connector.provider.connectionParams ?? []).map((param) => field(connector, param, refused?.settings[param.key]))}
${button(offer, usable)}
</form>
</section>`
}

function stateOf({ connection }: Offer, usable: boolean): Html | null {
  if (!connection) return null
  const account = connection.account?.label ?? connection.label
  return usable
    ? html`<span class="state good">Connected as ${account}</span>`
    : html`<span class="state bad">${account} needs connecting again</span>`
}

function permissions({ connector, scopes }: Offer): Html | null {
  const asked = scopes ?? Object.values(scopesToAsk(connector, readOnlyTools(connector))).flat()
  const infos = asked.flatMap((scope) => connector.scopes[scope] ?? [])
  if (infos.length === 0) return null
  return html`<ul aria-label="What it will be able to do">
${infos.map((info) => html`<li><span>${VERBS[info.effect]}</span><span>${info.description}</span></li>`)}
</ul>`
}

function field(connector: Connector, param: ConnectionParam, typed: string | undefined): Html {
  const fieldId = `f-${connector.id}-${param.key}`
  const value = typed ?? param.default ?? ''
  return html`<label for="${fieldId}">${param.label}${param.required ? '' : html` <span class="quiet">(optional)</span>`}</label>
<input id="${fieldId}" name="settings.${param.key}" value="${value}" maxlength="2048" autocomplete="off" spellcheck="false"${
    param.required ? html` required` : ''
  }${param.help ? html` aria-describedby="${fieldId}-help"` : ''}>
${param.help ? html`<p class="help" id="${fieldId}-help">${param.help}</p>` : null}`
}

function button({ connector, connection, configured }: Offer, usable: boolean): Html {
  const reasonId = `w-${connector.id}`
  if (!configured) {
    return html`<button disabled aria-describedby="${reasonId}">Connect ${connector.name}</button>
<p class="help" id="${reasonId}">An administrator has to set up an OAuth app for ${connector.provider.name} first.</p>`
  }
  if (usable) return html`<button class="second">Connect another account</button>`
  return html`<button>${connection ? 'Connect again' : `Connect ${connector.name}`}</button>`
}
