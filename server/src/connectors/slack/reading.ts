import { z } from 'zod'
import { defineTools } from '../../core/connector.ts'
import { call, collect, list } from './call.ts'
import { channelId, cursor, either, messageTs, teamId } from './fields.ts'
import { scopes } from './scopes.ts'
import { message } from './shapes.ts'

/** Slack's own advice for a page of messages; larger ones time out. */
const PAGE = 200

const span = {
  oldest: z.string().optional().describe('Only messages after this `ts` (Unix seconds work too)'),
  latest: z.string().optional().describe('Only messages before this `ts` (Unix seconds work too)'),
  inclusive: z.boolean().optional().describe('Include messages exactly at `oldest` or `latest`'),
  include_all_metadata: z.boolean().optional().describe('Include the metadata apps attached to messages'),
}

const HISTORY = ['channels:history', 'groups:history', 'im:history', 'mpim:history'] as const

export const readingTools = defineTools(scopes, {
  SLACK_FETCH_CONVERSATION_HISTORY: {
    title: 'Read a channel',
    description:
      'Reads the main timeline of a channel or direct message, newest first: who, when (`ts`), text, reactions, files, and `reply_count` where a thread hangs below (read it with SLACK_FETCH_MESSAGE_THREAD_FROM_A_CONVERSATION). `next_cursor` continues into older messages. The app must be in the channel. People appear as user IDs; SLACK_RETRIEVE_DETAILED_USER_INFORMATION names them.',
    effect: 'read',
    scopes: HISTORY,
    tokens: either,
    paramAliases: { channel_id: 'channel' },
    input: z.object({
      channel: channelId,
      limit: z.int().min(1).max(1000).default(50).describe('How many messages'),
      cursor,
      ...span,
    }),
    run: async ({ limit, cursor, ...args }, service) => {
      const page = await collect(service, 'conversations.history', 'messages', args, { limit, pageSize: PAGE, cursor })
      return {
        messages: page.items.map(message),
        has_more: page.next_cursor !== null,
        next_cursor: page.next_cursor,
      }
    },
  },

  SLACK_FETCH_MESSAGE_THREAD_FROM_A_CONVERSATION: {
    title: 'Read a thread',
    description:
      'Reads a thread: its first message, then the replies, oldest first. `ts` is the `ts` of the first message (of a reply, its `thread_ts`). `next_cursor` continues a long thread.',
    effect: 'read',
    scopes: HISTORY,
    tokens: either,
    paramAliases: { channel_id: 'channel', thread_ts: 'ts' },
    input: z.object({
      channel: channelId,
      ts: messageTs.describe('`ts` of the first message of the thread'),
      limit: z.int().min(1).max(1000).default(50).describe('How many messages'),
      cursor,
      ...span,
      team_id: teamId,
    }),
    run: async ({ limit, cursor, ...args }, service) => {
      const page = await collect(service, 'conversations.replies', 'messages', args, { limit, pageSize: PAGE, cursor })
      return {
        messages: page.items.map(message),
        has_more: page.next_cursor !== null,
        next_cursor: page.next_cursor,
      }
    },
  },

  SLACK_SEARCH_MESSAGES: {
    title: 'Search messages',
    description:
      'Searches every message the connected person can see, in all channels, with Slack’s operators: `from:@ann in:#general has:link before:2026-01-31 "exact words"`. Works as the person, not as the app, so it also finds messages in channels the app is not in. Each match has channel, `ts`, text and a permalink. `next_page` is set when there is more.',
    effect: 'read',
    scopes: ['search:read'],
    tokens: ['user'],
    aliases: ['SLACK_SEARCH_FOR_MESSAGES_WITH_QUERY'],
    paramAliases: { limit: 'count' },
    input: z.object({
      query: z.string().min(1).describe('Words and operators (from:, in:, before:, after:, on:, has:, is:thread)'),
      count: z.int().min(1).max(100).default(20).describe('Matches per page'),
      page: z.int().min(1).max(100).default(1),
      sort: z.enum(['score', 'timestamp']).optional().describe('By relevance (default) or by time'),
      sort_dir: z.enum(['asc', 'desc']).optional(),
      highlight: z.boolean().optional().describe('Mark the words that matched'),
      team_id: teamId,
    }),
    run: async (input, service) => {
      const answer = await call(service, 'search.messages', input)
      const { total = 0, paging } = answer.messages ?? {}
      const matches = list(answer.messages?.matches)
      return {
        total,
        messages: matches.map((match) => ({
          ...message(match),
          ...(match?.channel?.name && { channel_name: match.channel.name }),
        })),
        next_page: paging && paging.page < paging.pages ? paging.page + 1 : null,
      }
    },
  },
})
