import { expect, test } from 'vitest'
import { googleFailure, googleProvider } from './google.ts'

const body = (code: number, status: string, reason?: string) => ({
  error: { code, status, message: 'Google says so.', ...(reason && { errors: [{ reason, domain: 'global' }] }) },
})

test.each([
  [body(401, 'UNAUTHENTICATED', 'authError'), 'unauthorized', 'authError'],
  [body(403, 'PERMISSION_DENIED', 'insufficientPermissions'), 'missing_scope', 'insufficientPermissions'],
  [body(403, 'PERMISSION_DENIED', 'userRateLimitExceeded'), 'rate_limited', 'userRateLimitExceeded'],
  [body(429, 'RESOURCE_EXHAUSTED'), 'rate_limited', 'RESOURCE_EXHAUSTED'],
  [body(404, 'NOT_FOUND', 'notFound'), 'not_found', 'notFound'],
  [body(400, 'INVALID_ARGUMENT', 'invalidArgument'), 'rejected', 'invalidArgument'],
  [body(403, 'PERMISSION_DENIED', 'accessNotConfigured'), 'rejected', 'accessNotConfigured'],
  [body(503, 'UNAVAILABLE', 'backendError'), 'unavailable', 'backendError'],
])('an error of Google becomes one an agent can act on: %j', (answer, as, code) => {
  expect(googleFailure(answer)).toEqual({ as, code, message: 'Google says so.' })
})

test('the newer form of a missing scope is known too', () => {
  const answer = {
    error: {
      code: 403,
      status: 'PERMISSION_DENIED',
      details: [{ '@type': 'type.googleapis.com/google.rpc.ErrorInfo', reason: 'ACCESS_TOKEN_SCOPE_INSUFFICIENT' }],
    },
  }

  expect(googleFailure(answer)).toEqual({ as: 'missing_scope', code: 'ACCESS_TOKEN_SCOPE_INSUFFICIENT' })
})

test('an answer without an error is none', () => {
  expect([{}, { error: 'text' }, null, []].map(googleFailure)).toEqual([undefined, undefined, undefined, undefined])
})

test('the account is who Google says, with its organisation where there is one', () => {
  const name = googleProvider.identity?.account

  expect(name?.({ sub: '7', email: 'a@x.com', hd: 'x.com', picture: 'https://p' })).toEqual({
    id: '7',
    label: 'a@x.com',
    email: 'a@x.com',
    organisation: 'x.com',
    avatarUrl: 'https://p',
  })
  expect(name?.({ sub: '8', name: 'Ann' })).toEqual({ id: '8', label: 'Ann' })
})
