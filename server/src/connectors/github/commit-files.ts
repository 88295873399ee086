import { z } from 'zod'
import { defineTools, type Service } from '../../core/connector.ts'
import { PatchbayError } from '../../core/errors.ts'
import { checkedBase64 } from './contents.ts'
import { branchName, email, isoTime, repository as where } from './fields.ts'
import { repositoryPath, requiredFilePath, segment } from './path.ts'
import { CHANGE, scopes } from './scopes.ts'

const person = z.object({ name: z.string().min(1), email: email, date: isoTime.optional() }).optional()

export const commitFilesTools = defineTools(scopes, {
  GITHUB_COMMIT_MULTIPLE_FILES: {
    title: 'Write several files in one commit',
    description:
      'Writes and deletes several files as one commit on a branch, all or nothing. `upserts` holds whole new contents. With `base_branch`, a branch that does not exist yet is created from it first. Fails, with nothing changed, when someone else pushes to the branch meanwhile.',
    effect: 'write',
    scopes: CHANGE,
    input: z.object({
      ...where,
      branch: branchName.describe('Branch to commit to'),
      base_branch: branchName.optional().describe('Create `branch` from this one if it does not exist'),
      message: z.string().min(1).describe('Commit message'),
      upserts: z
        .array(
          z.object({
            path: z.string().min(1),
            content: z.string().describe('The whole new content'),
            encoding: z.enum(['utf-8', 'base64']).default('utf-8'),
          }),
        )
        .max(100)
        .default([])
        .describe('Files to create or replace'),
      deletes: z.array(z.string().min(1)).max(100).default([]).describe('Paths of files to delete'),
      author: person.describe('Default: the connected account'),
      committer: person.describe('Default: the author'),
    }),
    run: async ({ owner, repo, ...input }, service) => {
      const at = (rest: string) => repositoryPath({ owner, repo }, `/git${rest}`)
      const paths = [...input.upserts.map(({ path }) => path), ...input.deletes].map(checkedPath)
      if (paths.length === 0) throw new PatchbayError('invalid_input', 'Give files in `upserts` or paths in `deletes`.')
      const twice = paths.find((path, index) => paths.indexOf(path) !== index)
      if (twice !== undefined) throw new PatchbayError('invalid_input', `${twice} is named twice.`)

      const { parent, exists } = await startingPoint(service, at, input.branch, input.base_branch)
      const parentCommit = await service.get(at(`/commits/${segment('sha', parent)}`))
      const entries: object[] = []
      for (const file of input.upserts) {
        const place = { path: checkedPath(file.path), mode: '100644', type: 'blob' }
        if (file.encoding === 'utf-8') entries.push({ ...place, content: file.content })
        else {
          const blob = await service.post(at('/blobs'), { content: checkedBase64(file.content), encoding: 'base64' })
          entries.push({ ...place, sha: blob.sha })
        }
      }
      for (const path of input.deletes)
        entries.push({ path: checkedPath(path), mode: '100644', type: 'blob', sha: null })

      const tree = await service.post(at('/trees'), { base_tree: parentCommit.tree.sha, tree: entries })
      const commit = await service.post(at('/commits'), {
        message: input.message,
        tree: tree.sha,
        parents: [parent],
        author: input.author,
        committer: input.committer,
      })
      // Never forced: a branch that moved meanwhile refuses, and no commit of others is lost.
      if (exists)
        await service.patch(at(`/refs/${segment('branch', `heads/${input.branch}`)}`), {
          sha: commit.sha,
          force: false,
        })
      else await service.post(at('/refs'), { ref: `refs/heads/${input.branch}`, sha: commit.sha })
      return {
        branch: input.branch,
        branch_created: !exists,
        commit: { sha: commit.sha, message: commit.message, html_url: commit.html_url },
        written: input.upserts.length,
        deleted: input.deletes.length,
      }
    },
  },
})

/** The commit to build on, and whether the branch is there already. */
async function startingPoint(
  service: Service,
  at: (rest: string) => `/${string}`,
  branch: string,
  base: string | undefined,
): Promise<{ parent: string; exists: boolean }> {
  const head = (name: string) => service.get(at(`/ref/${segment('branch', `heads/${name}`)}`))
  try {
    return { parent: (await head(branch)).object.sha, exists: true }
  } catch (error) {
    const missing = error instanceof PatchbayError && error.providerStatus === 404
    if (!missing || base === undefined || base === branch) throw error
    return { parent: (await head(base)).object.sha, exists: false }
  }
}

/** Checked like a path of an address, but plain: it travels in a body. */
function checkedPath(path: string): string {
  return decodeURIComponent(requiredFilePath('path', path))
}
