import { expect, test } from 'vitest'
import { githubFailure } from './failure.ts'

const documentation_url = 'https://docs.github.com/rest'

test.each([
  { sha: 'abc', merged: true, message: 'Pull Request successfully merged' },
  { sha: 'abc', message: 'Commit message', html_url: 'https://github.com' },
  [{ message: 'x', documentation_url }],
  null,
  undefined,
  'text',
])('%j is no failure', (body) => {
  expect(githubFailure(body)).toBeUndefined()
})

test('a validation failure says which field and why', () => {
  const failure = githubFailure({
    message: 'Validation Failed',
    errors: [
      { resource: 'Issue', code: 'missing_field', field: 'title' },
      { resource: 'PullRequest', code: 'custom', message: 'No commits between main and main' },
      'Name already exists',
    ],
    documentation_url,
  })

  expect(failure).toEqual({
    code: 'validation_failed',
    message: 'Validation Failed. title: missing field. No commits between main and main. Name already exists',
  })
})

test.each([
  ['Bad credentials', { as: 'unauthorized' }],
  ['Requires authentication', { as: 'unauthorized' }],
  ['Not Found', { as: 'not_found', message: expect.stringContaining('permission `repo`') }],
  ['API rate limit exceeded for user ID 1.', { as: 'rate_limited' }],
  ['You have exceeded a secondary rate limit. Please wait.', { as: 'rate_limited' }],
  ['Must have admin rights to Repository.', { message: expect.stringContaining('does not administer') }],
  [
    'refusing to allow an OAuth App to create or update workflow `.github/workflows/ci.yml` without `workflow` scope',
    { as: 'missing_scope', scope: 'workflow' },
  ],
])('%s is told apart', (message, expected) => {
  expect(githubFailure({ message, documentation_url, status: '4xx' })).toMatchObject(expected)
})

test('a refusal without a known meaning keeps GitHub’s own words', () => {
  expect(githubFailure({ message: 'Base branch was modified. Review and try again.', documentation_url })).toEqual({
    code: 'base_branch_was_modified',
    message: 'Base branch was modified. Review and try again.',
  })
})
