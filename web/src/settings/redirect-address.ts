/** What is wrong with a redirect address for the project's list, or undefined. The gateway has the last word. */
export function redirectAddressProblem(address: string): string | undefined {
  const wildcard = address.endsWith('/*')
  const plain = wildcard ? address.slice(0, -1) : address
  if (!URL.canParse(plain)) return 'Write a whole address, such as https://app.example.com/connected.'
  const url = new URL(plain)
  if (url.protocol !== 'https:' && url.protocol !== 'http:')
    return 'It must begin with https:// (or http:// on localhost).'
  if (url.protocol === 'http:' && !['localhost', '127.0.0.1', '[::1]'].includes(url.hostname))
    return 'It must be https, except on localhost.'
  if (url.username || url.password || url.search || url.hash) return 'It must not hold a user name, a query or a #.'
  if (plain.includes('*')) return 'A * may only stand at the end, after a slash.'
  return undefined
}
