import { z } from 'zod'
import { defineTools } from '../../core/connector.ts'
import { PatchbayError } from '../../core/errors.ts'
import { call, collect, MAX_PAGES } from './call.ts'
import { cursor, either, teamId } from './fields.ts'
import { scopes } from './scopes.ts'
import { person } from './shapes.ts'

/** Slack asks for at most 200 people a page; more is answered but may fail in large workspaces. */
const PAGE = 200

export const peopleTools = defineTools(scopes, {
  SLACK_FIND_USERS: {
    title: 'Find people',
    description: `Finds members of the workspace by name, display name, email address or ID, to learn their user ID. With \`email\` alone it is one quick lookup; with \`search_query\` it looks through at most ${MAX_PAGES * PAGE} people per call: when \`next_cursor\` is not null, call again with it to look further.`,
    effect: 'read',
    scopes: ['users:read'],
    tokens: either,
    paramAliases: { query: 'search_query', name: 'search_query' },
    input: z.object({
      search_query: z.string().min(1).optional().describe('Part of a name, address or ID; a leading @ is ignored'),
      email: z.string().optional().describe('Exact email address (needs the permission users:read.email)'),
      limit: z.int().min(1).max(200).default(50).describe('Most people to answer'),
      exact_match: z.boolean().default(false).describe('Only whole names, not parts'),
      include_bots: z.boolean().default(false),
      include_deleted: z.boolean().default(false).describe('Include deactivated people'),
      include_restricted: z.boolean().default(true).describe('Include guests'),
      include_locale: z.boolean().optional(),
      cursor,
      team_id: teamId,
    }),
    run: async (input, service) => {
      const { search_query, email, include_locale, team_id } = input
      if (email !== undefined && search_query === undefined) {
        const found = await lookup(() => call(service, 'users.lookupByEmail', { email }))
        return { users: found ? [person(found.user)] : [], matched: found ? 1 : 0, next_cursor: null }
      }
      if (search_query === undefined) {
        throw new PatchbayError(
          'invalid_input',
          'Give `search_query` or `email`; SLACK_LIST_ALL_USERS lists everybody.',
          {
            details: { field: 'search_query' },
          },
        )
      }
      const page = await collect(
        service,
        'users.list',
        'members',
        { include_locale, team_id },
        { limit: MAX_PAGES * PAGE, pageSize: PAGE, cursor: input.cursor },
      )
      const wanted = search_query.replace(/^@/, '').toLowerCase()
      const matches = page.items.filter((one) => {
        if (one?.deleted && !input.include_deleted) return false
        if (one?.is_bot && !input.include_bots) return false
        if (one?.is_restricted && !input.include_restricted) return false
        if (email !== undefined && String(one?.profile?.email ?? '').toLowerCase() !== email.toLowerCase()) return false
        return names(one).some((name) => (input.exact_match ? name === wanted : name.includes(wanted)))
      })
      return {
        users: matches.slice(0, input.limit).map(person),
        matched: matches.length,
        looked_through: page.items.length,
        next_cursor: page.next_cursor,
      }
    },
  },

  SLACK_FIND_USER_BY_EMAIL_ADDRESS: {
    title: 'Find a person by email address',
    description:
      'Finds the member with this email address; the answer’s `id` is what messages, mentions and invitations need.',
    effect: 'read',
    scopes: [['users:read', 'users:read.email']],
    tokens: either,
    input: z.object({
      email: z
        .string()
        .regex(/^[^\s@]+@[^\s@]+$/, 'must be an email address')
        .describe('Exact address, as in their Slack profile'),
    }),
    run: async (input, service) => person((await call(service, 'users.lookupByEmail', input)).user),
  },

  SLACK_LIST_ALL_USERS: {
    title: 'List people',
    description: 'Lists everybody in the workspace, bots and deactivated people included. `next_cursor` continues.',
    effect: 'read',
    scopes: ['users:read'],
    tokens: either,
    aliases: ['SLACK_LIST_ALL_SLACK_TEAM_USERS_WITH_PAGINATION'],
    input: z.object({
      limit: z.int().min(1).max(1000).default(100),
      cursor,
      include_locale: z.boolean().optional(),
      team_id: teamId,
    }),
    run: async ({ limit, cursor, ...args }, service) => {
      const page = await collect(service, 'users.list', 'members', args, { limit, pageSize: PAGE, cursor })
      return { users: page.items.map(person), next_cursor: page.next_cursor }
    },
  },

  SLACK_RETRIEVE_DETAILED_USER_INFORMATION: {
    title: 'Get a person',
    description: 'Reads one member by user ID: names, title, time zone, status, and email where permitted.',
    effect: 'read',
    scopes: ['users:read'],
    tokens: either,
    paramAliases: { user_id: 'user' },
    input: z.object({
      user: z.string().min(1).describe('User ID (U… or W…)'),
      include_locale: z.boolean().optional(),
    }),
    run: async (input, service) => person((await call(service, 'users.info', input)).user),
  },

  SLACK_TEST_AUTH: {
    title: 'Who am I in Slack',
    description: 'Answers which workspace and which user (the app’s bot, or the person) this connection acts as.',
    effect: 'read',
    scopes: [],
    tokens: either,
    input: z.object({}),
    run: async (_, service) => {
      const { url, team, user, team_id, user_id, bot_id } = await call(service, 'auth.test')
      return { url, team, team_id, user, user_id, ...(bot_id && { bot_id }) }
    },
  },
})

function names(raw: any): string[] {
  const { real_name, display_name, email } = raw?.profile ?? {}
  return [raw?.id, raw?.name, raw?.real_name, real_name, display_name, email].flatMap((name) =>
    typeof name === 'string' && name !== '' ? [name.toLowerCase()] : [],
  )
}

/** Nobody with that address is an answer to a search, not a failure. */
async function lookup<T>(ask: () => Promise<T>): Promise<T | undefined> {
  try {
    return await ask()
  } catch (error) {
    if (error instanceof PatchbayError && error.details?.['error'] === 'users_not_found') return undefined
    throw error
  }
}
