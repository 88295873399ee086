import { z } from 'zod'
import type { Caller } from '../core/caller.ts'
import { PatchbayError } from '../core/errors.ts'
import { assertSameOrigin, callerOf, sessionCookieName } from './access.ts'
import type { Api, Surroundings } from './app-type.ts'
import { answers } from './openapi.ts'
import { session } from './schemas.ts'
import { projectForm } from './wire-form.ts'

export function sessionRoutes(app: Api, { gateway, rates, secureCookies, publicOrigin }: Surroundings): void {
  const cookieName = sessionCookieName(secureCookies)
  const cookieOptions = { path: '/', httpOnly: true, sameSite: 'lax', secure: secureCookies } as const

  app.post(
    '/api/session',
    {
      config: { role: 'public' },
      schema: {
        tags: ['Session'],
        operationId: 'signIn',
        summary: 'Sign in to the web pages with an admin key',
        description: 'Sets the session cookie. Only from a page of this gateway, with the header `x-patchbay-csrf: 1`.',
        body: z.strictObject({ api_key: z.string().trim().min(1).max(512) }),
        response: answers({ 200: session }),
      },
    },
    async (request, reply) => {
      // Otherwise another page could sign a visitor in to an account of its own.
      assertSameOrigin(request, publicOrigin)
      await rates.assertMaySignIn(request.ip)
      try {
        const { cookie, caller, expiresAt } = await gateway.sessions.create(request.body.api_key, request.id)
        reply.setCookie(cookieName, cookie, { ...cookieOptions, expires: new Date(expiresAt) })
        return await sessionForm(caller)
      } catch (error) {
        if (error instanceof PatchbayError && error.code === 'unauthorized') await rates.failedSignIn(request.ip)
        throw error
      }
    },
  )

  app.get(
    '/api/session',
    {
      config: { role: 'admin' },
      schema: {
        tags: ['Session'],
        operationId: 'getSession',
        summary: 'Who is signed in',
        response: answers({ 200: session }),
      },
    },
    async (request) => sessionForm(callerOf(request)),
  )

  app.delete(
    '/api/session',
    {
      // Signing out twice is fine, so a session that has already ended is no error.
      config: { role: 'public' },
      schema: {
        tags: ['Session'],
        operationId: 'signOut',
        summary: 'Sign out',
        description:
          'Ends the session and its cookie. Only from a page of this gateway, with the header `x-patchbay-csrf: 1`.',
        response: answers({ 204: z.undefined().describe('Signed out') }),
      },
    },
    async (request, reply) => {
      assertSameOrigin(request, publicOrigin)
      const cookie = request.cookies[cookieName]
      if (cookie !== undefined) await gateway.sessions.end(cookie, request.id)
      return reply.clearCookie(cookieName, cookieOptions).code(204).send()
    },
  )

  async function sessionForm(caller: Caller) {
    const project = await gateway.admin.project(caller)
    return { signed_in: true as const, project: projectForm(project), role: caller.role, user_id: caller.userId }
  }
}
