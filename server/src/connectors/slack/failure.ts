import type { Failure } from '../../core/connector.ts'

/** Slack answers HTTP 200 with `{ok: false, error}` when a call failed. */
export function slackFailure(body: any): Failure | undefined {
  if (!body || typeof body !== 'object' || body.ok !== false) return undefined
  const code = typeof body.error === 'string' && body.error ? body.error : 'unknown_error'
  const advice = ADVICE[code]
  const said = detail(body)
  const message = [advice, said].filter(Boolean).join(' ')
  const failure: Failure = { code, as: KIND[code] ?? 'rejected', ...(message && { message }) }
  if (code !== 'missing_scope') return failure

  const needed = String(body.needed ?? '')
    .split(',')[0]
    ?.trim()
  return needed ? { ...failure, scope: needed, message: `Slack wants the scope ${body.needed} for this.` } : failure
}

const KIND: Readonly<Record<string, NonNullable<Failure['as']>>> = {
  not_authed: 'unauthorized',
  invalid_auth: 'unauthorized',
  token_revoked: 'unauthorized',
  token_expired: 'unauthorized',
  account_inactive: 'unauthorized',
  missing_scope: 'missing_scope',
  ratelimited: 'rate_limited',
  rate_limited: 'rate_limited',
  message_limit_exceeded: 'rate_limited',
  internal_error: 'unavailable',
  fatal_error: 'unavailable',
  service_unavailable: 'unavailable',
  request_timeout: 'unavailable',
  channel_not_found: 'not_found',
  user_not_found: 'not_found',
  users_not_found: 'not_found',
  message_not_found: 'not_found',
  thread_not_found: 'not_found',
  file_not_found: 'not_found',
  no_reaction: 'not_found',
  no_pin: 'not_found',
  invalid_scheduled_message_id: 'not_found',
}

/** What the caller can do about it; codes that say it all themselves are left out. */
const ADVICE: Readonly<Record<string, string>> = {
  channel_not_found:
    'No such channel, or the app may not see it. Give a channel ID (C…, G… or D…) from SLACK_FIND_CHANNELS; a private channel must invite the app first (/invite).',
  not_in_channel:
    'The app is not a member of this channel. Join it with SLACK_JOIN_AN_EXISTING_CONVERSATION; a private channel must invite the app (/invite).',
  is_archived: 'The channel is archived; it has to be unarchived before it can change.',
  user_not_found: 'No such person. Give a user ID (U… or W…) from SLACK_FIND_USERS.',
  users_not_found: 'Nobody in the workspace has this email address.',
  message_not_found:
    'No message with this timestamp in this channel. Give the exact `ts` of the message and its channel ID.',
  thread_not_found: 'No thread with this timestamp in this channel. Give the `ts` of the first message of the thread.',
  file_not_found: 'No such file, or the app may not see it. Give a file ID (F…).',
  cant_update_message: 'Only messages that this app posted can be edited.',
  edit_window_closed: 'The workspace no longer allows editing a message of this age.',
  cant_delete_message: 'Only messages that this app posted can be deleted.',
  msg_too_long: 'The message is too long: at most 40,000 characters, or 12,000 in `markdown_text`.',
  no_text: 'The message is empty: give `text`, `markdown_text` or `blocks`.',
  invalid_blocks: 'Slack does not accept these blocks: check them against the Block Kit reference.',
  already_reacted: 'This reaction is already there.',
  no_reaction: 'There is no such reaction by this app on the message.',
  invalid_name:
    'The name is not valid: an emoji name goes without colons, a channel name is lower case without spaces.',
  name_taken: 'A channel with this name exists already.',
  already_pinned: 'This message is pinned already.',
  no_pin: 'This message is not pinned.',
  user_not_in_channel:
    'The person is not a member of this channel; add them with SLACK_INVITE_USERS_TO_A_SLACK_CHANNEL first.',
  already_in_channel: 'They are in the channel already.',
  cant_invite_self: 'The app cannot invite itself; use SLACK_JOIN_AN_EXISTING_CONVERSATION.',
  time_in_past: '`post_at` lies in the past.',
  time_too_far: '`post_at` may be at most 120 days ahead.',
  method_not_supported_for_channel_type:
    'This kind of conversation does not support it (private channels cannot be joined, direct messages have no topic).',
  not_allowed_token_type:
    'This call needs the other kind of Slack token (a person’s instead of the app’s, or the reverse).',
  restricted_action: 'A workspace setting forbids this to the app; a workspace admin can change it.',
  org_login_required: 'The workspace is moving to an organisation; the person must sign in there first.',
  invalid_cursor: 'The cursor is not valid any more; start again without it.',
}

/** Slack lists argument mistakes under `response_metadata.messages`. */
function detail(body: any): string {
  const messages: unknown = body.response_metadata?.messages
  if (Array.isArray(messages) && messages.length > 0) return messages.map(String).join(' ').slice(0, 500)
  const errors: unknown = body.errors
  return Array.isArray(errors) && errors.every((one) => typeof one === 'string') ? errors.join(' ').slice(0, 500) : ''
}
