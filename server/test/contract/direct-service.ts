import type { Connector, Failure, Path, Query, SendOptions, Service } from '../../src/core/connector.ts'
import { PatchbayError } from '../../src/core/errors.ts'

export interface DirectServiceOptions {
  /** Base address that paths are joined to, without a trailing slash. */
  base: string
  /** Sent as `Authorization: Bearer`; a record picks by token name (`bot`, `user`), the first being the default. */
  token: string | Readonly<Record<string, string>>
  account?: Service['account']
  signal?: AbortSignal
  headers?: Readonly<Record<string, string>>
  /** The connector's own reading of an answer that is a failure. */
  failure?: Connector['failure']
  /** Stands in for the network; default `fetch`. */
  fetch?: (url: string, init: RequestInit) => Promise<Response>
}

/**
 * A connected service without the gateway around it: one request per call, no retries, no refresh. For driving a
 * connector's tools against an emulator or a contract.
 */
export function directService(options: DirectServiceOptions): Service {
  const signal = options.signal ?? new AbortController().signal
  const send = options.fetch ?? fetch
  const tokens: Readonly<Record<string, string>> =
    typeof options.token === 'string' ? { default: options.token } : options.token

  async function exchange(method: string, path: string, request: Sent): Promise<Response> {
    const bearer = request.token === undefined ? Object.values(tokens)[0] : tokens[request.token]
    if (bearer === undefined) throw new Error(`This stand-in holds no token "${request.token}"`)
    const response = await send(options.base + path + search(request.query), {
      method,
      redirect: 'manual',
      signal,
      headers: {
        accept: 'application/json',
        ...options.headers,
        ...request.headers,
        authorization: `Bearer ${bearer}`,
      },
      ...(request.body !== undefined && { body: request.body as string }),
    })
    if (response.status >= 300) throw refusal(response.status, await parsed(response), options.failure)
    return response
  }

  async function json(method: string, path: string, request: Sent): Promise<any> {
    const body = await parsed(await exchange(method, path, request))
    const failure = body && options.failure?.(body)
    if (failure) throw refusal(200, body, options.failure)
    return body
  }

  const writer =
    (method: string) =>
    (path: Path, body?: unknown, sending: SendOptions = {}) => {
      const sent = encoded(body, sending.as ?? 'json')
      return json(method, path, {
        ...sent,
        headers: { ...sent.headers, ...sending.headers },
        ...(sending.query && { query: sending.query }),
        ...(sending.token && { token: sending.token }),
      })
    }

  return {
    account: options.account ?? null,
    tokens: Object.keys(tokens),
    signal,
    get: (path, query) => json('GET', path, { ...(query && { query }) }),
    post: writer('POST'),
    put: writer('PUT'),
    patch: writer('PATCH'),
    delete: writer('DELETE'),
    async bytes(path, query) {
      const response = await exchange('GET', path, { ...(query && { query }) })
      return {
        data: new Uint8Array(await response.arrayBuffer()),
        contentType: response.headers.get('content-type') ?? 'application/octet-stream',
      }
    },
    async upload(url, data, contentType) {
      const response = await send(url, {
        method: 'POST',
        signal,
        headers: { 'content-type': contentType },
        body: data as unknown as string,
      })
      if (response.status >= 300) throw refusal(response.status, undefined)
    },
  }
}

interface Sent {
  query?: Query
  body?: string | Uint8Array
  headers?: Record<string, string>
  token?: string
}

/**
 * Runs one tool as the gateway would: aliases replaced, input checked, `{field}` of a request line filled, the answer
 * shaped. Throws ZodError for input the schema refuses.
 */
export async function runTool(
  connector: Connector,
  name: string,
  input: Readonly<Record<string, unknown>>,
  service: Service,
): Promise<any> {
  const tool = connector.tools[name]
  if (!tool) throw new Error(`${connector.id} has no tool ${name}`)
  const named = Object.fromEntries(
    Object.entries(input).map(([key, value]) => [(tool.paramAliases?.[key] as string | undefined) ?? key, value]),
  )
  const checked = tool.input.strict().parse(named) as Record<string, unknown>
  if (typeof tool.run === 'function') return tool.run(checked, service)

  const rest = { ...checked }
  const [method = '', line = ''] = tool.run.split(' ')
  const path = line.replace(/\{(\w+)\}/g, (_, field: string) => {
    delete rest[field]
    return encodeURIComponent(String(checked[field]))
  }) as Path
  const answer = method === 'GET' ? await service.get(path, rest as Query) : await sender(service, method)(path, rest)
  return tool.shape ? tool.shape(answer) : answer
}

function sender(service: Service, method: string) {
  const found = { POST: service.post, PUT: service.put, PATCH: service.patch, DELETE: service.delete }[method]
  if (!found) throw new Error(`No method ${method}`)
  return found
}

function search(query: Query = {}): string {
  const params = new URLSearchParams()
  for (const [key, value] of Object.entries(query)) {
    if (value === undefined || value === null) continue
    for (const one of [value].flat()) params.append(key, String(one))
  }
  return params.size > 0 ? `?${params}` : ''
}

function encoded(body: unknown, as: 'json' | 'form'): { body?: string | Uint8Array; headers: Record<string, string> } {
  if (body === undefined) return { headers: {} }
  if (body instanceof Uint8Array) return { body, headers: {} }
  if (as === 'json') return { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }
  const form = new URLSearchParams()
  for (const [key, value] of Object.entries(body as Record<string, unknown>)) {
    if (value === undefined || value === null) continue
    form.append(key, typeof value === 'object' ? JSON.stringify(value) : String(value))
  }
  return { body: form.toString(), headers: { 'content-type': 'application/x-www-form-urlencoded' } }
}

async function parsed(response: Response): Promise<any> {
  const text = await response.text()
  if (!text) return undefined
  try {
    return JSON.parse(text)
  } catch {
    return response.status >= 300 ? undefined : text
  }
}

function refusal(status: number, body: any, failure?: Connector['failure']): PatchbayError {
  const said: Failure | undefined = body && failure?.(body)
  const code = {
    unauthorized: 'needs_reauth',
    missing_scope: 'missing_scope',
    rate_limited: 'rate_limited',
    unavailable: 'provider_unavailable',
    not_found: 'provider_rejected',
    rejected: 'provider_rejected',
  } as const
  const kind = said?.as ?? (status === 401 ? 'unauthorized' : status >= 500 ? 'unavailable' : 'rejected')
  return new PatchbayError(code[kind], said?.message ?? said?.code ?? `HTTP ${status}`, {
    providerStatus: status,
    ...(said && { details: { error: said.code } }),
  })
}
