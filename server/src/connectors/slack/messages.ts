import { z } from 'zod'
import { defineTools } from '../../core/connector.ts'
import { PatchbayError } from '../../core/errors.ts'
import { call, collect, jsonArray, list, unixSeconds } from './call.ts'
import { channelId, either, messageTs } from './fields.ts'
import { scopes } from './scopes.ts'
import { message } from './shapes.ts'

const json = z.union([z.string(), z.array(z.record(z.string(), z.unknown()))])

/** What a message can say, shared by posting, editing and scheduling. */
const content = {
  text: z
    .string()
    .max(40_000)
    .optional()
    .describe('Message in Slack mrkdwn (*bold*, _italic_, <https://example.com|link>, <@U123> to mention a person)'),
  markdown_text: z
    .string()
    .max(12_000)
    .optional()
    .describe('Message in ordinary Markdown instead of `text`; not together with `text` or `blocks`'),
  blocks: json.optional().describe('Block Kit blocks, an array or its JSON text; give `text` too, as the notification'),
  attachments: json.optional().describe('Older attachments, an array or its JSON text'),
  link_names: z.boolean().optional().describe('Turn @names and #channels in `text` into links'),
  parse: z.enum(['none', 'full']).optional().describe('How Slack treats addresses and names in `text`'),
}

const unfurl = {
  unfurl_links: z.boolean().optional().describe('Show previews of linked pages'),
  unfurl_media: z.boolean().optional().describe('Show previews of linked media'),
}

const thread_ts = messageTs.describe('`ts` of the first message of the thread')

export const messageTools = defineTools(scopes, {
  SLACK_SEND_MESSAGE: {
    title: 'Send a message',
    description:
      'Posts a message to a channel, a direct message or, with `thread_ts`, a thread. Find the channel ID with SLACK_FIND_CHANNELS, or a person’s with SLACK_FIND_USERS (a user ID posts to their direct messages with the app). Give `text` or `markdown_text`. Answers the channel ID and the `ts` of the message, which edit, delete, reply and reaction tools need. The app must be in the channel.',
    effect: 'write',
    scopes: ['chat:write'],
    tokens: either,
    aliases: ['SLACK_SENDS_A_MESSAGE_TO_A_SLACK_CHANNEL', 'SLACK_CHAT_POST_MESSAGE'],
    paramAliases: { channel_id: 'channel' },
    input: z.object({
      channel: z.string().min(1).describe('Channel ID (C…, G…, D…) or user ID (U…); a #name works for public channels'),
      ...content,
      thread_ts: thread_ts.optional(),
      reply_broadcast: z.boolean().optional().describe('Show a thread reply in the channel too'),
      mrkdwn: z.boolean().optional().describe('false shows `text` as it is, without formatting'),
      ...unfurl,
    }),
    run: async (input, service) => posted(await call(service, 'chat.postMessage', messageArgs(input))),
  },

  SLACK_REPLY_TO_A_THREAD: {
    title: 'Reply in a thread',
    description:
      'Answers a message in its thread, or starts one under it. `thread_ts` is the `ts` of the first message (of a reply, its `thread_ts`), from SLACK_FETCH_CONVERSATION_HISTORY or SLACK_SEARCH_MESSAGES. Answers the channel ID and the `ts` of the reply.',
    effect: 'write',
    scopes: ['chat:write'],
    tokens: either,
    paramAliases: { channel_id: 'channel', ts: 'thread_ts' },
    input: z.object({
      channel: channelId,
      thread_ts,
      ...content,
      reply_broadcast: z.boolean().optional().describe('Show the reply in the channel too'),
      ...unfurl,
    }),
    run: async (input, service) => posted(await call(service, 'chat.postMessage', messageArgs(input))),
  },

  SLACK_UPDATES_A_SLACK_MESSAGE: {
    title: 'Edit a message',
    description:
      'Replaces the content of a message that this app posted. `ts` is what sending answered. Only what is given is replaced; an empty array removes blocks or attachments.',
    effect: 'write',
    idempotent: true,
    scopes: ['chat:write'],
    tokens: either,
    paramAliases: { channel_id: 'channel', message_ts: 'ts', timestamp: 'ts' },
    input: z.object({
      channel: channelId,
      ts: messageTs,
      ...content,
      reply_broadcast: z.boolean().optional().describe('Show a thread reply in the channel too'),
      file_ids: z.array(z.string()).optional().describe('IDs of files the message shall carry; replaces those it has'),
      metadata: z.record(z.string(), z.unknown()).optional().describe('Message metadata: {event_type, event_payload}'),
    }),
    run: async (input, service) => posted(await call(service, 'chat.update', messageArgs(input, true))),
  },

  SLACK_DELETES_A_MESSAGE_FROM_A_CHAT: {
    title: 'Delete a message',
    description:
      'Deletes for good a message that this app posted. Needs the channel ID and the `ts` of the message. Cannot be undone.',
    effect: 'destructive',
    scopes: ['chat:write'],
    tokens: either,
    paramAliases: { channel_id: 'channel', message_ts: 'ts', timestamp: 'ts' },
    input: z.object({ channel: channelId, ts: messageTs }),
    run: async (input, service) => {
      const answer = await call(service, 'chat.delete', input)
      return { channel: answer.channel, ts: answer.ts, deleted: true }
    },
  },

  SLACK_SEND_EPHEMERAL_MESSAGE: {
    title: 'Show a message to one person',
    description:
      'Shows a message in a channel to one member only. It is gone when they reload, and cannot be edited or deleted. Both the app and the person must be in the channel.',
    effect: 'write',
    scopes: ['chat:write'],
    tokens: either,
    aliases: ['SLACK_SENDS_EPHEMERAL_MESSAGES_TO_CHANNEL_USERS'],
    paramAliases: { channel_id: 'channel', user_id: 'user' },
    input: z.object({
      channel: channelId,
      user: z.string().min(1).describe('User ID (U…) of the one who sees it'),
      ...content,
      thread_ts: thread_ts.optional(),
    }),
    run: async (input, service) => {
      const answer = await call(service, 'chat.postEphemeral', messageArgs(input))
      return { channel: input.channel, user: input.user, message_ts: answer.message_ts }
    },
  },

  SLACK_SCHEDULE_MESSAGE: {
    title: 'Schedule a message',
    description:
      'Queues a message to be posted later, up to 120 days ahead. Answers `scheduled_message_id`, which SLACK_DELETE_SCHEDULED_MESSAGE needs to cancel it.',
    effect: 'write',
    scopes: ['chat:write'],
    tokens: either,
    aliases: ['SLACK_SCHEDULES_A_MESSAGE_TO_A_CHANNEL_AT_A_SPECIFIED_TIME'],
    paramAliases: { channel_id: 'channel' },
    input: z.object({
      channel: channelId,
      post_at: z
        .union([z.string(), z.number()])
        .describe('When: Unix seconds, or ISO 8601 with an offset (2026-01-31T09:00:00+01:00)'),
      ...content,
      thread_ts: thread_ts.optional(),
      reply_broadcast: z.boolean().optional().describe('Show a thread reply in the channel too'),
      ...unfurl,
    }),
    run: async (input, service) => {
      const post_at = unixSeconds('post_at', input.post_at)
      const answer = await call(service, 'chat.scheduleMessage', { ...messageArgs(input), post_at })
      return { channel: answer.channel, scheduled_message_id: answer.scheduled_message_id, post_at: answer.post_at }
    },
  },

  SLACK_LIST_SCHEDULED_MESSAGES: {
    title: 'List scheduled messages',
    description:
      'Lists messages this app has queued and not yet posted, with the IDs that SLACK_DELETE_SCHEDULED_MESSAGE needs. `next_cursor` continues a long list.',
    effect: 'read',
    scopes: [],
    tokens: either,
    aliases: ['SLACK_LIST_SCHEDULED_MESSAGES_IN_A_CHANNEL'],
    paramAliases: { channel_id: 'channel' },
    input: z.object({
      channel: channelId.optional(),
      oldest: z
        .union([z.string(), z.number()])
        .optional()
        .describe('Only those due at or after this time (Unix seconds)'),
      latest: z
        .union([z.string(), z.number()])
        .optional()
        .describe('Only those due at or before this time (Unix seconds)'),
      limit: z.int().min(1).max(100).default(50),
      cursor: z.string().optional().describe('`next_cursor` of the answer before'),
    }),
    run: async ({ channel, oldest, latest, limit, cursor }, service) => {
      const span = {
        oldest: oldest === undefined ? undefined : unixSeconds('oldest', oldest),
        latest: latest === undefined ? undefined : unixSeconds('latest', latest),
      }
      const { items, next_cursor } = await collect(
        service,
        'chat.scheduledMessages.list',
        'scheduled_messages',
        { channel, ...span },
        { limit, pageSize: 100, cursor },
      )
      const messages = items.map((one) => ({
        scheduled_message_id: one.id,
        channel: one.channel_id,
        post_at: one.post_at,
        text: one.text,
      }))
      return { scheduled_messages: messages, next_cursor }
    },
  },

  SLACK_DELETE_SCHEDULED_MESSAGE: {
    title: 'Cancel a scheduled message',
    description:
      'Cancels a queued message before it is posted. IDs come from SLACK_SCHEDULE_MESSAGE or SLACK_LIST_SCHEDULED_MESSAGES. Fails within 60 seconds of its time.',
    effect: 'destructive',
    scopes: ['chat:write'],
    tokens: either,
    aliases: ['SLACK_DELETE_A_SCHEDULED_MESSAGE_IN_A_CHAT'],
    paramAliases: { channel_id: 'channel' },
    input: z.object({
      channel: channelId,
      scheduled_message_id: z.string().min(1).describe('ID of the queued message (Q…)'),
    }),
    run: async (input, service) => {
      await call(service, 'chat.deleteScheduledMessage', input)
      return { ...input, cancelled: true }
    },
  },

  SLACK_RETRIEVE_MESSAGE_PERMALINK_URL: {
    title: 'Get a link to a message',
    description: 'Answers a web address that opens this message in Slack, to cite it or to hand it to a person.',
    effect: 'read',
    scopes: [],
    tokens: either,
    paramAliases: { channel_id: 'channel', ts: 'message_ts', timestamp: 'message_ts' },
    input: z.object({ channel: channelId, message_ts: messageTs }),
    run: async (input, service) => {
      const answer = await call(service, 'chat.getPermalink', input)
      return { channel: answer.channel, permalink: answer.permalink }
    },
  },
})

interface Content {
  text?: string | undefined
  markdown_text?: string | undefined
  blocks?: unknown
  attachments?: unknown
  [argument: string]: unknown
}

/**
 * Checks what Slack would refuse with a bare code, before anything is sent. An edit (`partial`) may leave the words
 * as they are.
 */
function messageArgs(input: Content, partial = false): Record<string, unknown> {
  const blocks = jsonArray('blocks', input.blocks)
  const attachments = jsonArray('attachments', input.attachments)
  if (input.markdown_text !== undefined && (input.text !== undefined || blocks !== undefined)) {
    throw new PatchbayError('invalid_input', 'Give `markdown_text` alone, or `text` with or without `blocks`.', {
      details: { field: 'markdown_text' },
    })
  }
  const says = Boolean(input.text || input.markdown_text || blocks?.length || attachments?.length)
  const empties = input.text !== undefined || blocks !== undefined || attachments !== undefined
  const edits = empties || list(input.file_ids).length > 0 || input.metadata !== undefined
  if (!says && !(partial && edits)) {
    throw new PatchbayError('invalid_input', 'The message is empty: give `text`, `markdown_text` or `blocks`.', {
      details: { field: 'text' },
    })
  }
  return { ...input, blocks, attachments }
}

function posted(answer: any) {
  return {
    channel: answer.channel,
    ts: answer.ts,
    message: message({ ...answer.message, ts: answer.ts, text: answer.message?.text ?? answer.text }),
    ...(answer.warning && { warning: String(answer.warning) }),
  }
}
