import { z } from 'zod'
import { defineTools } from '../../core/connector.ts'
import { PatchbayError } from '../../core/errors.ts'
import { branchName, direction, paging, pull_number, pullAliases, repository as where } from './fields.ts'
import { listPage } from './paging.ts'
import { repositoryPath } from './path.ts'
import { CHANGE, scopes } from './scopes.ts'
import { changedFile, commit, pull, pullDetails } from './shapes.ts'

const numbered = { ...where, pull_number }

export const pullTools = defineTools(scopes, {
  GITHUB_LIST_PULL_REQUESTS: {
    title: 'List pull requests',
    description:
      'Lists pull requests of a repository, newest first. Bodies are shortened: GITHUB_GET_A_PULL_REQUEST reads one whole. `next_page` continues.',
    effect: 'read',
    scopes: [],
    input: z.object({
      ...where,
      state: z.enum(['open', 'closed', 'all']).default('open'),
      head: z.string().optional().describe('Only from this branch, as owner:branch'),
      base: z.string().optional().describe('Only into this branch'),
      sort: z.enum(['created', 'updated', 'popularity', 'long-running']).optional(),
      direction,
      ...paging,
    }),
    run: ({ owner, repo, ...query }, service) =>
      listPage(service, repositoryPath({ owner, repo }, '/pulls'), query, 'pull_requests', pull),
  },

  GITHUB_GET_A_PULL_REQUEST: {
    title: 'Get a pull request',
    description:
      'Reads one pull request whole: branches, body, whether it can be merged (`mergeable` is null while GitHub works it out), counts. Its files and reviews are calls of their own.',
    effect: 'read',
    scopes: [],
    paramAliases: pullAliases,
    input: z.object(numbered),
    run: 'GET /repos/{owner}/{repo}/pulls/{pull_number}',
    shape: pullDetails,
  },

  GITHUB_CREATE_A_PULL_REQUEST: {
    title: 'Open a pull request',
    description:
      'Proposes to merge branch `head` into branch `base`. Both must exist and differ: make a branch with GITHUB_CREATE_A_REFERENCE and change files on it before.',
    effect: 'write',
    scopes: CHANGE,
    input: z.object({
      ...where,
      title: z.string().min(1).max(256).optional().describe('Needed unless `issue` is given'),
      head: branchName.describe('Branch with the changes; from a fork, owner:branch'),
      base: branchName.describe('Branch to merge into, such as main'),
      body: z.string().max(65_536).optional().describe('Markdown'),
      draft: z.boolean().optional(),
      issue: z.int().positive().optional().describe('Turn this issue into the pull request, instead of `title`'),
      head_repo: z.string().optional().describe('Repository of `head`, where both are in one organisation’s network'),
      maintainer_can_modify: z.boolean().optional(),
    }),
    run: async ({ owner, repo, ...body }, service) => {
      if ((body.title === undefined) === (body.issue === undefined)) {
        throw new PatchbayError('invalid_input', 'Give `title`, or `issue` to turn an issue into a pull request.', {
          details: { field: 'title' },
        })
      }
      return pullDetails(await service.post(repositoryPath({ owner, repo }, '/pulls'), body))
    },
  },

  GITHUB_UPDATE_A_PULL_REQUEST: {
    title: 'Edit, close or reopen a pull request',
    description: 'Changes what is given and leaves the rest; `state: closed` closes without merging.',
    effect: 'write',
    idempotent: true,
    scopes: CHANGE,
    paramAliases: pullAliases,
    input: z.object({
      ...numbered,
      title: z.string().min(1).max(256).optional(),
      body: z.string().max(65_536).optional().describe('Markdown'),
      state: z.enum(['open', 'closed']).optional(),
      base: branchName.optional().describe('New branch to merge into'),
      maintainer_can_modify: z.boolean().optional(),
    }),
    run: async ({ owner, repo, pull_number: number, ...changes }, service) => {
      if (Object.values(changes).every((value) => value === undefined)) {
        throw new PatchbayError('invalid_input', 'Nothing to change: give at least one of title, body, state, base.')
      }
      return pullDetails(await service.patch(repositoryPath({ owner, repo }, `/pulls/${number}`), changes))
    },
  },

  GITHUB_MERGE_A_PULL_REQUEST: {
    title: 'Merge a pull request',
    description:
      'Merges a pull request. Pass the `head.sha` you reviewed as `sha`, so that nothing pushed since then is merged unseen. Fails with a reason when checks, reviews or conflicts stand in the way.',
    effect: 'write',
    scopes: CHANGE,
    paramAliases: pullAliases,
    input: z.object({
      ...numbered,
      merge_method: z.enum(['merge', 'squash', 'rebase']).optional().describe('Default: merge'),
      sha: z.string().optional().describe('Merge only if this is still the head'),
      commit_title: z.string().optional(),
      commit_message: z.string().optional(),
    }),
    run: async ({ owner, repo, pull_number: number, ...body }, service) => {
      const answer = await service.put(repositoryPath({ owner, repo }, `/pulls/${number}/merge`), body)
      return { merged: answer.merged, sha: answer.sha, message: answer.message }
    },
  },

  GITHUB_LIST_PULL_REQUESTS_FILES: {
    title: 'List changed files',
    description:
      'Lists the files a pull request changes, each with its diff (`patch`; long ones are cut and marked). `next_page` continues.',
    effect: 'read',
    scopes: [],
    paramAliases: pullAliases,
    input: z.object({ ...numbered, ...paging }),
    run: ({ owner, repo, pull_number: number, ...query }, service) =>
      listPage(service, repositoryPath({ owner, repo }, `/pulls/${number}/files`), query, 'files', changedFile),
  },

  GITHUB_LIST_COMMITS_ON_A_PULL_REQUEST: {
    title: 'List commits of a pull request',
    description: 'Lists the commits of a pull request, oldest first, at most 250. `next_page` continues.',
    effect: 'read',
    scopes: [],
    paramAliases: pullAliases,
    input: z.object({ ...numbered, ...paging }),
    run: ({ owner, repo, pull_number: number, ...query }, service) =>
      listPage(service, repositoryPath({ owner, repo }, `/pulls/${number}/commits`), query, 'commits', commit),
  },
})
