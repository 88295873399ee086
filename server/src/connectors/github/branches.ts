import { z } from 'zod'
import { defineTools } from '../../core/connector.ts'
import { PatchbayError } from '../../core/errors.ts'
import { branchName, paging, repository as where } from './fields.ts'
import { listPage } from './paging.ts'
import { repositoryPath, segment } from './path.ts'
import { CHANGE, scopes } from './scopes.ts'
import { commit } from './shapes.ts'

export const branchTools = defineTools(scopes, {
  GITHUB_LIST_BRANCHES: {
    title: 'List branches',
    description: 'Lists branches of a repository with the commit each points to. `next_page` continues.',
    effect: 'read',
    scopes: [],
    input: z.object({ ...where, protected: z.boolean().optional().describe('Only protected ones'), ...paging }),
    run: ({ owner, repo, ...query }, service) =>
      listPage(service, repositoryPath({ owner, repo }, '/branches'), query, 'branches', (branch) => ({
        name: branch.name,
        sha: branch.commit?.sha,
        protected: branch.protected === true,
      })),
  },

  GITHUB_GET_A_BRANCH: {
    title: 'Get a branch',
    description:
      'Reads one branch and its newest commit; `commit.sha` is what GITHUB_CREATE_A_REFERENCE starts a branch from.',
    effect: 'read',
    scopes: [],
    input: z.object({ ...where, branch: branchName }),
    run: async ({ owner, repo, branch }, service) => {
      const answer = await service.get(repositoryPath({ owner, repo }, `/branches/${segment('branch', branch)}`))
      return { name: answer.name, protected: answer.protected === true, commit: commit(answer.commit) }
    },
  },

  GITHUB_CREATE_A_REFERENCE: {
    title: 'Create a branch or tag',
    description:
      'Creates a branch (`refs/heads/name`) or tag (`refs/tags/name`) at a commit. The commit’s `sha` comes from GITHUB_GET_A_BRANCH or GITHUB_LIST_COMMITS.',
    effect: 'write',
    scopes: CHANGE,
    input: z.object({
      ...where,
      ref: z.string().min(1).describe('refs/heads/<branch> or refs/tags/<tag>; a bare name is taken as a branch'),
      sha: z
        .string()
        .regex(/^[0-9a-f]{40,64}$/i, 'must be a full commit SHA')
        .describe('Full SHA of the commit'),
    }),
    run: async ({ owner, repo, ref, sha }, service) => {
      const answer = await service.post(repositoryPath({ owner, repo }, '/git/refs'), { ref: fullRef(ref), sha })
      return { ref: answer.ref, sha: answer.object?.sha, type: answer.object?.type }
    },
  },

  GITHUB_DELETE_A_REFERENCE: {
    title: 'Delete a branch or tag',
    description: 'Deletes a branch (`heads/name`) or tag (`tags/name`). Commits on no other branch are lost with it.',
    effect: 'destructive',
    scopes: CHANGE,
    input: z.object({ ...where, ref: z.string().min(1).describe('heads/<branch> or tags/<tag>') }),
    run: async ({ owner, repo, ref }, service) => {
      const full = fullRef(ref)
      // GitHub's address wants it without `refs/`, though its answers have it.
      const short = full.replace(/^refs\//, '')
      await service.delete(repositoryPath({ owner, repo }, `/git/refs/${segment('ref', short)}`))
      return { ref: full, deleted: true }
    },
  },
})

/** `refs/heads/x` from `refs/heads/x`, `heads/x` or a bare branch name. */
function fullRef(ref: string): string {
  const full = ref.startsWith('refs/') ? ref : /^(heads|tags)\//.test(ref) ? `refs/${ref}` : `refs/heads/${ref}`
  if (/^refs\/[^/]+\/.+/.test(full) && !full.endsWith('/')) return full
  throw new PatchbayError('invalid_input', '`ref` must be refs/heads/<branch> or refs/tags/<tag>.', {
    details: { field: 'ref' },
  })
}
