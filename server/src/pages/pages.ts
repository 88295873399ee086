import type { FastifyInstance, FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import { asPatchbayError, errorBody, PatchbayError } from '../core/errors.ts'
import type { Gateway } from '../core/gateway.ts'
import { assertOwnForm, browserCookie, isNavigation } from './browser.ts'
import { sendOutcome } from './closing.ts'
import { type Refused, sendLinkPage, sendOnward, sendThreshold } from './link-page.ts'
import { sendTrouble } from './trouble.ts'

export interface PagesOptions {
  gateway: Gateway
  publicUrl: string
  /** The server is reached over TLS: cookies get `Secure` and the `__Host-` prefix. */
  secureCookies: boolean
}

const SLUG = /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/
const FORM_BYTES = 32 * 1024

/**
 * The routes a person's browser opens while connecting: the start of a flow, its way back, and the hosted connect
 * page. Needs `@fastify/cookie` in the app it is registered in.
 */
export function createPages({ gateway, publicUrl, secureCookies }: PagesOptions): FastifyPluginAsync {
  const publicOrigin = new URL(publicUrl).origin
  const browser = browserCookie(secureCookies)
  // Each route checks a secret of its own: a one-time token, or a state.
  const page = { config: { role: 'self' as const }, schema: { hide: true }, exposeHeadRoute: false }

  return async (app) => {
    readForms(app)
    app.setErrorHandler(sendError)

    app.get<{ Params: { token: string } }>('/connect/start/:token', page, async (request, reply) => {
      // A browser that only looks ahead must not use up the link.
      if (/prefetch/.test(String(request.headers['sec-purpose'] ?? ''))) return reply.code(204).send()
      const address = await gateway.connect.open(request.params.token, browser.bind(request, reply))
      return reply.redirect(address, 302)
    })

    app.get<{ Params: { provider: string } }>('/oauth/callback/:provider', page, (request, reply) =>
      finish(request, reply, request.params.provider, queryOf(request)),
    )

    app.get('/api/integrations/callback', page, (request, reply) => {
      const query = queryOf(request)
      const providerId = query.get('provider') ?? ''
      query.delete('provider')
      return finish(request, reply, providerId, query)
    })

    async function finish(request: FastifyRequest, reply: FastifyReply, providerId: string, query: URLSearchParams) {
      const outcome = await gateway.connect.callback({
        providerId,
        query,
        browserSecret: browser.read(request),
        requestId: request.id,
      })
      return sendOutcome(reply, outcome, request.id)
    }

    app.get<{ Params: { token: string } }>('/connect/:token', page, async (request, reply) => {
      const { token } = request.params
      if (!isNavigation(request) && !queryOf(request).has('open')) {
        return sendThreshold(reply, `${publicUrl.replace(/\/+$/, '')}/connect/${encodeURIComponent(token)}?open=1`)
      }
      const link = await gateway.connectLinks.open(token, browser.bind(request, reply), request.id)
      return sendLinkPage(reply, link, undefined, request.id)
    })

    app.post<{ Params: { token: string } }>(
      '/connect/:token',
      { ...page, bodyLimit: FORM_BYTES },
      async (request, reply) => {
        assertOwnForm(request, publicOrigin)
        const { token } = request.params
        const secret = browser.read(request)
        if (secret === undefined) {
          throw new PatchbayError('not_found', 'This browser did not open the link, or does not keep cookies.', {
            fix: { action: 'Allow cookies for this site and open the link again' },
          })
        }
        const wanted = formOf(request.body)
        const link = await gateway.connectLinks.open(token, secret, request.id)
        const offer = link.connectors.find(({ connector }) => connector.id === wanted.connectorId)
        if (!offer) throw new PatchbayError('not_found', 'This link does not offer that connector.')
        try {
          const started = await gateway.connectLinks.start(token, secret, wanted, request.id)
          return sendOnward(reply, offer.connector.name, started.authUrl)
        } catch (thrown) {
          const refused: Refused = { ...wanted, error: errorBody(logged(thrown, request), request.id) }
          return sendLinkPage(reply, link, refused, request.id)
        }
      },
    )
  }
}

function sendError(thrown: unknown, request: FastifyRequest, reply: FastifyReply): void {
  const error = fromFramework(thrown) ?? logged(thrown, request)
  if (error.retryAfter !== undefined) reply.header('retry-after', String(Math.max(1, Math.ceil(error.retryAfter))))
  const title = error.code === 'not_found' ? 'This link does not work' : 'That did not work'
  void sendTrouble(reply, title, errorBody(error), request.id)
}

function logged(thrown: unknown, request: FastifyRequest): PatchbayError {
  const error = asPatchbayError(thrown)
  if (error.code === 'internal')
    request.log.error(
      { requestId: request.id, err: error.cause ?? error, route: request.routeOptions.url },
      'page failed',
    )
  return error
}

function fromFramework(thrown: unknown): PatchbayError | undefined {
  const { code } = thrown as { code?: string }
  if (code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE')
    return new PatchbayError('unsupported_media_type', 'This page takes its own form only.')
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE')
    return new PatchbayError('too_large', 'The form is larger than this page accepts.')
  if (code?.startsWith('FST_')) return new PatchbayError('invalid_input', 'The request is not one this page can read.')
  return undefined
}

function readForms(app: FastifyInstance): void {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser<string>(
    'application/x-www-form-urlencoded',
    { parseAs: 'string' },
    (_request, body, done) => {
      done(null, new URLSearchParams(body))
    },
  )
}

/** The connector and the settings of a sent form. Throws `invalid_input`. */
function formOf(body: unknown): { connectorId: string; settings: Record<string, string> } {
  const form = body instanceof URLSearchParams ? body : new URLSearchParams()
  const connectorId = form.get('connector') ?? ''
  if (!SLUG.test(connectorId)) throw new PatchbayError('invalid_input', 'The form does not say what to connect.')
  const settings: Record<string, string> = {}
  for (const [name, value] of form) {
    if (name === 'connector') continue
    const [, key] = /^settings\.([A-Za-z0-9_-]{1,64})$/.exec(name) ?? []
    if (key === undefined || value.length > 2048)
      throw new PatchbayError('invalid_input', 'The form has a field this page does not know.')
    // An optional field left empty is a field not given.
    if (value.trim() !== '') settings[key] = value.trim()
  }
  return { connectorId, settings }
}

function queryOf(request: FastifyRequest): URLSearchParams {
  const at = request.url.indexOf('?')
  return new URLSearchParams(at < 0 ? '' : request.url.slice(at + 1))
}
