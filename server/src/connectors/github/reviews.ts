import { z } from 'zod'
import { defineTools } from '../../core/connector.ts'
import { PatchbayError } from '../../core/errors.ts'
import { direction, paging, pull_number, pullAliases, since, repository as where } from './fields.ts'
import { listPage } from './paging.ts'
import { repositoryPath } from './path.ts'
import { CHANGE, scopes } from './scopes.ts'
import { pull, review, reviewComment } from './shapes.ts'

const numbered = { ...where, pull_number }
const side = z.enum(['LEFT', 'RIGHT']).optional().describe('RIGHT: the new text (default), LEFT: the removed one')

export const reviewTools = defineTools(scopes, {
  GITHUB_LIST_REVIEWS_FOR_A_PULL_REQUEST: {
    title: 'List reviews',
    description:
      'Lists reviews of a pull request, oldest first, with state APPROVED, CHANGES_REQUESTED, COMMENTED, DISMISSED or PENDING. `next_page` continues.',
    effect: 'read',
    scopes: [],
    paramAliases: pullAliases,
    input: z.object({ ...numbered, ...paging }),
    run: ({ owner, repo, pull_number: number, ...query }, service) =>
      listPage(service, repositoryPath({ owner, repo }, `/pulls/${number}/reviews`), query, 'reviews', review),
  },

  GITHUB_CREATE_A_REVIEW_FOR_A_PULL_REQUEST: {
    title: 'Review a pull request',
    description:
      'Submits a review: APPROVE, REQUEST_CHANGES or COMMENT (the last two need `body`), with comments on lines of the diff if wanted. Without `event` the review stays a draft only its author sees. Nobody can approve their own pull request.',
    effect: 'write',
    scopes: CHANGE,
    paramAliases: pullAliases,
    input: z.object({
      ...numbered,
      event: z.enum(['APPROVE', 'REQUEST_CHANGES', 'COMMENT']).optional(),
      body: z.string().max(65_536).optional().describe('Markdown'),
      commit_id: z.string().optional().describe('Commit that was reviewed; default is the newest'),
      comments: z
        .array(
          z.object({
            path: z.string().min(1).describe('File, as in GITHUB_LIST_PULL_REQUESTS_FILES'),
            body: z.string().min(1),
            line: z.int().positive().optional().describe('Line of the file; must be part of the diff'),
            side,
            start_line: z.int().positive().optional().describe('First line, for a comment on several'),
            start_side: side,
            position: z.int().positive().optional().describe('Older: line counted in the diff, instead of `line`'),
          }),
        )
        .max(100)
        .optional(),
    }),
    run: async ({ owner, repo, pull_number: number, ...body }, service) => {
      if ((body.event === 'REQUEST_CHANGES' || body.event === 'COMMENT') && !body.body) {
        throw new PatchbayError('invalid_input', `\`body\` is needed with ${body.event}.`, {
          details: { field: 'body' },
        })
      }
      return review(await service.post(repositoryPath({ owner, repo }, `/pulls/${number}/reviews`), body))
    },
  },

  GITHUB_REQUEST_REVIEWERS_FOR_A_PULL_REQUEST: {
    title: 'Ask for a review',
    description: 'Asks people (logins) or teams (slugs) to review a pull request.',
    effect: 'write',
    idempotent: true,
    scopes: CHANGE,
    paramAliases: pullAliases,
    input: z.object({
      ...numbered,
      reviewers: z.array(z.string().min(1)).max(15).optional().describe('Logins'),
      team_reviewers: z.array(z.string().min(1)).max(15).optional().describe('Team slugs'),
    }),
    run: async ({ owner, repo, pull_number: number, ...body }, service) => {
      if (!body.reviewers?.length && !body.team_reviewers?.length) {
        throw new PatchbayError('invalid_input', 'Give `reviewers` or `team_reviewers`.', {
          details: { field: 'reviewers' },
        })
      }
      return pull(await service.post(repositoryPath({ owner, repo }, `/pulls/${number}/requested_reviewers`), body))
    },
  },

  GITHUB_LIST_REVIEW_COMMENTS_ON_A_PULL_REQUEST: {
    title: 'List comments on lines',
    description:
      'Lists comments made on lines of a pull request’s diff. The conversation below it is GITHUB_LIST_ISSUE_COMMENTS. `next_page` continues.',
    effect: 'read',
    scopes: [],
    paramAliases: pullAliases,
    input: z.object({ ...numbered, sort: z.enum(['created', 'updated']).optional(), direction, since, ...paging }),
    run: ({ owner, repo, pull_number: number, ...query }, service) =>
      listPage(service, repositoryPath({ owner, repo }, `/pulls/${number}/comments`), query, 'comments', reviewComment),
  },

  GITHUB_CREATE_A_REVIEW_COMMENT_FOR_A_PULL_REQUEST: {
    title: 'Comment on a line',
    description:
      'Comments on one line, or on several, of a pull request’s diff. `commit_id` is the pull request’s `head.sha`; the line must be part of the diff.',
    effect: 'write',
    scopes: CHANGE,
    paramAliases: pullAliases,
    input: z.object({
      ...numbered,
      body: z.string().min(1).max(65_536).describe('Markdown'),
      commit_id: z.string().min(1).describe('`head.sha` of the pull request'),
      path: z.string().min(1).describe('File, as in GITHUB_LIST_PULL_REQUESTS_FILES'),
      line: z.int().positive().optional().describe('Line of the file'),
      side,
      start_line: z.int().positive().optional().describe('First line, for a comment on several'),
      start_side: side,
      position: z.int().positive().optional().describe('Older: line counted in the diff, instead of `line`'),
      in_reply_to: z.int().positive().optional().describe('`id` of the comment to answer'),
      subject_type: z.enum(['line', 'file']).optional().describe('`file` comments on the file as a whole'),
    }),
    run: async ({ owner, repo, pull_number: number, ...body }, service) =>
      reviewComment(await service.post(repositoryPath({ owner, repo }, `/pulls/${number}/comments`), body)),
  },
})
