import { z } from 'zod'
import { defineTools } from '../../core/connector.ts'
import { PatchbayError } from '../../core/errors.ts'
import { direction, issue_number, issueAliases, paging, since, repository as where } from './fields.ts'
import { listPage } from './paging.ts'
import { repositoryPath, segment } from './path.ts'
import { CHANGE, scopes } from './scopes.ts'
import { comment, issue, issueDetails } from './shapes.ts'

const milestone = z.union([z.int().positive(), z.string()])
const labels = z.array(z.string().min(1)).max(100)
const assignees = z.array(z.string().min(1)).max(10).describe('Logins, at most 10')
const numbered = { ...where, issue_number }

export const issueTools = defineTools(scopes, {
  GITHUB_LIST_REPOSITORY_ISSUES: {
    title: 'List issues',
    description:
      'Lists issues of a repository, newest first; pull requests are listed too and marked `is_pull_request`. Bodies are shortened: GITHUB_GET_AN_ISSUE reads one whole. `next_page` continues.',
    effect: 'read',
    scopes: [],
    input: z.object({
      ...where,
      state: z.enum(['open', 'closed', 'all']).default('open'),
      labels: z.string().optional().describe('Comma-separated label names, all of which must be there'),
      assignee: z.string().optional().describe('Login, `none`, or `*` for anybody'),
      creator: z.string().optional().describe('Login of the author'),
      mentioned: z.string().optional().describe('Login of somebody mentioned'),
      milestone: z.string().optional().describe('Milestone number, `none`, or `*` for any'),
      type: z.string().optional().describe('Issue type, `none`, or `*` for any'),
      sort: z.enum(['created', 'updated', 'comments']).optional(),
      direction,
      since,
      ...paging,
    }),
    run: ({ owner, repo, ...query }, service) =>
      listPage(service, repositoryPath({ owner, repo }, '/issues'), query, 'issues', issue),
  },

  GITHUB_GET_AN_ISSUE: {
    title: 'Get an issue',
    description: 'Reads one issue whole. Its comments are a call of their own: GITHUB_LIST_ISSUE_COMMENTS.',
    effect: 'read',
    scopes: [],
    paramAliases: issueAliases,
    input: z.object(numbered),
    run: 'GET /repos/{owner}/{repo}/issues/{issue_number}',
    shape: issueDetails,
  },

  GITHUB_CREATE_AN_ISSUE: {
    title: 'Open an issue',
    description: 'Opens an issue in a repository and answers its `number` and address. The body is Markdown.',
    effect: 'write',
    scopes: CHANGE,
    input: z.object({
      ...where,
      title: z.string().min(1).max(256),
      body: z.string().max(65_536).optional().describe('Markdown'),
      labels: labels.optional(),
      assignees: assignees.optional(),
      assignee: z.string().optional().describe('One login; `assignees` takes several'),
      milestone: milestone.optional().describe('Milestone number'),
    }),
    run: async ({ owner, repo, ...body }, service) =>
      issueDetails(await service.post(repositoryPath({ owner, repo }, '/issues'), issueBody(body))),
  },

  GITHUB_UPDATE_AN_ISSUE: {
    title: 'Edit, close or reopen an issue',
    description:
      'Changes what is given and leaves the rest. `state: closed` with a `state_reason` closes it, `state: open` reopens it. `labels` and `assignees` replace the whole list.',
    effect: 'write',
    idempotent: true,
    scopes: CHANGE,
    paramAliases: issueAliases,
    input: z.object({
      ...numbered,
      title: z.string().min(1).max(256).optional(),
      body: z.string().max(65_536).optional().describe('Markdown'),
      state: z.enum(['open', 'closed']).optional(),
      state_reason: z.enum(['completed', 'not_planned', 'duplicate', 'reopened']).optional(),
      labels: labels.optional().describe('The whole new list; empty removes all'),
      assignees: assignees.optional().describe('The whole new list; empty removes all'),
      assignee: z.string().optional().describe('One login; `assignees` takes several'),
      milestone: milestone.nullable().optional().describe('Milestone number; null removes it'),
    }),
    run: async ({ owner, repo, issue_number: number, ...body }, service) => {
      const changes = issueBody(body)
      if (Object.keys(changes).length === 0) {
        throw new PatchbayError(
          'invalid_input',
          'Nothing to change: give at least one of title, body, state, labels, assignees, milestone.',
        )
      }
      return issueDetails(await service.patch(repositoryPath({ owner, repo }, `/issues/${number}`), changes))
    },
  },

  GITHUB_LIST_ISSUE_COMMENTS: {
    title: 'List comments',
    description: 'Lists the comments below an issue or pull request, oldest first. `next_page` continues.',
    effect: 'read',
    scopes: [],
    paramAliases: issueAliases,
    input: z.object({ ...numbered, since, ...paging }),
    run: ({ owner, repo, issue_number: number, ...query }, service) =>
      listPage(service, repositoryPath({ owner, repo }, `/issues/${number}/comments`), query, 'comments', comment),
  },

  GITHUB_CREATE_AN_ISSUE_COMMENT: {
    title: 'Comment on an issue or pull request',
    description: 'Adds a comment (Markdown) below an issue or pull request.',
    effect: 'write',
    scopes: CHANGE,
    paramAliases: issueAliases,
    input: z.object({ ...numbered, body: z.string().min(1).max(65_536).describe('Markdown') }),
    run: async ({ owner, repo, issue_number: number, body }, service) =>
      comment(await service.post(repositoryPath({ owner, repo }, `/issues/${number}/comments`), { body })),
  },

  GITHUB_UPDATE_AN_ISSUE_COMMENT: {
    title: 'Edit a comment',
    description: 'Replaces the text of a comment. `comment_id` comes from GITHUB_LIST_ISSUE_COMMENTS.',
    effect: 'write',
    idempotent: true,
    scopes: CHANGE,
    input: z.object({
      ...where,
      comment_id: z.int().positive().describe('`id` of the comment'),
      body: z.string().min(1).max(65_536).describe('Markdown'),
    }),
    run: async ({ owner, repo, comment_id, body }, service) =>
      comment(await service.patch(repositoryPath({ owner, repo }, `/issues/comments/${comment_id}`), { body })),
  },

  GITHUB_LIST_LABELS_FOR_A_REPOSITORY: {
    title: 'List labels',
    description: 'Lists the labels a repository has, to choose existing ones. `next_page` continues.',
    effect: 'read',
    scopes: [],
    input: z.object({ ...where, ...paging }),
    run: ({ owner, repo, ...query }, service) =>
      listPage(service, repositoryPath({ owner, repo }, '/labels'), query, 'labels', (label) => ({
        name: label.name,
        description: label.description ?? null,
        color: label.color,
      })),
  },

  GITHUB_ADD_LABELS_TO_AN_ISSUE: {
    title: 'Add labels',
    description: 'Adds labels to an issue or pull request, keeping those it has. Answers all its labels.',
    effect: 'write',
    idempotent: true,
    scopes: CHANGE,
    paramAliases: issueAliases,
    input: z.object({ ...numbered, labels: labels.min(1) }),
    run: async ({ owner, repo, issue_number: number, labels: names }, service) =>
      labelNames(await service.post(repositoryPath({ owner, repo }, `/issues/${number}/labels`), { labels: names })),
  },

  GITHUB_REMOVE_A_LABEL_FROM_AN_ISSUE: {
    title: 'Remove a label',
    description: 'Takes one label off an issue or pull request. Answers the labels it still has.',
    effect: 'write',
    scopes: CHANGE,
    paramAliases: { ...issueAliases, label: 'name' },
    input: z.object({ ...numbered, name: z.string().min(1).describe('Name of the label') }),
    run: async ({ owner, repo, issue_number: number, name }, service) =>
      labelNames(
        await service.delete(repositoryPath({ owner, repo }, `/issues/${number}/labels/${segment('name', name)}`)),
      ),
  },

  GITHUB_ADD_ASSIGNEES_TO_AN_ISSUE: {
    title: 'Assign people',
    description:
      'Adds people to an issue or pull request. GitHub silently skips logins that may not be assigned: compare with `assignees` of the answer.',
    effect: 'write',
    idempotent: true,
    scopes: CHANGE,
    paramAliases: issueAliases,
    input: z.object({ ...numbered, assignees: assignees.min(1) }),
    run: async ({ owner, repo, issue_number: number, assignees: logins }, service) =>
      issueDetails(
        await service.post(repositoryPath({ owner, repo }, `/issues/${number}/assignees`), { assignees: logins }),
      ),
  },
})

interface IssueFields {
  assignee?: string | undefined
  assignees?: string[] | undefined
  milestone?: number | string | null | undefined
  [field: string]: unknown
}

/** GitHub wants milestone numbers as numbers, and takes one assignee only through the list. */
function issueBody({ assignee, assignees: several, milestone: chosen, ...rest }: IssueFields): Record<string, unknown> {
  const body: Record<string, unknown> = { ...rest }
  const logins = several ?? (assignee === undefined ? undefined : [assignee])
  if (logins) body['assignees'] = logins
  if (chosen !== undefined)
    body['milestone'] = typeof chosen === 'string' && /^\d+$/.test(chosen) ? Number(chosen) : chosen
  for (const [name, value] of Object.entries(body)) if (value === undefined) delete body[name]
  return body
}

function labelNames(answer: any) {
  return { labels: (answer ?? []).map((label: any) => label?.name) }
}
