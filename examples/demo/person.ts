/**
 * A person at a browser, without the browser: follows redirects with a cookie jar, and on an emulator's consent page
 * clicks the button of one account. Answers where the browser ends up.
 */
export interface Person {
  /** Opens an address; on a consent page chooses the account whose button shows `account`. */
  visit(address: string, account?: string): Promise<{ url: string; status: number; text: string }>
}

const MAX_STEPS = 12

export function newPerson(): Person {
  const cookies = new Map<string, Map<string, string>>()

  async function load(url: string, body?: URLSearchParams): Promise<Response> {
    const { host } = new URL(url)
    const jar = cookies.get(host) ?? new Map<string, string>()
    cookies.set(host, jar)
    const response = await fetch(url, {
      redirect: 'manual',
      headers: { accept: 'text/html', cookie: [...jar].map(([name, value]) => `${name}=${value}`).join('; ') },
      ...(body && { method: 'POST', body }),
    })
    for (const line of response.headers.getSetCookie()) {
      const [pair = ''] = line.split(';', 1)
      const cut = pair.indexOf('=')
      jar.set(pair.slice(0, cut), pair.slice(cut + 1))
    }
    return response
  }

  return {
    async visit(address, account = '') {
      let url = address
      let response = await load(url)
      for (let step = 0; step < MAX_STEPS; step++) {
        const next = response.headers.get('location')
        if (response.status >= 300 && response.status < 400 && next) {
          url = new URL(next, url).href
          response = await load(url)
          continue
        }
        const text = await response.text()
        const form = consentForm(text, account)
        if (!form) return { url, status: response.status, text }
        url = new URL(form.action, url).href
        response = await load(url, form.fields)
      }
      throw new Error(`More than ${MAX_STEPS} steps from ${new URL(address).origin}`)
    },
  }
}

/** The consent form whose button shows the account; the first one where none does. */
export function consentForm(html: string, account: string): { action: string; fields: URLSearchParams } | undefined {
  const forms = [...html.matchAll(/<form class="user-form" method="post" action="([^"]+)">([\s\S]*?)<\/form>/g)]
  const chosen = forms.find(([, , inside]) => inside?.includes(account)) ?? forms[0]
  if (!chosen) return undefined
  const fields = new URLSearchParams()
  for (const [, name = '', value = ''] of (chosen[2] ?? '').matchAll(
    /<input type="hidden" name="([^"]*)" value="([^"]*)"/g,
  )) {
    fields.set(name, unescaped(value))
  }
  return { action: unescaped(chosen[1] ?? ''), fields }
}

export function unescaped(text: string): string {
  return text
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&amp;', '&')
}
