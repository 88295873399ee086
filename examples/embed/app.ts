import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { type Client, createClient, PatchbayApiError } from '@patchbay/sdk'

/** A web application whose users connect their Gmail account through Patchbay. The API key never leaves this process. */
export function createApp(patchbay: Client, address: string): Server {
  const routes: Record<string, (request: IncomingMessage, response: ServerResponse) => Promise<void>> = {
    async 'GET /'(_request, response) {
      response.setHeader('content-type', 'text/html; charset=utf-8').end(page(new URL(patchbay.baseUrl).origin))
    },

    // The popup way: the page opens `auth_url` in a window and is told the outcome by a message.
    async 'POST /connect-popup'(request, response) {
      const { auth_url } = await patchbay.connect({
        user_id: userOf(request),
        provider: 'gmail',
        tools: ['GMAIL_FETCH_EMAILS', 'GMAIL_SEND_EMAIL'],
        opener_origin: address,
      })
      json(response, { auth_url })
    },

    // The redirect way: the browser leaves for `auth_url` and comes back to `redirect_url`.
    async 'GET /connect'(request, response) {
      const { auth_url } = await patchbay.connect({
        user_id: userOf(request),
        provider: 'gmail',
        redirect_url: `${address}/connected`,
      })
      response.writeHead(302, { location: auth_url }).end()
    },

    async 'GET /connected'(request, response) {
      const { searchParams } = new URL(request.url ?? '/', address)
      const id = searchParams.get('connection_id')
      if (searchParams.get('status') !== 'connected' || !id) {
        return json(response, { connected: false, error: searchParams.get('error') })
      }
      // The address could have been typed by hand: what counts is what the gateway says.
      const connection = await patchbay.connections.get(id, { user_id: userOf(request) })
      json(response, { connected: connection.status === 'active', account: connection.account?.label })
    },

    // A page of the gateway's own, for a link in a mail or a chat.
    async 'POST /connect-link'(request, response) {
      const link = await patchbay.connectLinks.create({ user_id: userOf(request), connectors: ['gmail', 'slack'] })
      json(response, { url: link.url })
    },

    // What the agent does on the user's account.
    async 'POST /mail'(request, response) {
      const { result } = await patchbay.tools.execute({
        user_id: userOf(request),
        action: 'GMAIL_FETCH_EMAILS',
        params: { max_results: 5 },
      })
      json(response, result)
    },

    // A key for the browser: this user only, reading only, for an hour.
    async 'POST /key'(request, response) {
      const key = await patchbay.apiKeys.create({
        name: 'Browser',
        role: 'user',
        user_id: userOf(request),
        expires_in: 3600,
        policy: { effects: ['read'] },
      })
      json(response, { key: key.secret })
    },
  }

  return createServer(async (request, response) => {
    const { pathname } = new URL(request.url ?? '/', address)
    const route = routes[`${request.method} ${pathname}`]
    if (!route) return void response.writeHead(404).end()
    try {
      await route(request, response)
    } catch (error) {
      // The message is written for the user, and `fix` holds the link that mends what is wrong.
      const { code, message, fix } =
        error instanceof PatchbayApiError ? error : { code: 'internal', message: 'Something went wrong.', fix: null }
      response.statusCode = 502
      json(response, { error: { code, message, fix } })
    }
  })
}

/** Whoever is signed in to your application; Patchbay takes any text that stays the same for a user. */
function userOf(_request: IncomingMessage): string {
  return 'user-17'
}

function json(response: ServerResponse, body: unknown): void {
  response.setHeader('content-type', 'application/json').end(JSON.stringify(body))
}

function page(gateway: string): string {
  return `<!doctype html>
<title>My app</title>
<button id="connect">Connect Gmail</button> <a href="/connect">or without a popup</a>
<button id="mail">Show the newest mail</button>
<pre id="out"></pre>
<script>
  const show = (value) => { out.textContent = JSON.stringify(value, null, 2) }
  const post = async (path) => (await fetch(path, { method: 'POST' })).json()
  connect.onclick = async () => {
    // Opened in the click itself, or the browser blocks it.
    const popup = window.open('', 'connect', 'width=520,height=720')
    const { auth_url, error } = await post('/connect-popup')
    if (error) { popup.close(); return show(error) }
    popup.location = auth_url
  }
  window.addEventListener('message', ({ origin, data }) => {
    if (origin === '${gateway}' && data?.type === 'patchbay:connect') show(data)
  })
  mail.onclick = async () => show(await post('/mail'))
</script>
`
}

if (import.meta.main) {
  const patchbay = createClient({
    baseUrl: process.env['PATCHBAY_URL'] ?? 'http://localhost:8080',
    apiKey: process.env['PATCHBAY_API_KEY'] ?? '',
  })
  createApp(patchbay, 'http://localhost:3000').listen(3000, 'localhost', () => console.log('http://localhost:3000'))
}
