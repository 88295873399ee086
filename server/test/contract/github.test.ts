import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { beforeAll, describe, expect, test } from 'vitest'
import { github } from '../../src/connectors/github/connector.ts'
import { directService, runTool } from './direct-service.ts'
import { type Contract, ContractBreach, openApiContract } from './openapi.ts'

const BASE = 'https://api.github.com'
const SHA = '6dcb09b5b57875f334f61aebed695e2e4193db5e'
const where = { owner: 'octocat', repo: 'hello-world' }

/** Every tool with every argument it takes, so that each one is held against the description. */
const CALLS: Record<string, Record<string, unknown>[]> = {
  GITHUB_GET_THE_AUTHENTICATED_USER: [{}],
  GITHUB_LIST_ORGANIZATIONS_FOR_THE_AUTHENTICATED_USER: [{ page: 2, per_page: 5 }],
  GITHUB_LIST_NOTIFICATIONS: [
    {
      all: true,
      participating: true,
      since: '2026-01-01T00:00:00Z',
      before: '2026-02-01T00:00:00Z',
      page: 1,
      per_page: 50,
    },
  ],
  GITHUB_LIST_REPOSITORIES_FOR_THE_AUTHENTICATED_USER: [
    {},
    {
      type: 'owner',
      sort: 'pushed',
      direction: 'desc',
      since: '2026-01-01T00:00:00Z',
      before: '2026-02-01T00:00:00+01:00',
    },
  ],
  GITHUB_LIST_ORGANIZATION_REPOSITORIES: [{ org: 'github', type: 'sources', sort: 'updated', direction: 'asc' }],
  GITHUB_LIST_REPOSITORIES_FOR_A_USER: [{ username: 'octocat', type: 'owner', sort: 'full_name', direction: 'asc' }],
  GITHUB_GET_A_REPOSITORY: [where],
  GITHUB_CREATE_A_REPOSITORY_FOR_THE_AUTHENTICATED_USER: [
    {
      name: 'new-one',
      description: 'Text',
      homepage: 'https://example.com',
      private: false,
      auto_init: true,
      gitignore_template: 'Node',
      license_template: 'mit',
      has_issues: true,
      has_projects: true,
      has_wiki: true,
      has_discussions: false,
      is_template: false,
      team_id: 5,
      allow_squash_merge: true,
      allow_merge_commit: true,
      allow_rebase_merge: true,
      allow_auto_merge: false,
      delete_branch_on_merge: true,
    },
  ],
  GITHUB_CREATE_A_FORK: [{ ...where, organization: 'github', name: 'copy', default_branch_only: true }, where],
  GITHUB_DELETE_A_REPOSITORY: [where],
  GITHUB_STAR_A_REPOSITORY_FOR_THE_AUTHENTICATED_USER: [where],
  GITHUB_UNSTAR_REPOSITORY: [where],
  GITHUB_LIST_REPOSITORY_ISSUES: [
    {
      ...where,
      state: 'all',
      labels: 'bug,help wanted',
      assignee: '*',
      creator: 'octocat',
      mentioned: 'octocat',
      milestone: '1',
      type: 'Bug',
      sort: 'updated',
      direction: 'asc',
      since: '2026-01-01T00:00:00Z',
    },
  ],
  GITHUB_GET_AN_ISSUE: [{ ...where, number: 1347 }],
  GITHUB_CREATE_AN_ISSUE: [
    { ...where, title: 'Found a bug' },
    { ...where, title: 'Found a bug', body: 'Text', labels: ['bug'], assignees: ['octocat'], milestone: '1' },
    { ...where, title: 'Found a bug', assignee: 'octocat' },
  ],
  GITHUB_UPDATE_AN_ISSUE: [
    {
      ...where,
      issue_number: 1347,
      title: 'New',
      body: 'Text',
      state: 'closed',
      state_reason: 'not_planned',
      labels: [],
      assignees: ['octocat'],
      milestone: null,
    },
    { ...where, issue_number: 1347, milestone: 3 },
  ],
  GITHUB_LIST_ISSUE_COMMENTS: [{ ...where, issue_number: 1347, since: '2026-01-01T00:00:00Z' }],
  GITHUB_CREATE_AN_ISSUE_COMMENT: [{ ...where, issue_number: 1347, body: 'Me too' }],
  GITHUB_UPDATE_AN_ISSUE_COMMENT: [{ ...where, comment_id: 1, body: 'Me too' }],
  GITHUB_LIST_LABELS_FOR_A_REPOSITORY: [where],
  GITHUB_ADD_LABELS_TO_AN_ISSUE: [{ ...where, issue_number: 1347, labels: ['bug', 'ui'] }],
  GITHUB_REMOVE_A_LABEL_FROM_AN_ISSUE: [{ ...where, issue_number: 1347, name: 'area/ui & web' }],
  GITHUB_ADD_ASSIGNEES_TO_AN_ISSUE: [{ ...where, issue_number: 1347, assignees: ['octocat'] }],
  GITHUB_LIST_PULL_REQUESTS: [
    { ...where, state: 'all', head: 'octocat:new', base: 'main', sort: 'popularity', direction: 'desc' },
  ],
  GITHUB_GET_A_PULL_REQUEST: [{ ...where, pull_number: 1347 }],
  GITHUB_CREATE_A_PULL_REQUEST: [
    {
      ...where,
      title: 'New',
      head: 'octocat:new',
      base: 'main',
      body: 'Text',
      draft: true,
      maintainer_can_modify: true,
    },
    { ...where, issue: 5, head: 'new', base: 'main', head_repo: 'hello-world' },
  ],
  GITHUB_UPDATE_A_PULL_REQUEST: [
    {
      ...where,
      pull_number: 1347,
      title: 'New',
      body: 'Text',
      state: 'open',
      base: 'main',
      maintainer_can_modify: false,
    },
  ],
  GITHUB_MERGE_A_PULL_REQUEST: [
    { ...where, pull_number: 1347, merge_method: 'squash', sha: SHA, commit_title: 'Title', commit_message: 'Text' },
  ],
  GITHUB_LIST_PULL_REQUESTS_FILES: [{ ...where, pull_number: 1347 }],
  GITHUB_LIST_COMMITS_ON_A_PULL_REQUEST: [{ ...where, pull_number: 1347 }],
  GITHUB_LIST_REVIEWS_FOR_A_PULL_REQUEST: [{ ...where, pull_number: 1347 }],
  GITHUB_CREATE_A_REVIEW_FOR_A_PULL_REQUEST: [
    {
      ...where,
      pull_number: 1347,
      event: 'REQUEST_CHANGES',
      body: 'Please',
      commit_id: SHA,
      comments: [
        { path: 'file.md', position: 6, body: 'Here' },
        { path: 'file.md', body: 'There', line: 8, side: 'RIGHT', start_line: 6, start_side: 'RIGHT' },
      ],
    },
    { ...where, pull_number: 1347, event: 'APPROVE' },
  ],
  GITHUB_REQUEST_REVIEWERS_FOR_A_PULL_REQUEST: [
    { ...where, pull_number: 1347, reviewers: ['octocat'] },
    { ...where, pull_number: 1347, reviewers: ['octocat'], team_reviewers: ['justice-league'] },
  ],
  GITHUB_LIST_REVIEW_COMMENTS_ON_A_PULL_REQUEST: [
    { ...where, pull_number: 1347, sort: 'created', direction: 'asc', since: '2026-01-01T00:00:00Z' },
  ],
  GITHUB_CREATE_A_REVIEW_COMMENT_FOR_A_PULL_REQUEST: [
    {
      ...where,
      pull_number: 1347,
      body: 'Great',
      commit_id: SHA,
      path: 'file.txt',
      line: 2,
      side: 'RIGHT',
      start_line: 1,
      start_side: 'RIGHT',
      subject_type: 'line',
    },
    { ...where, pull_number: 1347, body: 'Yes', commit_id: SHA, path: 'file.txt', in_reply_to: 10, position: 1 },
  ],
  GITHUB_GET_REPOSITORY_CONTENT: [
    { ...where, path: 'docs/how to/écrire.md', ref: 'feature/x' },
    { ...where, path: '' },
    { ...where, path: 'README.md', start_line: 1, end_line: 2 },
  ],
  GITHUB_GET_A_REPOSITORY_README: [{ ...where, ref: 'main', start_line: 1, end_line: 3 }],
  GITHUB_GET_A_TREE: [
    { ...where, tree_sha: 'main', recursive: true },
    { ...where, tree_sha: 'feature/x' },
  ],
  GITHUB_CREATE_OR_UPDATE_FILE_CONTENTS: [
    { ...where, path: 'docs/a b.md', content: 'Text', message: 'Write' },
    {
      ...where,
      path: 'a.bin',
      content: 'AAEC',
      encoding: 'base64',
      message: 'Write',
      sha: SHA,
      branch: 'feature/x',
      author__name: 'Ann',
      author__email: 'ann@example.com',
      author__date: '2026-01-01T00:00:00Z',
      committer__name: 'Bob',
      committer__email: 'bob@example.com',
      committer__date: '2026-01-01T00:00:00Z',
    },
  ],
  GITHUB_DELETE_A_FILE: [
    {
      ...where,
      path: 'docs/a.md',
      message: 'Remove',
      sha: SHA,
      branch: 'main',
      author__name: 'Ann',
      author__email: 'ann@example.com',
    },
  ],
  GITHUB_COMMIT_MULTIPLE_FILES: [
    {
      ...where,
      branch: 'feature/x',
      message: 'Several',
      upserts: [
        { path: 'a/b.txt', content: 'Text' },
        { path: 'c.bin', content: 'AAEC', encoding: 'base64' },
      ],
      deletes: ['old.txt'],
      author: { name: 'Ann', email: 'ann@example.com', date: '2026-01-01T00:00:00Z' },
      committer: { name: 'Ann', email: 'ann@example.com' },
    },
  ],
  GITHUB_LIST_COMMITS: [
    {
      ...where,
      sha: 'main',
      path: 'src',
      author: 'octocat',
      committer: 'octocat',
      since: '2026-01-01T00:00:00Z',
      until: '2026-02-01T00:00:00Z',
    },
  ],
  GITHUB_GET_A_COMMIT: [{ ...where, ref: 'feature/x', page: 2 }],
  GITHUB_COMPARE_TWO_COMMITS: [
    { ...where, basehead: 'main...feature/x' },
    { ...where, basehead: 'main...ann:feature' },
  ],
  GITHUB_LIST_BRANCHES: [{ ...where, protected: true }],
  GITHUB_GET_A_BRANCH: [{ ...where, branch: 'feature/x' }],
  GITHUB_CREATE_A_REFERENCE: [{ ...where, ref: 'refs/heads/feature/x', sha: SHA }],
  GITHUB_DELETE_A_REFERENCE: [{ ...where, ref: 'heads/feature/x' }],
  GITHUB_SEARCH_CODE: [{ q: 'addClass repo:jquery/jquery', sort: 'indexed', order: 'desc' }],
  GITHUB_SEARCH_ISSUES_AND_PULL_REQUESTS: [{ q: 'is:issue crash', sort: 'reactions-+1', order: 'asc' }],
  GITHUB_FIND_PULL_REQUESTS: [{ owner: 'octocat', repo: 'hello-world', author: 'ann', label: 'help wanted' }],
  GITHUB_SEARCH_REPOSITORIES: [{ q: 'tetris', sort: 'stars', order: 'desc' }],
  GITHUB_LIST_RELEASES: [where],
  GITHUB_GET_THE_LATEST_RELEASE: [where],
  GITHUB_CREATE_A_RELEASE: [
    {
      ...where,
      tag_name: 'v1.0.0',
      name: 'One',
      body: 'Notes',
      target_commitish: 'main',
      draft: false,
      prerelease: false,
      generate_release_notes: true,
      make_latest: 'legacy',
      discussion_category_name: 'News',
    },
  ],
  GITHUB_CREATE_A_GIST: [{ files: { 'a.md': { content: '# A' } }, description: 'Text', public: false }],
}

let contract: Contract
beforeAll(async () => {
  const file = createRequire(import.meta.url).resolve('@octokit/openapi/generated/api.github.com.json')
  const definition = JSON.parse(readFileSync(file, 'utf8'))
  // An older spelling kept for one client's method names; `{basehead}` is the operation GitHub documents.
  delete definition.paths['/repos/{owner}/{repo}/compare/{base}...{head}']
  contract = await openApiContract({ base: BASE, definition })
}, 60_000)

const service = () =>
  directService({
    base: BASE,
    token: 'not-a-token',
    ...(github.headers && { headers: github.headers }),
    fetch: contract.fetch,
  })

describe('GitHub’s official description', () => {
  test('has a call here for every tool', () => {
    expect(Object.keys(CALLS).sort()).toEqual(Object.keys(github.tools).sort())
  })

  test.each(Object.keys(CALLS))('allows every request of %s and the tool reads its example', async (name) => {
    for (const input of CALLS[name] ?? []) {
      const answer = await runTool(github, name, input, service())

      expect(answer).toBeTypeOf('object')
      expect(misread(answer)).toEqual([])
      if (/_(LIST|SEARCH|FIND)_/.test(name)) expect(lists(answer)).not.toContain(0)
    }
  })

  test('allows the requests that name the account', async () => {
    const account = await github.account(service(), {})

    expect(account).toMatchObject({ id: '1', label: 'octocat', email: 'octocat@github.com' })
  })
})

/** Members that are undefined: the shape looked for something the official example does not have. */
function misread(answer: unknown, at = ''): string[] {
  if (answer === undefined) return [at]
  if (answer === null || typeof answer !== 'object') return []
  return Object.entries(answer).flatMap(([key, value]) => misread(value, `${at}.${key}`))
}

/** Lengths of the lists an answer holds: the examples all have an item. */
function lists(answer: Record<string, unknown>): number[] {
  return Object.values(answer).flatMap((value) => (Array.isArray(value) ? [value.length] : []))
}

describe('the checker', () => {
  const headers = { 'content-type': 'application/json' }
  const issue = (body: unknown) =>
    contract.problems({ method: 'POST', path: '/repos/o/r/issues', headers, body: JSON.stringify(body) })

  test.each<[string, () => string[], RegExp]>([
    [
      'an address that is not described',
      () => contract.problems({ method: 'GET', path: '/repos/o/r/nope', headers }),
      /no operation/,
    ],
    [
      'a method that is not described',
      () => contract.problems({ method: 'PUT', path: '/user', headers }),
      /no operation/,
    ],
    [
      'an unknown query parameter',
      () => contract.problems({ method: 'GET', path: '/user/repos?perpage=5', headers }),
      /additional properties/,
    ],
    [
      'a query value of the wrong kind',
      () => contract.problems({ method: 'GET', path: '/user/repos?per_page=x', headers }),
      /integer/,
    ],
    [
      'a query value outside its choices',
      () => contract.problems({ method: 'GET', path: '/user/repos?sort=size', headers }),
      /allowed values/,
    ],
    ['a missing required field', () => issue({ body: 'x' }), /required property 'title'/],
    ['a field of the wrong kind', () => issue({ title: 'x', labels: [1, true] }), /labels/],
    ['a field that is not described', () => issue({ title: 'x', tittle: 'y' }), /body\.tittle is not described/],
    [
      'a missing body',
      () => contract.problems({ method: 'POST', path: '/repos/o/r/issues', headers }),
      /lacks its body/,
    ],
    [
      'a body where none belongs',
      () => contract.problems({ method: 'GET', path: '/user', headers, body: '{}' }),
      /none is described/,
    ],
  ])('refuses %s', (_, ask, reason) => {
    expect(ask().join('\n')).toMatch(reason)
  })

  test('accepts null where GitHub does', () => {
    expect(issue({ title: 'x', milestone: null })).toEqual([])
  })

  test('fails loudly when a tool sends something wrong', async () => {
    const broken = {
      ...github,
      tools: { X: { ...github.tools['GITHUB_GET_A_REPOSITORY'], run: 'GET /repo/{owner}/{repo}' } },
    }

    await expect(runTool(broken as never, 'X', where, service())).rejects.toThrow(ContractBreach)
  })
})
