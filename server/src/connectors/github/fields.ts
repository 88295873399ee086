import { z } from 'zod'

export const repository = {
  owner: z
    .string()
    .regex(/^[A-Za-z0-9._-]{1,100}$/, 'must be the name of a user or organisation, such as octocat')
    .describe('Owner: user or organisation, such as octocat'),
  repo: z
    .string()
    .regex(/^[A-Za-z0-9._-]{1,100}$/, 'must be the name alone, without the owner, such as hello-world')
    .describe('Repository name without the owner'),
}

export const issue_number = z.int().positive().describe('Number of the issue or pull request, as in #42')
export const pull_number = z.int().positive().describe('Number of the pull request, as in #42')

export const paging = {
  page: z.int().min(1).default(1).describe('`next_page` of the answer before'),
  per_page: z.int().min(1).max(100).default(30).describe('Items per page'),
}

const ISO_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)$/

/** Checked without a pattern in the JSON Schema: zod's own has 400 characters, which every tool list would carry. */
export const isoTime = z
  .string()
  .refine(
    (text) => ISO_TIME.test(text) && !Number.isNaN(Date.parse(text)),
    'must be a time such as 2026-01-31T09:00:00Z',
  )

export const email = z.string().refine((text) => /^[^\s@]+@[^\s@]+$/.test(text), 'must be an email address')

export const since = isoTime
  .optional()
  .describe('Only what changed at or after this time, ISO 8601 (2026-01-31T09:00:00Z)')

export const direction = z.enum(['asc', 'desc']).optional().describe('Order of the sorting')

export const branchName = z.string().min(1).max(250).describe('Branch name, such as main')

/** Names that models often guess. */
export const issueAliases = { number: 'issue_number', issue: 'issue_number' } as const
export const pullAliases = { number: 'pull_number', pr_number: 'pull_number', pull: 'pull_number' } as const

const identity = (whose: string) => ({
  name: z.string().min(1).optional().describe(`${whose} name; needs the email too`),
  email: email.optional().describe(`${whose} email; needs the name too`),
})
const author = identity('Author’s')
const committer = identity('Committer’s')

/** Who a commit is by, flat as the tools' callers know it; default is the connected account. */
export const commitIdentities = {
  author__name: author.name,
  author__email: author.email,
  committer__name: committer.name,
  committer__email: committer.email,
}
