import { expect, test } from 'vitest'
import { redirectAddressProblem } from './redirect-address.ts'

test.each([
  'https://app.example.com/done',
  'https://app.example.com/*',
  'http://localhost:3000/x',
  'http://127.0.0.1/*',
])('%s may be on the list', (address) => {
  expect(redirectAddressProblem(address)).toBeUndefined()
})

test.each([
  ['app.example.com', /whole address/],
  ['javascript:alert(1)', /https/],
  ['http://app.example.com/done', /https, except on localhost/],
  ['https://*.example.com/done', /only stand at the end/],
  ['https://user@app.example.com/', /user name/],
  ['https://app.example.com/?x=1', /query/],
])('%s is refused', (address, problem) => {
  expect(redirectAddressProblem(address)).toMatch(problem)
})
