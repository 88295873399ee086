import { expect, test } from 'vitest'
import { tableOf } from './result-table.ts'

test('objects become rows; columns keep their order, ids and nested ones last, empty ones away', () => {
  const table = tableOf([
    { id: 1, labels: ['a'], title: 'x', gone: null },
    { id: 2, title: 'y', extra: 'z' },
  ])
  expect(table?.columns).toEqual(['title', 'extra', 'id', 'labels'])
  expect(table?.rows).toHaveLength(2)
})

test('at most eight columns: those that most rows have', () => {
  const wide = Object.fromEntries([...'abcdefghij'].map((name) => [name, 1]))
  expect(tableOf([wide, { j: 1 }])?.columns).toEqual(['a', 'b', 'c', 'd', 'e', 'f', 'g', 'j'])
})

test.each([[[]], [[1, 2]], [[{ a: 1 }, 'x']], [[{}, {}]], [[[1], [2]]]])('%j is not a table', (items) => {
  expect(tableOf(items)).toBeUndefined()
})
