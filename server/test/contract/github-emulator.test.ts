import { createEmulator, type Emulator } from 'emulate'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { github } from '../../src/connectors/github/connector.ts'
import { directService, runTool } from './direct-service.ts'

const where = { owner: 'octocat', repo: 'hello-world' }

let emulator: Emulator
beforeAll(async () => {
  emulator = await createEmulator({
    service: 'github',
    port: 0,
    seed: {
      tokens: {
        'octocat-token': { login: 'octocat', scopes: ['repo', 'user', 'delete_repo'] },
        'ann-token': { login: 'ann', scopes: ['repo'] },
      },
      github: {
        users: [
          { login: 'octocat', name: 'The Octocat', email: 'octocat@example.com' },
          { login: 'ann', name: 'Ann' },
        ],
        orgs: [{ login: 'acme', name: 'Acme', members: [{ login: 'octocat', role: 'admin' }] }],
        repos: [{ owner: 'octocat', name: 'hello-world', language: 'JavaScript', auto_init: true }],
      },
    },
  })
})
beforeEach(() => emulator.reset())
afterAll(() => emulator.close())

const as = (token: string) =>
  directService({
    base: emulator.url,
    token,
    ...(github.headers && { headers: github.headers }),
    failure: github.failure,
  })
const run = (name: string, input: Record<string, unknown>, token = 'octocat-token') =>
  runTool(github, `GITHUB_${name}`, input, as(token))

async function branchFrom(branch: string, base = 'main') {
  const { commit } = await run('GET_A_BRANCH', { ...where, branch: base })
  return run('CREATE_A_REFERENCE', { ...where, ref: `refs/heads/${branch}`, sha: commit.sha })
}

describe('GitHub tools against the emulator', () => {
  test('name the account that connected', async () => {
    const account = await github.account(as('octocat-token'), {})
    const me = await run('GET_THE_AUTHENTICATED_USER', {})
    const organisations = await run('LIST_ORGANIZATIONS_FOR_THE_AUTHENTICATED_USER', {})

    expect(account).toMatchObject({
      id: expect.stringMatching(/^\d+$/),
      label: 'octocat',
      email: 'octocat@example.com',
    })
    expect(me.login).toBe('octocat')
    expect(organisations.organizations).toEqual([expect.objectContaining({ login: 'acme' })])
  })

  test('open an issue, comment, label, list, edit and close it', async () => {
    const opened = await run('CREATE_AN_ISSUE', { ...where, title: 'It breaks', body: 'Steps…', assignee: 'octocat' })
    const comment = await run('CREATE_AN_ISSUE_COMMENT', { ...where, number: opened.number, body: 'Me too' })
    await run('UPDATE_AN_ISSUE_COMMENT', { ...where, comment_id: comment.id, body: 'Me too, on Linux' })
    await run('ADD_LABELS_TO_AN_ISSUE', { ...where, issue_number: opened.number, labels: ['bug', 'area/ui'] })
    const left = await run('REMOVE_A_LABEL_FROM_AN_ISSUE', { ...where, issue_number: opened.number, name: 'area/ui' })

    const listed = await run('LIST_REPOSITORY_ISSUES', { ...where, labels: 'bug' })
    const comments = await run('LIST_ISSUE_COMMENTS', { ...where, issue_number: opened.number })
    const closed = await run('UPDATE_AN_ISSUE', {
      ...where,
      issue_number: opened.number,
      state: 'closed',
      state_reason: 'not_planned',
    })
    const open = await run('LIST_REPOSITORY_ISSUES', where)

    expect(opened).toMatchObject({ title: 'It breaks', state: 'open', body: 'Steps…', assignees: ['octocat'] })
    expect(left).toEqual({ labels: ['bug'] })
    expect(listed.issues).toEqual([expect.objectContaining({ number: opened.number, labels: ['bug'], comments: 1 })])
    expect(listed.next_page).toBeNull()
    expect(comments.comments).toEqual([expect.objectContaining({ author: 'octocat', body: 'Me too, on Linux' })])
    expect(closed).toMatchObject({ state: 'closed', state_reason: 'not_planned' })
    expect(open.issues).toEqual([])
  })

  test('hand on the next page while pages come back full', async () => {
    for (const title of ['one', 'two', 'three']) await run('CREATE_AN_ISSUE', { ...where, title })

    const first = await run('LIST_REPOSITORY_ISSUES', { ...where, per_page: 2 })
    const second = await run('LIST_REPOSITORY_ISSUES', { ...where, per_page: 2, page: first.next_page })

    expect(first.issues).toHaveLength(2)
    expect(first.note).toContain('page 2 may hold more')
    expect(second.issues).toHaveLength(1)
    expect(second.next_page).toBeNull()
  })

  test('create a file, read it, change it with its sha, and refuse an old sha', async () => {
    const path = 'docs/how to/écrire.md'
    const created = await run('CREATE_OR_UPDATE_FILE_CONTENTS', {
      ...where,
      path,
      content: 'Grüße\n',
      message: 'Write',
    })
    const read = await run('GET_REPOSITORY_CONTENT', { ...where, path })
    const changed = await run('CREATE_OR_UPDATE_FILE_CONTENTS', {
      ...where,
      path,
      content: 'Grüße 2\n',
      message: 'Change',
      sha: read.sha,
    })
    const again = await run('GET_REPOSITORY_CONTENT', { ...where, path })
    const folder = await run('GET_REPOSITORY_CONTENT', { ...where, path: 'docs/how to' })
    const root = await run('GET_REPOSITORY_CONTENT', where)
    const commits = await run('LIST_COMMITS', { ...where, path })

    expect(created).toMatchObject({ path, commit: { message: 'Write' } })
    expect(read).toMatchObject({ type: 'file', path, encoding: 'utf-8', content: 'Grüße\n', sha: created.sha })
    expect(again).toMatchObject({ content: 'Grüße 2\n', sha: changed.sha })
    expect(folder).toMatchObject({ type: 'dir', entries: [{ name: 'écrire.md', type: 'file' }] })
    expect(root.entries.map(({ name }: { name: string }) => name).sort()).toEqual(['README.md', 'docs'])
    expect(commits.commits.map(({ message }: { message: string }) => message)).toEqual(['Change', 'Write'])
    const stale = run('CREATE_OR_UPDATE_FILE_CONTENTS', { ...where, path, content: 'x', message: 'x', sha: read.sha })
    await expect(stale).rejects.toMatchObject({ code: 'provider_rejected', providerStatus: 409 })
    const blind = run('CREATE_OR_UPDATE_FILE_CONTENTS', { ...where, path, content: 'x', message: 'x' })
    await expect(blind).rejects.toThrow(/sha/)
  })

  test('keep bytes that are not text', async () => {
    const bytes = Buffer.from([0, 255, 1, 254]).toString('base64')
    await run('CREATE_OR_UPDATE_FILE_CONTENTS', {
      ...where,
      path: 'a.bin',
      content: bytes,
      encoding: 'base64',
      message: 'x',
    })

    const read = await run('GET_REPOSITORY_CONTENT', { ...where, path: 'a.bin' })

    expect(read).toMatchObject({ encoding: 'base64', content: bytes, size: 4 })
  })

  test('delete a file without knowing its sha, but never a folder', async () => {
    await run('CREATE_OR_UPDATE_FILE_CONTENTS', { ...where, path: 'docs/a.md', content: 'x', message: 'x' })

    const folder = run('DELETE_A_FILE', { ...where, path: 'docs', message: 'Remove' })
    await expect(folder).rejects.toMatchObject({ code: 'invalid_input' })
    const deleted = await run('DELETE_A_FILE', { ...where, path: 'docs/a.md', message: 'Remove' })

    expect(deleted).toMatchObject({ deleted: true, commit: { message: 'Remove' } })
    await expect(run('GET_REPOSITORY_CONTENT', { ...where, path: 'docs/a.md' })).rejects.toMatchObject({
      providerStatus: 404,
      message: expect.stringContaining('permission `repo`'),
    })
  })

  test('branch, commit several files, open a pull request, review and merge it', async () => {
    await run('CREATE_OR_UPDATE_FILE_CONTENTS', { ...where, path: 'old.txt', content: 'old', message: 'Old' })
    const committed = await run('COMMIT_MULTIPLE_FILES', {
      ...where,
      branch: 'feature/several',
      base_branch: 'main',
      message: 'Several',
      upserts: [
        { path: 'src/a.txt', content: 'a' },
        { path: 'src/b.bin', content: 'AAEC', encoding: 'base64' },
      ],
      deletes: ['old.txt'],
    })
    const opened = await run('CREATE_A_PULL_REQUEST', {
      ...where,
      title: 'Several',
      head: 'feature/several',
      base: 'main',
    })
    const compared = await run('COMPARE_TWO_COMMITS', { ...where, basehead: 'main...feature/several' })
    const asked = await run('REQUEST_REVIEWERS_FOR_A_PULL_REQUEST', {
      ...where,
      pull_number: opened.number,
      reviewers: ['ann'],
    })
    const review = await run(
      'CREATE_A_REVIEW_FOR_A_PULL_REQUEST',
      { ...where, pull_number: opened.number, event: 'APPROVE', body: 'Good' },
      'ann-token',
    )
    const reviews = await run('LIST_REVIEWS_FOR_A_PULL_REQUEST', { ...where, pull_number: opened.number })
    const merged = await run('MERGE_A_PULL_REQUEST', { ...where, number: opened.number, sha: opened.head.sha })
    const after = await run('GET_A_PULL_REQUEST', { ...where, pull_number: opened.number })
    const main = await run('GET_REPOSITORY_CONTENT', { ...where, path: 'src/a.txt' })
    const tree = await run('GET_A_TREE', { ...where, tree_sha: 'main', recursive: true })

    expect(committed).toMatchObject({ branch_created: true, written: 2, deleted: 1 })
    expect(opened).toMatchObject({ state: 'open', head: { ref: 'feature/several', sha: committed.commit.sha } })
    expect(compared.files.map(({ filename }: { filename: string }) => filename).sort()).toEqual([
      'old.txt',
      'src/a.txt',
      'src/b.bin',
    ])
    expect(asked.requested_reviewers).toEqual(['ann'])
    expect(review).toMatchObject({ state: 'APPROVED', author: 'ann', body: 'Good' })
    expect(reviews.reviews).toHaveLength(1)
    expect(merged.merged).toBe(true)
    expect(after).toMatchObject({ state: 'merged', merged_by: 'octocat' })
    expect(main.content).toBe('a')
    expect(tree.entries.map(({ path }: { path: string }) => path)).not.toContain('old.txt')
  })

  test('refuse to move a branch that someone else moved meanwhile', async () => {
    await branchFrom('feature/race')
    const service = as('octocat-token')
    const racing = {
      ...service,
      // Somebody pushes between our reading of the branch and our moving it.
      patch: async (...args: Parameters<typeof service.patch>) => {
        await run('CREATE_OR_UPDATE_FILE_CONTENTS', {
          ...where,
          path: 'x',
          content: 'x',
          message: 'x',
          branch: 'feature/race',
        })
        return service.patch(...args)
      },
    }

    const lost = runTool(
      github,
      'GITHUB_COMMIT_MULTIPLE_FILES',
      { ...where, branch: 'feature/race', message: 'Mine', upserts: [{ path: 'a', content: 'a' }] },
      racing,
    )

    await expect(lost).rejects.toMatchObject({ code: 'provider_rejected' })
    const commits = await run('LIST_COMMITS', { ...where, sha: 'feature/race' })
    expect(commits.commits[0].message).toBe('x')
  })

  test('make, compare, list and delete branches whose names hold slashes', async () => {
    await branchFrom('feature/x')
    await run('CREATE_OR_UPDATE_FILE_CONTENTS', {
      ...where,
      path: 'x',
      content: 'x',
      message: 'X',
      branch: 'feature/x',
    })

    const branch = await run('GET_A_BRANCH', { ...where, branch: 'feature/x' })
    const compared = await run('COMPARE_TWO_COMMITS', { ...where, basehead: 'main...feature/x' })
    const commit = await run('GET_A_COMMIT', { ...where, ref: 'feature/x' })
    const listed = await run('LIST_BRANCHES', where)
    await run('DELETE_A_REFERENCE', { ...where, ref: 'refs/heads/feature/x' })
    const left = await run('LIST_BRANCHES', where)

    expect(branch).toMatchObject({ name: 'feature/x', commit: { sha: commit.sha } })
    expect(compared).toMatchObject({ status: 'ahead', ahead_by: 1, files: [{ filename: 'x', status: 'added' }] })
    expect(commit.files).toEqual([expect.objectContaining({ filename: 'x', status: 'added' })])
    expect(listed.branches.map(({ name }: { name: string }) => name).sort()).toEqual(['feature/x', 'main'])
    expect(left.branches).toEqual([expect.objectContaining({ name: 'main' })])
  })

  test('comment on a line of a pull request and answer the comment', async () => {
    await branchFrom('feature/x')
    await run('CREATE_OR_UPDATE_FILE_CONTENTS', {
      ...where,
      path: 'x',
      content: 'x\n',
      message: 'X',
      branch: 'feature/x',
    })
    const opened = await run('CREATE_A_PULL_REQUEST', { ...where, title: 'X', head: 'feature/x', base: 'main' })
    const here = { ...where, pull_number: opened.number, commit_id: opened.head.sha, path: 'x' }

    const first = await run('CREATE_A_REVIEW_COMMENT_FOR_A_PULL_REQUEST', { ...here, body: 'Why?', line: 1 })
    await run('CREATE_A_REVIEW_COMMENT_FOR_A_PULL_REQUEST', {
      ...here,
      body: 'Because',
      line: 1,
      in_reply_to: first.id,
    })
    const comments = await run('LIST_REVIEW_COMMENTS_ON_A_PULL_REQUEST', { ...where, pull_number: opened.number })
    const commits = await run('LIST_COMMITS_ON_A_PULL_REQUEST', { ...where, pull_number: opened.number })
    const edited = await run('UPDATE_A_PULL_REQUEST', { ...where, pull_number: opened.number, state: 'closed' })
    const closed = await run('LIST_PULL_REQUESTS', { ...where, state: 'closed' })

    expect(comments.comments.map(({ body }: { body: string }) => body)).toEqual(['Why?', 'Because'])
    expect(commits.commits.at(-1)).toMatchObject({ message: 'X', sha: opened.head.sha })
    expect(edited.state).toBe('closed')
    expect(closed.pull_requests).toHaveLength(1)
  })

  test('search issues, pull requests, repositories and code', async () => {
    await run('CREATE_AN_ISSUE', { ...where, title: 'Crash on start', labels: ['help wanted'] })
    await branchFrom('feature/x')
    await run('CREATE_OR_UPDATE_FILE_CONTENTS', {
      ...where,
      path: 'x',
      content: 'x',
      message: 'X',
      branch: 'feature/x',
    })
    await run('CREATE_A_PULL_REQUEST', { ...where, title: 'Fix the crash', head: 'feature/x', base: 'main' })

    const issues = await run('SEARCH_ISSUES_AND_PULL_REQUESTS', { query: 'crash is:issue repo:octocat/hello-world' })
    const pulls = await run('FIND_PULL_REQUESTS', { ...where, state: 'open', author: 'octocat', query: 'crash' })
    const repositories = await run('SEARCH_REPOSITORIES', { q: 'hello user:octocat' })
    const code = await run('SEARCH_CODE', { q: 'hello repo:octocat/hello-world' })

    expect(issues).toMatchObject({
      total_count: 1,
      items: [{ title: 'Crash on start', repository: 'octocat/hello-world' }],
      next_page: null,
    })
    expect(pulls).toMatchObject({ total_count: 1, items: [{ title: 'Fix the crash', is_pull_request: true }] })
    expect(repositories.items).toEqual([expect.objectContaining({ full_name: 'octocat/hello-world' })])
    expect(code.items).toEqual([expect.objectContaining({ path: 'README.md', repository: 'octocat/hello-world' })])
  })

  test('create, fork, list, read and delete repositories, and publish a release', async () => {
    await run('CREATE_A_REPOSITORY_FOR_THE_AUTHENTICATED_USER', { name: 'fresh', auto_init: true, description: 'New' })
    const fresh = { owner: 'octocat', repo: 'fresh' }
    const details = await run('GET_A_REPOSITORY', fresh)
    const readme = await run('GET_A_REPOSITORY_README', fresh)
    const mine = await run('LIST_REPOSITORIES_FOR_THE_AUTHENTICATED_USER', {})
    const fork = await run('CREATE_A_FORK', where, 'ann-token')
    await run('CREATE_A_RELEASE', { ...fresh, tag_name: 'v1', name: 'One', body: 'Notes' })
    const releases = await run('LIST_RELEASES', fresh)
    const latest = await run('GET_THE_LATEST_RELEASE', fresh)
    await run('DELETE_A_REPOSITORY', fresh)

    expect(details).toMatchObject({ full_name: 'octocat/fresh', private: true, description: 'New' })
    expect(readme.content).toContain('fresh')
    expect(mine.repositories.map(({ name }: { name: string }) => name).sort()).toEqual(['fresh', 'hello-world'])
    expect(fork).toMatchObject({ full_name: 'ann/hello-world', fork: true })
    expect(releases.releases).toHaveLength(1)
    expect(latest).toMatchObject({ tag_name: 'v1', name: 'One' })
    await expect(run('GET_A_REPOSITORY', fresh)).rejects.toMatchObject({ providerStatus: 404 })
  })

  test('say in words what GitHub did not accept', async () => {
    await branchFrom('taken')

    await expect(branchFrom('taken')).rejects.toMatchObject({
      code: 'provider_rejected',
      providerStatus: 422,
      message: expect.stringMatching(/reference already exists/i),
    })
  })
})
