import { z } from 'zod'
import { defineTools } from '../../core/connector.ts'
import { PatchbayError } from '../../core/errors.ts'
import { paging } from './fields.ts'
import { searchPage } from './paging.ts'
import { scopes } from './scopes.ts'
import { issue, repository } from './shapes.ts'

const order = z.enum(['desc', 'asc']).optional()
const LIMITS = 'At most 1,000 results can be reached; `next_page` continues.'

export const searchTools = defineTools(scopes, {
  GITHUB_SEARCH_CODE: {
    title: 'Search code',
    description: `Finds files on default branches by their content. GitHub wants at least one word besides qualifiers: \`addClass repo:jquery/jquery language:js path:src\`. Answers file paths for GITHUB_GET_REPOSITORY_CONTENT. At most 10 searches a minute. ${LIMITS}`,
    effect: 'read',
    scopes: [],
    paramAliases: { query: 'q' },
    input: z.object({
      q: z
        .string()
        .min(1)
        .max(256)
        .describe('Words and qualifiers (repo:, org:, user:, language:, path:, filename:, extension:)'),
      sort: z.enum(['indexed']).optional(),
      order,
      ...paging,
    }),
    run: (input, service) =>
      searchPage(service, '/search/code', input, (item) => ({
        path: item.path,
        repository: item.repository?.full_name,
        sha: item.sha,
        html_url: item.html_url,
      })),
  },

  GITHUB_SEARCH_ISSUES_AND_PULL_REQUESTS: {
    title: 'Search issues and pull requests',
    description: `Finds issues and pull requests across repositories: \`repo:owner/name is:open is:issue label:bug author:ann crash\`. Bodies are shortened. ${LIMITS}`,
    effect: 'read',
    scopes: [],
    paramAliases: { query: 'q' },
    input: z.object({
      q: z
        .string()
        .min(1)
        .max(256)
        .describe(
          'Words and qualifiers (repo:, is:issue, is:pr, is:open, label:, author:, assignee:, mentions:, created:>2026-01-01)',
        ),
      sort: z
        .enum([
          'comments',
          'reactions',
          'reactions-+1',
          'reactions--1',
          'reactions-smile',
          'reactions-thinking_face',
          'reactions-heart',
          'reactions-tada',
          'interactions',
          'created',
          'updated',
        ])
        .optional(),
      order,
      ...paging,
    }),
    run: (input, service) => searchPage(service, '/search/issues', input, issue),
  },

  GITHUB_FIND_PULL_REQUESTS: {
    title: 'Find pull requests',
    description: `Finds pull requests by plain filters instead of search syntax: mine, by author, state, branch, label or time, in one repository or everywhere. ${LIMITS}`,
    effect: 'read',
    scopes: [],
    input: z.object({
      query: z.string().optional().describe('Words in title, body or comments; qualifiers work too'),
      owner: z.string().optional().describe('User or organisation; with `repo` one repository'),
      repo: z.string().optional().describe('Repository name; needs `owner`'),
      state: z.enum(['open', 'closed', 'all']).default('open'),
      author: z.string().optional(),
      assignee: z.string().optional(),
      mentions: z.string().optional(),
      label: z.string().optional(),
      language: z.string().optional(),
      base_branch: z.string().optional(),
      head_branch: z.string().optional(),
      is_merged: z.boolean().optional(),
      created_since: z.string().optional().describe('Date or time, ISO 8601'),
      updated_since: z.string().optional().describe('Date or time, ISO 8601'),
      for_authenticated_user: z.boolean().default(false).describe('Only those the connected account opened'),
      sort: z.enum(['comments', 'reactions', 'interactions', 'created', 'updated']).default('updated'),
      order: z.enum(['desc', 'asc']).default('desc'),
      ...paging,
    }),
    run: (input, service) => {
      const { sort, order: direction, page, per_page } = input
      return searchPage(
        service,
        '/search/issues',
        { q: pullQuery(input), sort, order: direction, page, per_page },
        issue,
      )
    },
  },

  GITHUB_SEARCH_REPOSITORIES: {
    title: 'Search repositories',
    description: `Finds repositories by words and qualifiers: \`vector database language:rust stars:>500\`, \`org:github topic:cli\`. ${LIMITS}`,
    effect: 'read',
    scopes: [],
    paramAliases: { query: 'q' },
    input: z.object({
      q: z
        .string()
        .min(1)
        .max(256)
        .describe('Words and qualifiers (user:, org:, language:, topic:, stars:>100, in:readme)'),
      sort: z.enum(['stars', 'forks', 'help-wanted-issues', 'updated']).optional().describe('Default: best match'),
      order,
      ...paging,
    }),
    run: (input, service) => searchPage(service, '/search/repositories', input, repository),
  },
})

interface PullFilters {
  query?: string | undefined
  owner?: string | undefined
  repo?: string | undefined
  state: 'open' | 'closed' | 'all'
  author?: string | undefined
  assignee?: string | undefined
  mentions?: string | undefined
  label?: string | undefined
  language?: string | undefined
  base_branch?: string | undefined
  head_branch?: string | undefined
  is_merged?: boolean | undefined
  created_since?: string | undefined
  updated_since?: string | undefined
  for_authenticated_user: boolean
}

/** GitHub's search words for the filters; a value cannot smuggle in a further qualifier because it is quoted. */
function pullQuery(filters: PullFilters): string {
  if (filters.repo !== undefined && filters.owner === undefined) {
    throw new PatchbayError('invalid_input', '`repo` needs `owner`.', { details: { field: 'owner' } })
  }
  const place =
    filters.owner === undefined
      ? []
      : [filters.repo === undefined ? word('user', filters.owner) : word('repo', `${filters.owner}/${filters.repo}`)]
  const wanted: [string, string | undefined][] = [
    ['author', filters.for_authenticated_user ? '@me' : filters.author],
    ['assignee', filters.assignee],
    ['mentions', filters.mentions],
    ['label', filters.label],
    ['language', filters.language],
    ['base', filters.base_branch],
    ['head', filters.head_branch],
  ]
  return [
    ...(filters.query ? [filters.query] : []),
    'is:pr',
    ...(filters.state === 'all' ? [] : [`is:${filters.state}`]),
    ...(filters.is_merged === undefined ? [] : [filters.is_merged ? 'is:merged' : 'is:unmerged']),
    ...place,
    ...wanted.flatMap(([name, value]) => (value ? [word(name, value)] : [])),
    ...(filters.created_since ? [`created:>=${dated(filters.created_since)}`] : []),
    ...(filters.updated_since ? [`updated:>=${dated(filters.updated_since)}`] : []),
  ].join(' ')
}

function word(name: string, value: string): string {
  return /^[\w@./-]+$/.test(value) ? `${name}:${value}` : `${name}:"${value.replaceAll('"', '')}"`
}

function dated(value: string): string {
  if (/^\d{4}-\d{2}-\d{2}(T[\d:.]+(Z|[+-]\d{2}:\d{2})?)?$/.test(value)) return value
  throw new PatchbayError('invalid_input', 'A date must be ISO 8601, such as 2026-01-31 or 2026-01-31T09:00:00Z.')
}
