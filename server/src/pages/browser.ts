import { randomBytes } from 'node:crypto'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { PatchbayError } from '../core/errors.ts'

/** Longer than any flow lives (10 minutes), so that one begun now can end in this browser. */
const LIFE_SECONDS = 3600
const SECRET = /^[A-Za-z0-9_-]{43}$/

/** The cookie that ties a connect flow to the browser that began it. */
export function browserCookie(secure: boolean) {
  const name = secure ? '__Host-patchbay_browser' : 'patchbay_browser'

  return {
    /** This browser's secret, if it has one. */
    read(request: FastifyRequest): string | undefined {
      const value = request.cookies[name]
      return value !== undefined && SECRET.test(value) ? value : undefined
    },
    /** This browser's secret, kept or new. Flows that run side by side share it. */
    bind(request: FastifyRequest, reply: FastifyReply): string {
      const secret = this.read(request) ?? randomBytes(32).toString('base64url')
      // Lax, not Strict: the way back from the provider is a navigation from another site.
      reply.setCookie(name, secret, { path: '/', httpOnly: true, sameSite: 'lax', secure, maxAge: LIFE_SECONDS })
      return secret
    },
  }
}

/** Throws unless a form was sent by one of our own pages. Browsers set both headers themselves. */
export function assertOwnForm(request: FastifyRequest, publicOrigin: string): void {
  const site = request.headers['sec-fetch-site']
  const { origin } = request.headers
  const own =
    site === undefined
      ? origin === publicOrigin || origin === `${request.protocol}://${request.host}`
      : site === 'same-origin'
  if (!own)
    throw new PatchbayError(
      'forbidden',
      'This form was not sent from its own page. Open the link again and use the button there.',
    )
}

/** A person's browser on its way to a page, as far as its headers tell; previews and scanners do not say so. */
export function isNavigation(request: FastifyRequest): boolean {
  return (
    request.headers['sec-fetch-dest'] === 'document' && !/prefetch/.test(String(request.headers['sec-purpose'] ?? ''))
  )
}
