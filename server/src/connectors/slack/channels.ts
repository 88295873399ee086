import { z } from 'zod'
import { defineTools } from '../../core/connector.ts'
import { call, collect, MAX_PAGES } from './call.ts'
import { channelId, channelTypes, cursor, either, teamId } from './fields.ts'
import { scopes } from './scopes.ts'
import { channel } from './shapes.ts'

/** The largest page conversations.list takes is below 1000. */
const LARGEST_PAGE = 999
const READ = ['channels:read', 'groups:read', 'im:read', 'mpim:read'] as const

export const channelTools = defineTools(scopes, {
  SLACK_FIND_CHANNELS: {
    title: 'Find channels',
    description: `Finds channels whose name, topic or purpose holds the words given, to learn a channel’s ID. Looks through at most ${MAX_PAGES} pages (about ${MAX_PAGES * LARGEST_PAGE} channels) per call: when \`next_cursor\` is not null, call again with it to look further.`,
    effect: 'read',
    scopes: READ,
    tokens: either,
    paramAliases: { search_query: 'query', name: 'query' },
    input: z.object({
      query: z.string().min(1).describe('Part of the name, topic or purpose; a leading # is ignored'),
      limit: z.int().min(1).max(200).default(50).describe('Most matches to answer'),
      types: channelTypes.default('public_channel'),
      exact_match: z.boolean().default(false).describe('Only channels named exactly like `query`'),
      member_only: z.boolean().default(false).describe('Only channels the app is in'),
      exclude_archived: z.boolean().default(true),
      cursor,
      team_id: teamId,
    }),
    run: async ({ query, limit, exact_match, member_only, cursor, ...args }, service) => {
      const page = await collect(service, 'conversations.list', 'channels', args, {
        limit: MAX_PAGES * LARGEST_PAGE,
        pageSize: LARGEST_PAGE,
        cursor,
      })
      const wanted = query.replace(/^#/, '').toLowerCase()
      const matches = page.items.filter((one) => {
        if (member_only && !one?.is_member) return false
        const name = String(one?.name ?? '').toLowerCase()
        if (exact_match) return name === wanted
        return [name, one?.topic?.value, one?.purpose?.value].some((text) =>
          String(text ?? '')
            .toLowerCase()
            .includes(wanted),
        )
      })
      // Names before topics: the channel a person means is the one called so.
      const byName = (one: any) =>
        String(one?.name ?? '')
          .toLowerCase()
          .includes(wanted)
          ? 0
          : 1
      matches.sort((a, b) => byName(a) - byName(b))
      return {
        channels: matches.slice(0, limit).map(channel),
        matched: matches.length,
        looked_through: page.items.length,
        next_cursor: page.next_cursor,
      }
    },
  },

  SLACK_LIST_ALL_CHANNELS: {
    title: 'List channels',
    description:
      'Lists channels of the workspace with ID, name, topic and whether the app is a member. `next_cursor` continues. To find one by name, SLACK_FIND_CHANNELS is quicker.',
    effect: 'read',
    scopes: READ,
    tokens: either,
    aliases: ['SLACK_LIST_ALL_SLACK_TEAM_CHANNELS_WITH_VARIOUS_FILTERS'],
    input: z.object({
      limit: z.int().min(1).max(1000).default(100),
      cursor,
      types: channelTypes.default('public_channel'),
      exclude_archived: z.boolean().default(true),
      team_id: teamId,
    }),
    run: async ({ limit, cursor, ...args }, service) => {
      const page = await collect(service, 'conversations.list', 'channels', args, {
        limit,
        pageSize: LARGEST_PAGE,
        cursor,
      })
      return { channels: page.items.map(channel), next_cursor: page.next_cursor }
    },
  },

  SLACK_LIST_CONVERSATIONS: {
    title: 'List a member’s conversations',
    description:
      'Lists the conversations that a person (or, without `user`, the app itself) is a member of. `next_cursor` continues.',
    effect: 'read',
    scopes: READ,
    tokens: either,
    aliases: ['SLACK_LIST_ACCESSIBLE_CONVERSATIONS_FOR_A_USER'],
    paramAliases: { user_id: 'user' },
    input: z.object({
      user: z.string().optional().describe('User ID (U…)'),
      types: channelTypes.default('public_channel'),
      exclude_archived: z.boolean().default(true),
      limit: z.int().min(1).max(1000).default(100),
      cursor,
    }),
    run: async ({ limit, cursor, ...args }, service) => {
      const page = await collect(service, 'users.conversations', 'channels', args, {
        limit,
        pageSize: LARGEST_PAGE,
        cursor,
      })
      return { channels: page.items.map(channel), next_cursor: page.next_cursor }
    },
  },

  SLACK_RETRIEVE_CONVERSATION_INFORMATION: {
    title: 'Get a channel',
    description: 'Reads one channel or direct message by ID: name, kind, topic, purpose, whether the app is a member.',
    effect: 'read',
    scopes: READ,
    tokens: either,
    paramAliases: { channel_id: 'channel' },
    input: z.object({
      channel: channelId,
      include_num_members: z.boolean().default(true),
      include_locale: z.boolean().optional(),
    }),
    run: async (input, service) => channel((await call(service, 'conversations.info', input)).channel),
  },

  SLACK_RETRIEVE_CONVERSATION_MEMBERS_LIST: {
    title: 'List members of a channel',
    description:
      'Lists the user IDs of a channel’s members; SLACK_RETRIEVE_DETAILED_USER_INFORMATION names one. `next_cursor` continues.',
    effect: 'read',
    scopes: READ,
    tokens: either,
    paramAliases: { channel_id: 'channel' },
    input: z.object({ channel: channelId, limit: z.int().min(1).max(1000).default(200), cursor }),
    run: async ({ limit, cursor, ...args }, service) => {
      const page = await collect(service, 'conversations.members', 'members', args, { limit, pageSize: 1000, cursor })
      return { members: page.items, next_cursor: page.next_cursor }
    },
  },

  SLACK_JOIN_AN_EXISTING_CONVERSATION: {
    title: 'Join a channel',
    description:
      'Makes the app a member of a public channel, which reading and posting there need. A private channel has to invite the app instead.',
    effect: 'write',
    idempotent: true,
    scopes: ['channels:join'],
    tokens: ['bot'],
    paramAliases: { channel_id: 'channel' },
    input: z.object({ channel: channelId }),
    run: async (input, service) => channel((await call(service, 'conversations.join', input)).channel),
  },

  SLACK_LEAVE_CONVERSATION: {
    title: 'Leave a channel',
    description: 'Takes the app out of a channel. It can no longer read or post there until it joins again.',
    effect: 'write',
    idempotent: true,
    scopes: ['channels:manage', 'groups:write'],
    tokens: ['bot'],
    aliases: ['SLACK_LEAVE_A_CONVERSATION'],
    paramAliases: { channel_id: 'channel' },
    input: z.object({ channel: channelId }),
    run: async (input, service) => {
      const answer = await call(service, 'conversations.leave', input)
      return { channel: input.channel, left: answer.not_in_channel !== true }
    },
  },

  SLACK_CREATE_CHANNEL: {
    title: 'Create a channel',
    description:
      'Creates a channel and makes the app its member. Names are lower case, without spaces or full stops, at most 80 characters. Answers its ID.',
    effect: 'write',
    scopes: ['channels:manage', 'groups:write'],
    tokens: ['bot'],
    input: z.object({
      name: z.string().min(1).max(80).describe('Such as project-apollo'),
      is_private: z.boolean().optional().describe('Only invited people see it (needs groups:write)'),
      team_id: teamId,
    }),
    run: async (input, service) => channel((await call(service, 'conversations.create', input)).channel),
  },

  SLACK_INVITE_USERS_TO_A_SLACK_CHANNEL: {
    title: 'Invite people to a channel',
    description: 'Adds up to 100 people to a channel the app is in, by user ID.',
    effect: 'write',
    scopes: ['channels:manage', 'groups:write'],
    tokens: ['bot'],
    paramAliases: { channel_id: 'channel', user_ids: 'users' },
    input: z.object({
      channel: channelId,
      users: z.string().min(1).describe('Comma-separated user IDs (U1,U2), from SLACK_FIND_USERS'),
    }),
    run: async ({ channel: id, users }, service) =>
      channel((await call(service, 'conversations.invite', { channel: id, users: users.replaceAll(' ', '') })).channel),
  },

  SLACK_SET_THE_TOPIC_OF_A_CONVERSATION: {
    title: 'Set a channel’s topic',
    description: 'Replaces the topic shown at the top of a channel. The app must be in it.',
    effect: 'write',
    idempotent: true,
    scopes: ['channels:manage', 'groups:write', 'mpim:write'],
    tokens: ['bot'],
    paramAliases: { channel_id: 'channel' },
    input: z.object({ channel: channelId, topic: z.string().max(250).describe('New topic; empty removes it') }),
    run: async (input, service) => {
      const answer = await call(service, 'conversations.setTopic', input)
      return { channel: input.channel, topic: answer.channel?.topic?.value ?? answer.topic ?? input.topic }
    },
  },

  SLACK_SET_CONVERSATION_PURPOSE: {
    title: 'Set a channel’s purpose',
    description: 'Replaces the description (purpose) of a channel. The app must be in it.',
    effect: 'write',
    idempotent: true,
    scopes: ['channels:manage', 'groups:write', 'mpim:write'],
    tokens: ['bot'],
    aliases: ['SLACK_SET_A_CONVERSATION_S_PURPOSE'],
    paramAliases: { channel_id: 'channel' },
    input: z.object({ channel: channelId, purpose: z.string().max(250).describe('New purpose; empty removes it') }),
    run: async (input, service) => {
      const answer = await call(service, 'conversations.setPurpose', input)
      return { channel: input.channel, purpose: answer.channel?.purpose?.value ?? answer.purpose ?? input.purpose }
    },
  },

  SLACK_ARCHIVE_CONVERSATION: {
    title: 'Archive a channel',
    description: 'Closes a channel for everybody. Its messages stay readable; a person can open it again in Slack.',
    effect: 'destructive',
    scopes: ['channels:manage', 'groups:write'],
    tokens: ['bot'],
    aliases: ['SLACK_ARCHIVE_A_SLACK_CONVERSATION'],
    paramAliases: { channel_id: 'channel' },
    input: z.object({ channel: channelId }),
    run: async (input, service) => {
      await call(service, 'conversations.archive', input)
      return { channel: input.channel, archived: true }
    },
  },

  SLACK_OPEN_DM: {
    title: 'Open a direct message',
    description:
      'Opens the direct message with one person, or a group one with up to eight, and answers its channel ID for SLACK_SEND_MESSAGE. The same people always get the same channel.',
    effect: 'write',
    idempotent: true,
    scopes: ['im:write', 'mpim:write'],
    tokens: either,
    aliases: ['SLACK_OPEN_OR_RESUME_DIRECT_OR_MULTI_PERSON_MESSAGES'],
    paramAliases: { user_ids: 'users', user: 'users', channel_id: 'channel' },
    input: z.object({
      users: z.string().min(1).optional().describe('Comma-separated user IDs (U1,U2); leave out with `channel`'),
      channel: z.string().optional().describe('ID of a direct message to open again (D… or G…)'),
      return_im: z.boolean().optional().describe('Answer the whole record instead of the ID alone'),
    }),
    run: async ({ users, channel: id, return_im }, service) => {
      const answer = await call(service, 'conversations.open', {
        users: users?.replaceAll(' ', ''),
        channel: id,
        return_im,
      })
      return { ...channel({ is_im: true, ...answer.channel }), already_open: answer.already_open === true }
    },
  },
})
