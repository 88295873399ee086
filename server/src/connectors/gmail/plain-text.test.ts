import { expect, test } from 'vitest'
import { plainText } from './plain-text.ts'

test('a mail is read as its reader would see it', () => {
  const html = `<html><head><style>p { color: red }</style><title>T</title></head><body>
    <h1>Your order</h1><p>Dear Ann,<br>it&nbsp;comes <b>today</b> &amp; tomorrow.</p>
    <ul><li>One</li><li>Two</li></ul><img src="https://track.example.com/p.gif" alt="">
    <p><a href="https://x.example.com/o?id=1">See it</a> or <a href="https://x.example.com">https://x.example.com</a></p>
    <script>alert(1)</script></body></html>`

  expect(plainText(html)).toBe(
    'Your order\n\nDear Ann,\nit\u00a0comes today & tomorrow.\n\n * One\n * Two\n\nSee it [https://x.example.com/o?id=1] or https://x.example.com',
  )
})

test('nothing readable is an empty text', () => {
  expect(['', '   ', '<p></p>', '<img src="x">', '<!-- x -->'].map(plainText)).toEqual(['', '', '', '', ''])
})

test.each([
  ['tags without end', '<div>'.repeat(400_000)],
  ['lists in lists', '<ul><li>'.repeat(250_000)],
  ['tables in tables', '<table><tr><td>'.repeat(130_000)],
  ['tags that only seem to close', '<div><a t="</div>"></a>'.repeat(80_000)],
  ['closing what was never open', `${'<div>'.repeat(10_000)}${'</x>'.repeat(400_000)}`],
  ['a line of blanks', `<pre>${'\u00a0'.repeat(1_900_000)}x</pre>`],
])('a hostile mail of %s does not hold up the gateway', (_, html) => {
  const started = performance.now()

  plainText(html)

  // Unbounded, most of these take more than a minute.
  expect(performance.now() - started).toBeLessThan(10_000)
})
