import { z } from 'zod'
import { defineTools } from '../../core/connector.ts'
import { paging, since } from './fields.ts'
import { listPage } from './paging.ts'
import { scopes } from './scopes.ts'

export const peopleTools = defineTools(scopes, {
  GITHUB_GET_THE_AUTHENTICATED_USER: {
    title: 'Who am I on GitHub',
    description:
      'Reads the connected account: login, name, email where public, counts. Its `login` is the `owner` of its own repositories.',
    effect: 'read',
    scopes: [],
    input: z.object({}),
    run: 'GET /user',
    shape: (user) => ({
      login: user.login,
      id: user.id,
      name: user.name ?? null,
      email: user.email ?? null,
      bio: user.bio ?? null,
      company: user.company ?? null,
      public_repos: user.public_repos,
      ...(user.total_private_repos !== undefined && { private_repos: user.total_private_repos }),
      followers: user.followers,
      html_url: user.html_url,
    }),
  },

  GITHUB_LIST_ORGANIZATIONS_FOR_THE_AUTHENTICATED_USER: {
    title: 'List my organisations',
    description:
      'Lists organisations the connected account belongs to; a `login` is the `org` of GITHUB_LIST_ORGANIZATION_REPOSITORIES.',
    effect: 'read',
    scopes: ['read:org'],
    input: z.object({ ...paging }),
    run: (input, service) =>
      listPage(service, '/user/orgs', input, 'organizations', (org) => ({
        login: org.login,
        description: org.description ?? null,
      })),
  },

  GITHUB_LIST_NOTIFICATIONS: {
    title: 'List my notifications',
    description:
      'Lists what waits for the connected account: unread mentions, review requests, assignments, newest first, each with its repository, title and reason.',
    effect: 'read',
    scopes: ['notifications', 'repo'],
    aliases: ['GITHUB_LIST_NOTIFICATIONS_FOR_THE_AUTHENTICATED_USER'],
    input: z.object({
      all: z.boolean().optional().describe('Include those already read'),
      participating: z.boolean().optional().describe('Only where the account takes part or is mentioned'),
      since,
      before: since.describe('Only what changed before this time, ISO 8601'),
      page: paging.page,
      per_page: z.int().min(1).max(50).default(30),
    }),
    run: (input, service) =>
      listPage(service, '/notifications', input, 'notifications', (one) => ({
        id: one.id,
        unread: one.unread,
        reason: one.reason,
        type: one.subject?.type,
        title: one.subject?.title,
        // The last part of the API address is the number that the issue and pull request tools take.
        ...(/\/(issues|pulls)\/\d+$/.test(one.subject?.url ?? '') && {
          number: Number(String(one.subject.url).split('/').at(-1)),
        }),
        repository: one.repository?.full_name,
        updated_at: one.updated_at,
      })),
  },
})
