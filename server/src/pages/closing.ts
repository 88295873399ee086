import type { ConnectMessage } from '@patchbay/sdk/wire'
import type { FastifyReply } from 'fastify'
import { type ErrorBody, errorBody, PatchbayError } from '../core/errors.ts'
import type { CallbackOutcome } from '../core/gateway.ts'
import { dataBlock, html } from './html.ts'
import { MARKS, sendPage } from './page.ts'
import { sendTrouble, statusOf } from './trouble.ts'

/**
 * Tells the page that opened the popup, once, and closes; a page opened some other way goes on to the redirect address.
 * The browser itself drops the message when the opener is not of the named origin.
 */
const SCRIPT = `(() => {
  const { message, origin, redirect } = JSON.parse(document.getElementById('outcome').textContent)
  if (window.opener) {
    window.opener.postMessage(message, origin)
    window.close()
  } else if (redirect) {
    window.location.replace(redirect)
  }
})()`

/** Ends a connect flow in the browser: popup message, redirect, or a page that says how it went. */
export function sendOutcome(reply: FastifyReply, outcome: CallbackOutcome, requestId: string): FastifyReply {
  const redirect = redirectOf(outcome)
  if (outcome.openerOrigin === undefined && redirect !== undefined) return reply.redirect(redirect, 303)

  const name = outcome.connectorName ?? outcome.connectorId ?? 'The account'
  const failure = outcome.status === 'failed' ? failureOf(outcome) : undefined
  const title = failure ? `${name} was not connected` : `${name} is connected`
  const popup = outcome.openerOrigin !== undefined && {
    data: dataBlock('outcome', {
      message: messageOf(outcome, failure),
      origin: outcome.openerOrigin,
      redirect: redirect ?? null,
    }),
  }
  if (failure && !popup) return sendTrouble(reply, title, failure, requestId)

  const account = outcome.connection?.account?.label
  return sendPage(reply, failure ? statusOf(failure.code) : 200, {
    title,
    single: true,
    main: html`<div class="card" role="status">
${failure ? MARKS.stop : MARKS.tick}
<h1>${title}</h1>
${failure ? html`<p>${failure.message}</p>` : account ? html`<p>As ${account}.</p>` : null}
<p class="quiet">You can close this window.</p>
</div>${popup ? popup.data : null}`,
    ...(popup && { script: SCRIPT }),
    ...(failure && { footer: html`Request <code>${requestId}</code>` }),
  })
}

function messageOf(outcome: CallbackOutcome, failure: ErrorBody | undefined): ConnectMessage {
  return {
    type: 'patchbay:connect',
    status: outcome.status,
    appName: outcome.connectorId ?? '',
    ...(outcome.connectionId !== undefined && { connection_id: outcome.connectionId }),
    ...(failure && { error: { code: failure.code, message: failure.message } }),
  }
}

/** The app's own address with how it went added; its own parameters and fragment stay. */
function redirectOf(outcome: CallbackOutcome): string | undefined {
  if (outcome.redirectUrl === undefined || !URL.canParse(outcome.redirectUrl)) return undefined
  const url = new URL(outcome.redirectUrl)
  // The project's list decides where browsers go; that no address runs script is not left to it.
  if (!['https:', 'http:'].includes(url.protocol)) return undefined
  url.searchParams.set('status', outcome.status)
  url.searchParams.set('appName', outcome.connectorId ?? '')
  if (outcome.connectionId !== undefined) url.searchParams.set('connection_id', outcome.connectionId)
  if (outcome.status === 'failed') url.searchParams.set('error', failureOf(outcome).code)
  return url.href
}

function failureOf(outcome: CallbackOutcome): ErrorBody {
  return outcome.error ?? errorBody(new PatchbayError('oauth_failed', 'Connecting did not finish. Nothing was stored.'))
}
