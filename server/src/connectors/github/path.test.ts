import { expect, test } from 'vitest'
import { filePath, repositoryPath, requiredFilePath, segment } from './path.ts'

test('a branch with slashes becomes one segment', () => {
  expect(segment('branch', 'feature/grün & neu?')).toBe('feature%2Fgr%C3%BCn%20%26%20neu%3F')
})

test('a file path keeps its slashes and encodes the rest', () => {
  expect(filePath('path', '/docs/how to/a#b%2e.md/')).toBe('docs/how%20to/a%23b%252e.md')
  expect(filePath('path', '')).toBe('')
  expect(filePath('path', '/')).toBe('')
})

test.each(['..', '.', 'a/../b', 'a/./b', 'a//b', '../../user', 'a\\..\\b', 'a/\u0000', ''])(
  '%j is refused',
  (value) => {
    expect(() => segment('ref', value)).toThrow(/`ref` may not/)
  },
)

test.each(['..', 'a/../../user', 'a/./b', 'a//b', 'a\\b', 'a\nb'])('the file path %j is refused', (value) => {
  expect(() => filePath('path', value)).toThrow(/`path` may not/)
})

test('names that only look like dots pass', () => {
  expect(segment('branch', '..a')).toBe('..a')
  expect(filePath('path', '.github/...')).toBe('.github/...')
})

test('a file has to be named where a folder will not do', () => {
  expect(() => requiredFilePath('path', '/')).toThrow(/must name a file/)
})

test('a repository may not lead out of /repos', () => {
  expect(repositoryPath({ owner: 'octocat', repo: 'hello' }, '/issues')).toBe('/repos/octocat/hello/issues')
  expect(() => repositoryPath({ owner: '..', repo: 'user' })).toThrow(/`owner`/)
})
