import { consentForm, unescaped } from '../../../examples/demo/person.ts'

/** A page that a browser ended up on. */
export interface Page {
  url: string
  status: number
  text: string
  headers: Headers
}

/**
 * A person at a browser, without the browser: a cookie jar per host, redirects followed, consent given at the emulators,
 * the gateway's own pages clicked through. Unlike a browser it can be told to stop at an address and look at it.
 */
export interface Browser {
  /** Every address it opened or was sent to. */
  readonly visited: string[]
  /** Everything it was shown. */
  readonly seen: string[]
  cookies(host: string): Map<string, string>
  /**
   * Goes where the address leads: on a consent page it clicks the button that shows `account`. `until` stops before an
   * address is opened and answers it as a page of status 0.
   */
  go(address: string, options?: { account?: string; until?: (url: URL) => boolean }): Promise<Page>
  /** Opens a hosted connect link, presses the button of a connector, and goes where that leads. */
  openLink(link: string, connector: string, account?: string): Promise<Page>
}

const MAX_STEPS = 15

export function newBrowser(): Browser {
  const jars = new Map<string, Map<string, string>>()
  const visited: string[] = []
  const seen: string[] = []

  function jarOf(host: string): Map<string, string> {
    const jar = jars.get(host) ?? new Map<string, string>()
    jars.set(host, jar)
    return jar
  }

  async function load(url: string, form?: URLSearchParams): Promise<Page> {
    const { host, origin } = new URL(url)
    const jar = jarOf(host)
    visited.push(url)
    const response = await fetch(url, {
      redirect: 'manual',
      headers: {
        accept: 'text/html',
        'sec-fetch-mode': 'navigate',
        'sec-fetch-dest': 'document',
        cookie: [...jar].map(([name, value]) => `${name}=${value}`).join('; '),
        ...(form && { origin, 'sec-fetch-site': 'same-origin' }),
      },
      ...(form && { method: 'POST', body: form }),
    })
    for (const line of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
      if (value === '') jar.delete(name)
      else jar.set(name, value)
    }
    const text = await response.text()
    seen.push(text, JSON.stringify([...response.headers]))
    return { url, status: response.status, text, headers: response.headers }
  }

  const go: Browser['go'] = async (address, { account = '', until } = {}) => {
    let page = await load(address)
    for (let step = 0; step < MAX_STEPS; step++) {
      const onward = page.headers.get('location') ?? /http-equiv="refresh" content="0;url=([^"]+)"/.exec(page.text)?.[1]
      if (onward && page.status < 400) {
        const next = new URL(unescaped(onward), page.url)
        if (until?.(next)) {
          visited.push(next.href)
          return { url: next.href, status: 0, text: '', headers: new Headers() }
        }
        page = await load(next.href)
        continue
      }
      const consent = consentForm(page.text, account)
      if (!consent) return page
      page = await load(new URL(consent.action, page.url).href, consent.fields)
    }
    throw new Error(`More than ${MAX_STEPS} steps from ${new URL(address).origin}`)
  }

  return {
    visited,
    seen,
    cookies: jarOf,
    go,
    async openLink(link, connector, account) {
      const page = await load(link)
      if (page.status !== 200) return page
      if (!page.text.includes(`name="connector" value="${connector}"`))
        throw new Error(`The link does not offer ${connector}`)
      const sent = await load(link, new URLSearchParams({ connector }))
      const onward = /http-equiv="refresh" content="0;url=([^"]+)"/.exec(sent.text)?.[1]
      return onward ? go(unescaped(onward), account === undefined ? {} : { account }) : sent
    },
  }
}
