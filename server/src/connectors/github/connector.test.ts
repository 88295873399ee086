import { describe, expect, test } from 'vitest'
import { connectorMistakes } from '../../core/catalogue.ts'
import type { Connection } from '../../core/connection.ts'
import type { Connector, Service, Tool } from '../../core/connector.ts'
import { missingScopes, readOnlyTools, scopesToAsk } from '../../core/scopes.ts'
import { github } from './connector.ts'
import { changedFile, issue } from './shapes.ts'

const where = { owner: 'octocat', repo: 'hello' }

function repositoryWith(answer: (path: string, query: any) => unknown) {
  const asked: { path: string; query: any }[] = []
  const ask = async (path: string, query: unknown) => {
    asked.push({ path, query })
    return answer(path, query)
  }
  const service = { get: ask, post: ask, put: ask, patch: ask, delete: ask, signal: new AbortController().signal }
  return { service: service as unknown as Service, asked }
}

function run(name: string, input: Record<string, unknown>, service: Service): Promise<any> {
  const tool = github.tools[name]
  if (typeof tool?.run !== 'function') throw new Error(`${name} has no function`)
  return tool.run(tool.input.strict().parse(input), service)
}

test('the declaration has no mistakes', () => {
  expect(connectorMistakes(github as Connector)).toEqual([])
})

test('a plain Connect does not ask to write to repositories', () => {
  const asked = scopesToAsk(github, readOnlyTools(github)).default

  expect(asked).not.toContain('repo')
  expect(asked).not.toContain('public_repo')
})

test('a grant for all repositories is enough for public ones, and one for public ones for their changes', () => {
  const granted = (scope: string) => ({ scopes: { default: [scope] } }) as unknown as Connection
  const create = github.tools['GITHUB_CREATE_AN_ISSUE'] as Tool
  const star = github.tools['GITHUB_STAR_A_REPOSITORY_FOR_THE_AUTHENTICATED_USER'] as Tool

  expect(missingScopes(github, star, granted('repo'))).toEqual([])
  expect(missingScopes(github, create, granted('public_repo'))).toEqual([])
  expect(missingScopes(github, create, granted('read:user'))).toEqual(['repo'])
})

describe('reading a file', () => {
  const file = (text: string | Buffer, more: object = {}) => ({
    type: 'file',
    path: 'a.txt',
    sha: 'abc',
    size: Buffer.byteLength(text),
    encoding: 'base64',
    content: Buffer.from(text)
      .toString('base64')
      .replace(/(.{60})/g, '$1\n'),
    ...more,
  })
  const read = (answer: unknown, input: object = {}) =>
    run('GITHUB_GET_REPOSITORY_CONTENT', { ...where, path: 'a.txt', ...input }, repositoryWith(() => answer).service)

  test('answers the text', async () => {
    expect(await read(file('Grüße\n'))).toMatchObject({ encoding: 'utf-8', content: 'Grüße\n', sha: 'abc' })
  })

  test('answers the lines asked for and where to go on', async () => {
    const answer = await read(file('1\n2\n3\n4\n5'), { start_line: 2, end_line: 3 })

    expect(answer).toMatchObject({ content: '2\n3', start_line: 2, end_line: 3, total_lines: 5 })
    expect(answer.next_line).toBeUndefined()
  })

  test('cuts a long text at a line and can be read to its end by next_line', async () => {
    const text = Array.from({ length: 5000 }, (_, n) => `line ${n} ${'x'.repeat(50)}`).join('\n')
    const parts: string[] = []
    let start_line: number | undefined = 1
    while (start_line !== undefined) {
      const answer: any = await read(file(text), { start_line })
      parts.push(answer.content)
      expect(answer.content.length).toBeLessThanOrEqual(100_000)
      start_line = answer.next_line
    }

    expect(parts.length).toBeGreaterThan(1)
    expect(parts.join('\n')).toBe(text)
  })

  test('cuts inside a line that is longer than any answer, and still goes on', async () => {
    const answer = await read(file(`${'x'.repeat(150_000)}\nend`))

    expect(answer).toMatchObject({ line_truncated: true, end_line: 1, truncated: true, next_line: 2 })
    expect(answer.content).toHaveLength(100_000)
  })

  test('answers base64 for bytes, and only facts for many of them', async () => {
    const small = await read(file(Buffer.from([0, 1, 255])))
    const large = await read(file(Buffer.alloc(300_000)))

    expect(small).toMatchObject({ encoding: 'base64', content: 'AAH/' })
    expect(large).toMatchObject({ content: null, note: expect.stringContaining('Not text') })
  })

  test('fetches what GitHub leaves out over 1 MB as a blob', async () => {
    const { service, asked } = repositoryWith((path) =>
      path.includes('/git/blobs/') ? file('large') : { ...file(''), encoding: 'none', size: 2_000_000 },
    )

    const answer = await run('GITHUB_GET_REPOSITORY_CONTENT', { ...where, path: 'a.txt' }, service)

    expect(answer.content).toBe('large')
    expect(asked[1]?.path).toBe('/repos/octocat/hello/git/blobs/abc')
  })

  test('does not fetch what is too large at all', async () => {
    const { service, asked } = repositoryWith(() => ({ ...file(''), encoding: 'none', size: 50_000_000 }))

    const answer = await run('GITHUB_GET_REPOSITORY_CONTENT', { ...where, path: 'a.txt' }, service)

    expect(answer).toMatchObject({ content: null, size: 50_000_000 })
    expect(asked).toHaveLength(1)
  })

  test('says where links and submodules lead', async () => {
    expect(await read({ type: 'symlink', path: 'a', sha: 'x', size: 1, target: '/b' })).toMatchObject({ target: '/b' })
    expect(await read({ type: 'submodule', path: 'a', sha: 'x', size: 0, submodule_git_url: 'git://x' })).toMatchObject(
      {
        submodule_git_url: 'git://x',
      },
    )
  })
})

describe('input that cannot work is refused before anything is sent', () => {
  test.each<[string, object, RegExp]>([
    ['GITHUB_GET_REPOSITORY_CONTENT', { path: '../../../user' }, /`path`/],
    ['GITHUB_GET_REPOSITORY_CONTENT', { path: 'a', start_line: 5, end_line: 2 }, /`end_line`/],
    ['GITHUB_CREATE_OR_UPDATE_FILE_CONTENTS', { path: '/', content: 'a', message: 'm' }, /name a file/],
    ['GITHUB_CREATE_OR_UPDATE_FILE_CONTENTS', { path: 'a', content: '%%', encoding: 'base64', message: 'm' }, /base64/],
    [
      'GITHUB_CREATE_OR_UPDATE_FILE_CONTENTS',
      { path: 'a', content: 'a', message: 'm', author__name: 'Ann' },
      /go together/,
    ],
    ['GITHUB_COMMIT_MULTIPLE_FILES', { branch: 'b', message: 'm' }, /Give files/],
    [
      'GITHUB_COMMIT_MULTIPLE_FILES',
      { branch: 'b', message: 'm', upserts: [{ path: 'a', content: '' }], deletes: ['/a'] },
      /twice/,
    ],
    ['GITHUB_COMMIT_MULTIPLE_FILES', { branch: 'b', message: 'm', deletes: ['../a'] }, /`path`/],
    ['GITHUB_COMPARE_TWO_COMMITS', { basehead: 'main..x' }, /three dots/],
    ['GITHUB_CREATE_A_REFERENCE', { ref: 'refs/heads/', sha: 'a'.repeat(40) }, /`ref` must be/],
    ['GITHUB_CREATE_A_PULL_REQUEST', { head: 'a', base: 'b' }, /Give `title`/],
    ['GITHUB_CREATE_A_REVIEW_FOR_A_PULL_REQUEST', { pull_number: 1, event: 'COMMENT' }, /`body` is needed/],
    ['GITHUB_REQUEST_REVIEWERS_FOR_A_PULL_REQUEST', { pull_number: 1 }, /Give `reviewers`/],
    ['GITHUB_UPDATE_AN_ISSUE', { issue_number: 1 }, /Nothing to change/],
    ['GITHUB_UPDATE_A_PULL_REQUEST', { pull_number: 1 }, /Nothing to change/],
    ['GITHUB_DELETE_A_REFERENCE', { ref: 'heads/../../x' }, /`ref`/],
  ])('%s %j', async (name, input, reason) => {
    const { service, asked } = repositoryWith(() => file)
    const file = { type: 'file', path: 'a', sha: 'x', size: 1, encoding: 'base64', content: 'YQ==' }

    await expect((async () => run(name, { ...where, ...input }, service))()).rejects.toThrow(reason)
    // Only the range of lines is judged after reading, because it changes nothing.
    if (!('end_line' in input)) expect(asked).toEqual([])
  })

  test.each(['a/b', '', 'a b', '../x'])('the owner %j', async (owner) => {
    const { service } = repositoryWith(() => ({}))

    await expect(
      (async () => run('GITHUB_CREATE_AN_ISSUE', { owner, repo: 'r', title: 't' }, service))(),
    ).rejects.toThrow(/owner/)
  })
})

test('filters for pull requests cannot smuggle in a further qualifier', async () => {
  const { service, asked } = repositoryWith(() => ({ total_count: 0, items: [] }))

  await run(
    'GITHUB_FIND_PULL_REQUESTS',
    { label: 'x" repo:secret/one', author: 'ann is:issue', is_merged: true, state: 'all' },
    service,
  )

  expect(asked[0]?.query.q).toBe('is:pr is:merged author:"ann is:issue" label:"x repo:secret/one"')
})

test('a search hands on the next page up to the 1,000 results GitHub reaches', async () => {
  const { service } = repositoryWith(() => ({ total_count: 5000, items: [] }))
  const next = async (page: number) =>
    (await run('GITHUB_SEARCH_CODE', { q: 'x', per_page: 100, page }, service)).next_page

  expect(await next(1)).toBe(2)
  expect(await next(10)).toBeNull()
})

test('milestones travel as numbers, one assignee as a list', async () => {
  const { service, asked } = repositoryWith(() => ({}))

  await run('GITHUB_CREATE_AN_ISSUE', { ...where, title: 't', milestone: '7', assignee: 'ann' }, service)

  expect(asked[0]?.query).toEqual({ title: 't', milestone: 7, assignees: ['ann'] })
})

test('GitHub’s recursive flag is left out for a false value, which it would take for true', async () => {
  const { service, asked } = repositoryWith(() => ({ tree: [] }))

  for (const recursive of [false, 'false', '0', true, 'true']) {
    await run('GITHUB_GET_A_TREE', { ...where, tree_sha: 'main', recursive }, service)
  }

  expect(asked.map(({ query }) => query?.recursive)).toEqual([undefined, undefined, undefined, '1', '1'])
})

test('lists shorten long bodies and say so, and diffs too', () => {
  expect(issue({ body: 'x'.repeat(600) })).toMatchObject({ body: 'x'.repeat(500), body_truncated: true })
  expect(issue({ body: 'short' })).not.toHaveProperty('body_truncated')
  expect(changedFile({ patch: 'x'.repeat(9000) })).toMatchObject({ patch: 'x'.repeat(8000), patch_truncated: true })
})
