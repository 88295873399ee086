import { z } from 'zod'
import { defineTools } from '../../core/connector.ts'
import { direction, paging, since, repository as where } from './fields.ts'
import { listPage } from './paging.ts'
import { repositoryPath, segment } from './path.ts'
import { CHANGE, scopes } from './scopes.ts'
import { repository, repositoryDetails } from './shapes.ts'

const sort = z.enum(['created', 'updated', 'pushed', 'full_name']).optional()
const PRIVATE = 'Private repositories appear once the connection has the permission `repo`.'

export const repositoryTools = defineTools(scopes, {
  GITHUB_LIST_REPOSITORIES_FOR_THE_AUTHENTICATED_USER: {
    title: 'List my repositories',
    description: `Lists repositories the connected account owns or can reach; each has \`owner\` and \`name\` for the other tools. ${PRIVATE} \`next_page\` continues.`,
    effect: 'read',
    scopes: [],
    input: z.object({
      type: z.enum(['all', 'owner', 'public', 'private', 'member']).optional(),
      sort,
      direction,
      since,
      before: since.describe('Only those updated before this time, ISO 8601'),
      ...paging,
    }),
    run: (input, service) => listPage(service, '/user/repos', input, 'repositories', repository),
  },

  GITHUB_LIST_ORGANIZATION_REPOSITORIES: {
    title: 'List an organisation’s repositories',
    description: `Lists repositories of an organisation. ${PRIVATE} \`next_page\` continues.`,
    effect: 'read',
    scopes: [],
    input: z.object({
      org: where.owner.describe('Name of the organisation'),
      type: z.enum(['all', 'public', 'private', 'forks', 'sources', 'member']).optional(),
      sort,
      direction,
      ...paging,
    }),
    run: ({ org, ...query }, service) =>
      listPage(service, `/orgs/${segment('org', org)}/repos`, query, 'repositories', repository),
  },

  GITHUB_LIST_REPOSITORIES_FOR_A_USER: {
    title: 'List a user’s repositories',
    description: 'Lists public repositories of any user. `next_page` continues.',
    effect: 'read',
    scopes: [],
    paramAliases: { user: 'username', owner: 'username' },
    input: z.object({
      username: where.owner.describe('Login of the user'),
      type: z.enum(['all', 'owner', 'member']).optional(),
      sort,
      direction,
      ...paging,
    }),
    run: ({ username, ...query }, service) =>
      listPage(service, `/users/${segment('username', username)}/repos`, query, 'repositories', repository),
  },

  GITHUB_GET_A_REPOSITORY: {
    title: 'Get a repository',
    description:
      'Reads one repository: description, default branch, visibility, license, counts, what the account may do.',
    effect: 'read',
    scopes: [],
    input: z.object(where),
    run: 'GET /repos/{owner}/{repo}',
    shape: repositoryDetails,
  },

  GITHUB_CREATE_A_REPOSITORY_FOR_THE_AUTHENTICATED_USER: {
    title: 'Create a repository',
    description:
      'Creates a repository owned by the connected account. With `auto_init` it starts with a README and a first commit, which branches and file changes need.',
    effect: 'write',
    scopes: CHANGE,
    input: z.object({
      name: where.repo.describe('Name of the new repository'),
      description: z.string().max(350).optional(),
      homepage: z.string().optional(),
      private: z.boolean().default(true).describe('Only invited people see it (needs the permission `repo`)'),
      auto_init: z.boolean().optional().describe('Start with a README'),
      gitignore_template: z.string().optional().describe('Such as Node or Python'),
      license_template: z.string().optional().describe('Such as mit or apache-2.0'),
      has_issues: z.boolean().optional(),
      has_projects: z.boolean().optional(),
      has_wiki: z.boolean().optional(),
      has_discussions: z.boolean().optional(),
      is_template: z.boolean().optional(),
      team_id: z.int().optional(),
      allow_squash_merge: z.boolean().optional(),
      allow_merge_commit: z.boolean().optional(),
      allow_rebase_merge: z.boolean().optional(),
      allow_auto_merge: z.boolean().optional(),
      delete_branch_on_merge: z.boolean().optional(),
    }),
    run: 'POST /user/repos',
    shape: repositoryDetails,
  },

  GITHUB_CREATE_A_FORK: {
    title: 'Fork a repository',
    description:
      'Copies a repository to the connected account or an organisation. GitHub does it in the background: the fork may take some seconds to hold its files.',
    effect: 'write',
    scopes: CHANGE,
    input: z.object({
      ...where,
      organization: z.string().optional().describe('Organisation that shall own the fork'),
      name: z.string().optional().describe('Name of the fork, if not the same'),
      default_branch_only: z.boolean().optional(),
    }),
    run: async ({ owner, repo, ...body }, service) =>
      repositoryDetails(await service.post(repositoryPath({ owner, repo }, '/forks'), body)),
  },

  GITHUB_DELETE_A_REPOSITORY: {
    title: 'Delete a repository',
    description: 'Deletes a repository with its issues, pull requests and files, for good. Ask the person before.',
    effect: 'destructive',
    scopes: ['delete_repo'],
    input: z.object(where),
    run: async (input, service) => {
      await service.delete(repositoryPath(input))
      return { repository: `${input.owner}/${input.repo}`, deleted: true }
    },
  },

  GITHUB_STAR_A_REPOSITORY_FOR_THE_AUTHENTICATED_USER: {
    title: 'Star a repository',
    description: 'Adds a repository to the connected account’s stars.',
    effect: 'write',
    idempotent: true,
    scopes: ['public_repo', 'repo'],
    input: z.object(where),
    run: async ({ owner, repo }, service) => {
      await service.put(`/user/starred/${segment('owner', owner)}/${segment('repo', repo)}`)
      return { repository: `${owner}/${repo}`, starred: true }
    },
  },

  GITHUB_UNSTAR_REPOSITORY: {
    title: 'Unstar a repository',
    description: 'Removes a repository from the connected account’s stars.',
    effect: 'write',
    idempotent: true,
    scopes: ['public_repo', 'repo'],
    input: z.object(where),
    run: async ({ owner, repo }, service) => {
      await service.delete(`/user/starred/${segment('owner', owner)}/${segment('repo', repo)}`)
      return { repository: `${owner}/${repo}`, starred: false }
    },
  },
})
