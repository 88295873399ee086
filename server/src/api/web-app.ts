import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import fastifyStatic from '@fastify/static'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { openToAnyone } from './app-type.ts'
import { answerFailure, answerNotFound } from './failures.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The web app has a page at this address too: a browser that navigates here gets the page. */
    webPage?: boolean
  }
}

/** Radix writes style elements while it runs; account pictures come from the services' own hosts. */
const WEB_CSP = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data: https:",
  "font-src 'self'",
  "connect-src 'self'",
  "manifest-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ')

/** Addresses that belong to the API and the server's own pages: an unknown one of these is an error, not a web page. */
const NOT_WEB = /^\/(?:api|oauth|connect|cache-tokens|health|metrics|docs|mcp|inst_[^/]*|assets|\.well-known)(?:\/|$)/

/**
 * Serves the built web app: hashed assets for ever, `index.html` never from a cache.
 * Answers the function that sends the app's page where a browser asks for an address that is not the API's.
 */
export async function serveWebApp(app: FastifyInstance, webRoot: string) {
  await app.register(async (scope) => {
    openToAnyone(scope)
    // The static files' own refusals (a folder, a path out of it) are simply not pages of ours.
    scope.setErrorHandler((error: { statusCode?: number }, request, reply) => {
      if ((error.statusCode ?? 500) < 500) answerNotFound(request, reply)
      else answerFailure(error, request, reply)
    })
    scope.get('/', (_request, reply) => send(reply))
    await scope.register(fastifyStatic, {
      root: webRoot,
      index: false,
      decorateReply: false,
      cacheControl: false,
      setHeaders(reply, path) {
        reply.header('content-security-policy', WEB_CSP)
        const hashed = path.includes('/assets/') || path.includes('\\assets\\')
        reply.header('cache-control', hashed ? 'public, max-age=31536000, immutable' : 'no-cache')
        if (path.endsWith('index.html')) reply.header('cache-control', 'no-store')
      },
    })
  })

  return {
    /** A browser going to a page, where the API has an answer under the same address. */
    isNavigation(request: FastifyRequest): boolean {
      if (request.method !== 'GET' || request.routeOptions.config.webPage !== true) return false
      const mode = request.headers['sec-fetch-mode']
      // Browsers leave the header out over plain http to other machines; programs do not ask for HTML.
      return mode === undefined ? (request.headers.accept ?? '').includes('text/html') : mode === 'navigate'
    },
    /** An unknown address that the web app should answer. */
    isPage(request: FastifyRequest): boolean {
      const path = request.url.split('?', 1)[0] as string
      const isFile = /\.[A-Za-z0-9]{1,8}$/.test(path)
      return (request.method === 'GET' || request.method === 'HEAD') && !isFile && !NOT_WEB.test(path)
    },
    send,
  }

  async function send(reply: FastifyReply): Promise<FastifyReply> {
    const page = await readFile(join(webRoot, 'index.html'))
    return reply
      .code(200)
      .headers({
        'content-security-policy': WEB_CSP,
        // Popups of the connect flow must keep their way back to this page.
        'cross-origin-opener-policy': 'same-origin-allow-popups',
        'referrer-policy': 'same-origin',
        'cache-control': 'no-store',
      })
      .type('text/html; charset=utf-8')
      .send(page)
  }
}
