import { expect, test } from 'vitest'
import { slackFailure } from './failure.ts'

test.each([{ ok: true }, { ok: true, error: 'stale' }, {}, null, 'text', []])('%j is no failure', (body) => {
  expect(slackFailure(body)).toBeUndefined()
})

test.each([
  ['invalid_auth', 'unauthorized'],
  ['token_revoked', 'unauthorized'],
  ['token_expired', 'unauthorized'],
  ['account_inactive', 'unauthorized'],
  ['not_authed', 'unauthorized'],
  ['ratelimited', 'rate_limited'],
  ['internal_error', 'unavailable'],
  ['channel_not_found', 'not_found'],
  ['not_in_channel', 'rejected'],
  ['something_new', 'rejected'],
])('%s is treated as %s', (error, as) => {
  expect(slackFailure({ ok: false, error })).toMatchObject({ code: error, as })
})

test('a missing scope names the scope Slack wants, the first of several', () => {
  const one = slackFailure({ ok: false, error: 'missing_scope', needed: 'chat:write', provided: 'users:read' })
  const several = slackFailure({ ok: false, error: 'missing_scope', needed: 'channels:history,groups:history' })

  expect(one).toMatchObject({ as: 'missing_scope', scope: 'chat:write' })
  expect(several).toMatchObject({ scope: 'channels:history', message: expect.stringContaining('groups:history') })
})

test('a missing scope without a name is still a missing scope', () => {
  const failure = slackFailure({ ok: false, error: 'missing_scope' })

  expect(failure).toMatchObject({ as: 'missing_scope' })
  expect(failure).not.toHaveProperty('scope')
})

test('not_in_channel says how to join', () => {
  expect(slackFailure({ ok: false, error: 'not_in_channel' })?.message).toMatch(
    /SLACK_JOIN_AN_EXISTING_CONVERSATION.*invite/s,
  )
})

test('what Slack says about the arguments is passed on, bounded', () => {
  const failure = slackFailure({
    ok: false,
    error: 'invalid_arguments',
    response_metadata: { messages: ['[ERROR] missing required field: channel', 'x'.repeat(2000)] },
  })

  expect(failure?.message).toContain('missing required field: channel')
  expect(failure?.message?.length).toBeLessThanOrEqual(500)
})

test('an answer that says neither code nor reason is a failure all the same', () => {
  expect(slackFailure({ ok: false })).toMatchObject({ code: 'unknown_error', as: 'rejected' })
})
