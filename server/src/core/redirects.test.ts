import { describe, expect, test } from 'vitest'
import { checkedOpenerOrigin, checkedRedirectUrl, redirectEntryMistake } from './redirects.ts'

const GATEWAY = 'https://gateway.test'
const LIST = ['https://app.test/done', 'https://app.test/teams/*', 'http://localhost:3000/cb', 'https://open.test/*']

describe('a browser is sent to', () => {
  test.each([
    ['https://app.test/done', 'https://app.test/done'],
    ['https://app.test/done?state=7', 'https://app.test/done?state=7'],
    ['https://APP.test:443/done', 'https://app.test/done'],
    ['https://app.test/teams/', 'https://app.test/teams/'],
    ['https://app.test/teams/7/done', 'https://app.test/teams/7/done'],
    ['https://app.test/teams/7/../8', 'https://app.test/teams/8'],
    ['https://open.test/anything', 'https://open.test/anything'],
    ['http://localhost:3000/cb', 'http://localhost:3000/cb'],
    [`${GATEWAY}/connectors`, `${GATEWAY}/connectors`],
  ])('%s', (given, address) => {
    expect(checkedRedirectUrl(given, LIST, GATEWAY)).toBe(address)
  })

  test.each([
    'https://evil.test/',
    'https://app.test.evil.test/done',
    'https://evil.test/https://app.test/done',
    'https://app.test@evil.test/done',
    'https://user:pass@app.test/done',
    'https://app.test\\@evil.test/done',
    'https://app.test/done/more',
    'https://app.test/done/',
    'https://app.test/DONE',
    'https://app.test/',
    'https://app.test/teams',
    'https://app.test/teamsters/7',
    'https://app.test/teams/../admin',
    'https://app.test/teams/%2e%2e/admin',
    'https://app.test/teams/..\\admin',
    'https://app.test:8443/done',
    'http://app.test/done',
    'http://localhost:3001/cb',
    'http://127.0.0.1:3000/cb',
    'https://app.test/done#token',
    'javascript:alert(1)',
    'JaVaScRiPt://app.test/%0aalert(1)',
    'data:text/html,x',
    'file:///etc/passwd',
    'app://app.test/done',
    '//app.test/done',
    '/done',
    'done',
    '',
    'https://',
    'https:app.test.evil.test',
    'https://gateway.test.evil.test/',
    'http://gateway.test/',
    'https://gateway.test:444/',
    'https://аpp.test/done',
  ])('never to %j', (address) => {
    expect(() => checkedRedirectUrl(address, LIST, GATEWAY)).toThrow(
      expect.objectContaining({ code: 'invalid_input', message: expect.stringContaining('"redirect_url"') }),
    )
  })

  test('anywhere else only once an administrator lists it, and the refusal says so', () => {
    expect(() => checkedRedirectUrl('https://new.test/done?code=1', [], GATEWAY)).toThrow(
      expect.objectContaining({
        message: '"redirect_url" https://new.test/done is not on this project\'s list of redirect addresses.',
        fix: { action: expect.stringContaining('"redirect_urls"') },
      }),
    )
  })
})

describe('an entry of the list', () => {
  test.each([
    ['https://app.test/done', undefined],
    ['https://app.test/*', undefined],
    ['https://app.test:8443/a/b/*', undefined],
    ['http://localhost:3000/*', undefined],
    ['http://127.0.0.1/cb', undefined],
    ['http://[::1]:8080/cb', undefined],
    ['http://app.test/done', 'must be https, except on localhost'],
    ['http://localhost.evil.test/', 'must be https, except on localhost'],
    ['https://*.app.test/', 'may hold a * only as its last path segment'],
    ['https://app.test/*/done', 'may hold a * only as its last path segment'],
    ['https://app.test/done*', 'may hold a * only as its last path segment'],
    ['https://user@app.test/', 'must not hold a user name, query or fragment'],
    ['https://app.test/?x=1', 'must not hold a user name, query or fragment'],
    ['https://app.test/#x', 'must not hold a user name, query or fragment'],
    ['*', 'must be an http(s) address'],
    ['https://*', 'must be an http(s) address'],
    ['javascript:alert(1)', 'must be an http(s) address'],
    ['app.test', 'must be an http(s) address'],
    ['', 'must be an http(s) address'],
  ])('%j: %s', (entry, mistake) => {
    expect(redirectEntryMistake(entry)).toBe(mistake)
  })
})

describe('a page that opens the popup is told its outcome', () => {
  const checked = (origin: string) => checkedOpenerOrigin(origin, LIST, ['https://page.test'], GATEWAY)

  test.each([GATEWAY, 'https://page.test', 'https://app.test', 'https://open.test', 'http://localhost:3000'])(
    'at %s',
    (origin) => {
      expect(checked(origin)).toBe(origin)
    },
  )

  test.each([
    'https://evil.test',
    'https://app.test/',
    'https://APP.test',
    'https://app.test.evil.test',
    'http://app.test',
    'http://localhost',
    'https://app.test:8443',
    'null',
    '*',
    '',
    'javascript:x',
  ])('never at %j', (origin) => {
    expect(() => checked(origin)).toThrow(
      expect.objectContaining({ code: 'invalid_input', message: expect.stringContaining('"opener_origin"') }),
    )
  })
})
