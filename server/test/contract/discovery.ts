import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** Where official API descriptions lie beside a checkout; they are read in place and never part of the project. */
const SPECS = new URL('../../../../shared/reference/specs/', import.meta.url)

/** The path of a description (`google/gmail.v1.json`), or undefined where there is none. */
export function specPath(name: string): string | undefined {
  const path = fileURLToPath(new URL(name, SPECS))
  return existsSync(path) ? path : undefined
}

/** A Google API as its Discovery document states it. https://developers.google.com/discovery/v1/reference/apis */
export interface Discovery {
  /** `https://gmail.googleapis.com`, without a trailing slash. */
  root: string
  methods: readonly Method[]
  /** What is wrong with a request; an empty `mistakes` is a request Google's own description allows. */
  check(request: ApiRequest): Checked
  /** An answer made up from a method's response schema. */
  sample(methodId: string): any
}

export interface Method {
  id: string
  httpMethod: string
  path: string
  scopes: readonly string[]
  parameters: Readonly<Record<string, Parameter>>
  request?: { $ref: string }
  response?: { $ref: string }
  mediaUpload?: {
    accept: readonly string[]
    maxSize?: string
    protocols: { simple: { path: string; multipart: boolean } }
  }
}

export interface ApiRequest {
  method: string
  /** Absolute. */
  url: string
  /** Names in lower case. */
  headers: Readonly<Record<string, string>>
  body?: string | Uint8Array | undefined
}

export interface Checked {
  /** Undefined when no method has this verb and path. */
  method: Method | undefined
  mistakes: string[]
}

interface Parameter extends Schema {
  location: 'path' | 'query'
  required?: boolean
  repeated?: boolean
}

interface Schema {
  $ref?: string
  type?: string
  format?: string
  enum?: readonly string[]
  pattern?: string
  minimum?: string
  maximum?: string
  readOnly?: boolean
  properties?: Readonly<Record<string, Schema>>
  additionalProperties?: Schema
  items?: Schema
}

/** Reads a Discovery document (JSON file). */
export function openDiscovery(path: string): Discovery {
  const document = JSON.parse(readFileSync(path, 'utf8'))
  const schemas: Record<string, Schema> = document.schemas
  const methods = [...methodsOf(document)]
  const common = new Set(Object.keys(document.parameters ?? {}))
  const root = String(document.rootUrl).replace(/\/$/, '')

  return {
    root,
    methods,
    check(request) {
      const url = new URL(request.url)
      if (url.origin !== root) return { method: undefined, mistakes: [`goes to ${url.origin}, not to ${root}`] }
      const upload = url.pathname.startsWith('/upload/')
      const method = methods.find(
        (one) =>
          one.httpMethod === request.method && matches(upload ? uploadPath(one) : pathOf(document, one), url.pathname),
      )
      if (!method) return { method, mistakes: [`no method for ${request.method} ${url.pathname}`] }
      return {
        method,
        mistakes: [
          ...queryMistakes(method, url.searchParams, upload ? new Set([...common, 'uploadType']) : common),
          ...(upload ? uploadMistakes(schemas, method, url, request) : bodyMistakes(schemas, method, request)),
        ].map((text) => `${method.id}: ${text}`),
      }
    },
    sample(methodId) {
      const method = methods.find(({ id }) => id === methodId)
      return method?.response && sampleOf(schemas, method.response, 0)
    },
  }
}

function* methodsOf(resource: any): Generator<Method> {
  for (const method of Object.values<any>(resource.methods ?? {})) {
    yield { ...method, scopes: method.scopes ?? [], parameters: method.parameters ?? {} }
  }
  for (const inner of Object.values<any>(resource.resources ?? {})) yield* methodsOf(inner)
}

function pathOf(document: any, method: Method): string {
  return `/${document.servicePath ?? ''}${method.path}`
}

function uploadPath(method: Method): string {
  return method.mediaUpload?.protocols.simple.path ?? ''
}

/** `{field}` stands for one segment; an unencoded slash or an empty value does not match. */
function matches(template: string, pathname: string): boolean {
  const pattern = template
    .split(/\{\w+\}/)
    .map((text) => text.replace(/[.*+?^$()|[\]\\]/g, '\\$&'))
    .join('[^/]+')
  return new RegExp(`^${pattern}$`).test(pathname)
}

function queryMistakes(method: Method, query: URLSearchParams, common: ReadonlySet<string>): string[] {
  const mistakes: string[] = []
  for (const name of new Set(query.keys())) {
    const values = query.getAll(name)
    const parameter = method.parameters[name]
    if (parameter?.location !== 'query') {
      if (!common.has(name)) mistakes.push(`has no query parameter "${name}"`)
      continue
    }
    if (values.length > 1 && !parameter.repeated) mistakes.push(`takes "${name}" once, got ${values.length}`)
    for (const value of values) mistakes.push(...textMistakes(parameter, value, name))
  }
  for (const [name, parameter] of Object.entries(method.parameters)) {
    if (parameter.location === 'query' && parameter.required && !query.has(name)) mistakes.push(`needs "${name}"`)
  }
  return mistakes
}

function textMistakes(schema: Schema, value: string, name: string): string[] {
  const wrong = (expected: string) => [`"${name}" must be ${expected}, got "${value.slice(0, 60)}"`]
  if (schema.enum && !schema.enum.includes(value)) return wrong(`one of ${schema.enum.join(', ')}`)
  if (schema.type === 'boolean' && !/^(true|false)$/.test(value)) return wrong('true or false')
  if (schema.type === 'integer' || /^u?int(32|64)$/.test(schema.format ?? '')) {
    if (!/^-?\d+$/.test(value)) return wrong('a whole number')
    if (schema.minimum !== undefined && Number(value) < Number(schema.minimum))
      return wrong(`at least ${schema.minimum}`)
    if (schema.maximum !== undefined && Number(value) > Number(schema.maximum))
      return wrong(`at most ${schema.maximum}`)
  }
  if (schema.pattern && !new RegExp(schema.pattern).test(value)) return wrong(`like ${schema.pattern}`)
  return []
}

function bodyMistakes(schemas: Record<string, Schema>, method: Method, request: ApiRequest): string[] {
  const { body } = request
  if (body === undefined) return method.request ? ['needs a body'] : []
  if (!request.headers['content-type']?.startsWith('application/json')) return ['takes JSON']
  const value = JSON.parse(typeof body === 'string' ? body : Buffer.from(body).toString('utf8'))
  if (method.request) return valueMistakes(schemas, method.request, value, 'body')
  return Object.keys(value).length === 0 ? [] : ['takes no body']
}

/** The parts of a multipart upload: the resource as JSON, then the media. */
function uploadMistakes(schemas: Record<string, Schema>, method: Method, url: URL, request: ApiRequest): string[] {
  const upload = method.mediaUpload
  if (!upload?.protocols.simple.multipart) return ['takes no multipart upload']
  if (url.searchParams.get('uploadType') !== 'multipart') return ['needs uploadType=multipart']
  const boundary = /^multipart\/related;.*boundary="?([^";]+)"?/.exec(request.headers['content-type'] ?? '')?.[1]
  if (!boundary) return ['must be multipart/related with a boundary']
  const bytes = Buffer.from(request.body ?? '')
  if (upload.maxSize && bytes.length > Number(upload.maxSize))
    return [`takes ${upload.maxSize} bytes, got ${bytes.length}`]
  const parts = bytes.toString('latin1').split(`--${boundary}`)
  if (parts.length !== 4 || parts[0] !== '' || parts[3] !== '--\r\n')
    return [`must have two parts, got ${parts.length - 2}`]
  const [resource, media] = [parts[1], parts[2]].map((part = '') => {
    const end = part.indexOf('\r\n\r\n')
    return { head: part.slice(0, end).toLowerCase(), content: part.slice(end + 4, -2) }
  })
  const mistakes: string[] = []
  if (!resource?.head.includes('content-type: application/json')) mistakes.push('the first part must be JSON')
  else mistakes.push(...valueMistakes(schemas, method.request as Schema, JSON.parse(resource.content), 'body'))
  const type = /content-type: ([\w.+-]+\/)/.exec(media?.head ?? '')?.[1]
  if (!upload.accept.some((accepted) => accepted === '*/*' || accepted === `${type}*`))
    mistakes.push(`does not take ${type}`)
  if (!media?.content) mistakes.push('the second part is empty')
  return mistakes
}

function valueMistakes(schemas: Record<string, Schema>, given: Schema, value: unknown, at: string): string[] {
  const schema = resolved(schemas, given)
  const wrong = (expected: string) => [`${at} must be ${expected}, got ${JSON.stringify(value)?.slice(0, 60)}`]
  switch (schema.type) {
    case 'object':
      return typeof value === 'object' && value !== null && !Array.isArray(value)
        ? Object.entries(value).flatMap(([key, inner]) => {
            const known = schema.properties?.[key] ?? schema.additionalProperties
            return known ? valueMistakes(schemas, known, inner, `${at}.${key}`) : [`${at} has no field "${key}"`]
          })
        : wrong('an object')
    case 'array':
      return Array.isArray(value)
        ? value.flatMap((one, index) => valueMistakes(schemas, schema.items ?? {}, one, `${at}[${index}]`))
        : wrong('a list')
    case 'boolean':
      return typeof value === 'boolean' ? [] : wrong('true or false')
    case 'integer':
      return Number.isInteger(value) ? textMistakes(schema, String(value), at) : wrong('a whole number')
    case 'number':
      return typeof value === 'number' ? [] : wrong('a number')
    case 'string':
      if (typeof value !== 'string') return wrong('text')
      if (schema.format === 'byte' && !/^[A-Za-z0-9+/_-]*={0,2}$/.test(value)) return wrong('base64')
      return textMistakes(schema, value, at)
    default:
      return []
  }
}

function sampleOf(schemas: Record<string, Schema>, given: Schema, depth: number): any {
  const schema = resolved(schemas, given)
  if (depth > 6) return undefined
  switch (schema.type) {
    case 'object':
      return Object.fromEntries(
        Object.entries(schema.properties ?? {}).map(([key, inner]) => [key, sampleOf(schemas, inner, depth + 1)]),
      )
    case 'array':
      return [sampleOf(schemas, schema.items ?? {}, depth + 1)].filter((one) => one !== undefined)
    case 'boolean':
      return true
    case 'integer':
    case 'number':
      return 1
    default:
      if (schema.enum) return schema.enum[0]
      if (/^u?int(32|64)$/.test(schema.format ?? '')) return '1'
      return schema.format === 'byte' ? 'c2FtcGxl' : 'sample'
  }
}

function resolved(schemas: Record<string, Schema>, schema: Schema): Schema {
  return schema.$ref ? (schemas[schema.$ref] ?? {}) : schema
}
