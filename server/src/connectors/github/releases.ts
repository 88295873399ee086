import { z } from 'zod'
import { defineTools } from '../../core/connector.ts'
import { paging, repository as where } from './fields.ts'
import { listPage } from './paging.ts'
import { repositoryPath } from './path.ts'
import { CHANGE, scopes } from './scopes.ts'
import { release } from './shapes.ts'

export const releaseTools = defineTools(scopes, {
  GITHUB_LIST_RELEASES: {
    title: 'List releases',
    description:
      'Lists releases of a repository, newest first, with notes (shortened) and downloads. `next_page` continues.',
    effect: 'read',
    scopes: [],
    input: z.object({ ...where, ...paging }),
    run: ({ owner, repo, ...query }, service) =>
      listPage(service, repositoryPath({ owner, repo }, '/releases'), query, 'releases', release),
  },

  GITHUB_GET_THE_LATEST_RELEASE: {
    title: 'Get the latest release',
    description: 'Reads the newest release that is neither a draft nor a prerelease.',
    effect: 'read',
    scopes: [],
    input: z.object(where),
    run: 'GET /repos/{owner}/{repo}/releases/latest',
    shape: release,
  },

  GITHUB_CREATE_A_RELEASE: {
    title: 'Publish a release',
    description:
      'Publishes a release at a tag, which is created from `target_commitish` when missing. With `draft` only people who can push see it.',
    effect: 'write',
    scopes: CHANGE,
    input: z.object({
      ...where,
      tag_name: z.string().min(1).describe('Such as v1.2.0'),
      name: z.string().optional().describe('Title'),
      body: z.string().optional().describe('Notes, Markdown'),
      target_commitish: z.string().optional().describe('Branch or commit for a new tag; default is the default branch'),
      draft: z.boolean().optional(),
      prerelease: z.boolean().optional(),
      generate_release_notes: z.boolean().optional().describe('Let GitHub write the notes'),
      make_latest: z.enum(['true', 'false', 'legacy']).optional(),
      discussion_category_name: z.string().optional(),
    }),
    run: async ({ owner, repo, ...body }, service) =>
      release(await service.post(repositoryPath({ owner, repo }, '/releases'), body)),
  },
})
