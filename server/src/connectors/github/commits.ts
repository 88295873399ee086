import { z } from 'zod'
import { defineTools } from '../../core/connector.ts'
import { PatchbayError } from '../../core/errors.ts'
import { paging, since, repository as where } from './fields.ts'
import { following, listPage } from './paging.ts'
import { filePath, repositoryPath, segment } from './path.ts'
import { scopes } from './scopes.ts'
import { changedFile, commit } from './shapes.ts'

export const commitTools = defineTools(scopes, {
  GITHUB_LIST_COMMITS: {
    title: 'List commits',
    description:
      'Lists commits of a branch, newest first, optionally only those touching a path, by a person or in a time span. `next_page` continues.',
    effect: 'read',
    scopes: [],
    paramAliases: { branch: 'sha', ref: 'sha' },
    input: z.object({
      ...where,
      sha: z.string().optional().describe('Branch, tag or commit to start from; default is the default branch'),
      path: z.string().optional().describe('Only commits touching this file or folder'),
      author: z.string().optional().describe('Login or email of the author'),
      committer: z.string().optional().describe('Login or email of the committer'),
      since,
      until: since.describe('Only commits before this time, ISO 8601'),
      ...paging,
    }),
    run: ({ owner, repo, ...query }, service) =>
      listPage(service, repositoryPath({ owner, repo }, '/commits'), query, 'commits', commit),
  },

  GITHUB_GET_A_COMMIT: {
    title: 'Get a commit',
    description:
      'Reads one commit: message, author, counts and the files it changed with their diffs (long ones are cut and marked). `next_page` continues its files.',
    effect: 'read',
    scopes: [],
    paramAliases: { sha: 'ref', commit_sha: 'ref' },
    input: z.object({ ...where, ref: z.string().min(1).describe('Commit SHA, branch or tag'), ...paging }),
    run: async ({ owner, repo, ref, ...query }, service) => {
      const answer = await service.get(repositoryPath({ owner, repo }, `/commits/${segment('ref', ref)}`), query)
      const files: any[] = answer.files ?? []
      return {
        ...commit(answer),
        ...(answer.stats && { additions: answer.stats.additions, deletions: answer.stats.deletions }),
        files: files.map(changedFile),
        ...following(files.length, query),
      }
    },
  },

  GITHUB_COMPARE_TWO_COMMITS: {
    title: 'Compare two branches or commits',
    description:
      'Answers what `head` has that `base` has not: commits and changed files with diffs. `basehead` is base...head, such as main...feature. `next_page` continues the commits; files come with page 1.',
    effect: 'read',
    scopes: [],
    input: z.object({
      ...where,
      basehead: z.string().min(5).describe('base...head with branches, tags or commits; a fork as owner:branch'),
      ...paging,
    }),
    run: async ({ owner, repo, basehead, ...query }, service) => {
      if (!/^[^.]((?!\.\.\.).)*\.\.\.[^.]/.test(basehead)) {
        throw new PatchbayError(
          'invalid_input',
          '`basehead` must be two names with three dots between, such as main...feature.',
          {
            details: { field: 'basehead' },
          },
        )
      }
      const answer = await service.get(
        repositoryPath({ owner, repo }, `/compare/${filePath('basehead', basehead)}`),
        query,
      )
      const commits: any[] = answer.commits ?? []
      return {
        status: answer.status,
        ahead_by: answer.ahead_by,
        behind_by: answer.behind_by,
        total_commits: answer.total_commits,
        ...(answer.merge_base_commit && { merge_base: answer.merge_base_commit.sha }),
        html_url: answer.html_url,
        commits: commits.map(commit),
        files: (answer.files ?? []).map(changedFile),
        ...following(commits.length, query),
      }
    },
  },
})
