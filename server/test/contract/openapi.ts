import { OpenAPIBackend } from 'openapi-backend'

/**
 * An official OpenAPI 3 description as a stand-in for the service: it refuses, with the reason, every request the
 * description does not allow, and answers the others with the description's own example.
 *
 * Stricter than the description where those are lax by habit: a query parameter or a body field it does not name is
 * a mistake here, because services ignore what they do not know and a misspelt field would pass unseen.
 */
export interface Contract {
  /** What is wrong with a request; empty when the description allows it. */
  problems(request: ContractRequest): string[]
  /** For `directService`: throws ContractBreach on a problem, else answers the example. */
  fetch(url: string, init: RequestInit): Promise<Response>
}

interface ContractRequest {
  method: string
  /** Relative to the base address, still encoded, with the query. */
  path: string
  headers: Readonly<Record<string, string>>
  body?: string
}

export class ContractBreach extends Error {
  override readonly name = 'ContractBreach'
}

interface ContractOptions {
  /** Base address of the requests, without a trailing slash. */
  base: string
  definition: any
  /** Answers instead of an example, by operation: what a tool's next step needs. Bodies are JSON. */
  answers?: Readonly<Record<string, unknown>>
}

type Operation = any

export async function openApiContract({ base, definition, answers = {} }: ContractOptions): Promise<Contract> {
  regularise(definition)
  const backend: any = new OpenAPIBackend({
    definition,
    quick: true,
    ajvOpts: { strict: false, allErrors: true, logger: false },
  })
  await backend.init()
  const multiSegment = multiSegmentMatchers(definition)
  const resolve = (value: any): any => dereferenced(definition, value)

  /** The operation, and the path with the slashes inside one parameter encoded, as the router wants it. */
  function match(request: ContractRequest): { operation: Operation; path: string } | undefined {
    const [path = ''] = request.path.split('?')
    const exact = backend.router.matchOperation({ method: request.method, path, headers: {} })
    if (exact) return { operation: exact, path }
    for (const { method, pattern, template } of multiSegment) {
      const found = method === request.method.toLowerCase() ? pattern.exec(path) : null
      if (!found) continue
      const inside = found[2] === '' ? '.' : (found[2] as string).replaceAll('/', '%2F')
      const single = `${found[1]}${inside}`
      const operation = backend.router.matchOperation({ method, path: single, headers: {} })
      if (operation?.path.startsWith(template.slice(0, template.lastIndexOf('{')))) return { operation, path: single }
    }
    return undefined
  }

  function problems(request: ContractRequest): string[] {
    const matched = match(request)
    if (!matched) return [`no operation ${request.method} ${request.path}`]
    const { operation, path } = matched
    const query = request.path.split('?')[1]
    const wrong: string[] = []

    const type = request.headers['content-type']?.split(';')[0]
    const bodySpec = resolve(operation.requestBody)
    const media = bodySpec?.content?.[type ?? 'application/json']
    if (request.body !== undefined && !bodySpec) wrong.push('has a body where none is described')
    if (request.body !== undefined && bodySpec && !media)
      wrong.push(`has a body of type ${type}, which is not described`)
    if (request.body === undefined && bodySpec?.required) wrong.push('lacks its body')

    const result = backend.validator.validateRequest(
      {
        method: request.method,
        path: query === undefined ? path : `${path}?${query}`,
        headers: request.headers,
        ...(request.body !== undefined && { body: request.body }),
        ...(query !== undefined && { query }),
      },
      operation,
    )
    for (const error of result.errors ?? []) {
      wrong.push(`${error.instancePath || '/'} ${error.message} ${JSON.stringify(error.params)}`)
    }
    if (request.body !== undefined && media) {
      wrong.push(...undeclared(resolve, media.schema, JSON.parse(request.body), 'body'))
    }
    return wrong.map((text) => `${nameOf(operation)}: ${text}`)
  }

  return {
    problems,
    async fetch(url, init) {
      if (!url.startsWith(`${base}/`)) throw new ContractBreach(`${url} is not below ${base}`)
      const request: ContractRequest = {
        method: init.method ?? 'GET',
        path: url.slice(base.length),
        headers: init.headers as Record<string, string>,
        ...(init.body != null && { body: String(init.body) }),
      }
      const wrong = problems(request)
      if (wrong.length > 0) throw new ContractBreach(wrong.join('\n'))
      const operation = match(request)?.operation
      const [status, described] = success(operation, resolve)
      if (nameOf(operation) in answers) return Response.json(answers[nameOf(operation)], { status })
      const example = exampleOf(described, resolve)
      return example === undefined ? new Response(null, { status }) : Response.json(example, { status })
    },
  }
}

function nameOf(operation: Operation): string {
  return `${operation.method} ${operation.path}`
}

/** The lowest 2xx answer. */
function success(operation: Operation, resolve: (value: any) => any): [number, any] {
  const status = Object.keys(operation.responses)
    .filter((code) => /^2\d\d$/.test(code))
    .sort()[0]
  if (status === undefined) throw new ContractBreach(`${nameOf(operation)} describes no success`)
  return [Number(status), resolve(operation.responses[status])]
}

function exampleOf(response: any, resolve: (value: any) => any): unknown {
  const media = response.content?.['application/json']
  if (!media) return undefined
  if (media.example !== undefined) return media.example
  const first = resolve(Object.values(media.examples ?? {})[0])
  const value = resolve(first?.value)
  // GitHub has one example whose value points to another example instead of to a value.
  const wraps = value !== null && typeof value === 'object' && Object.keys(value)[0] === 'value'
  return wraps ? value.value : value
}

/**
 * Fields of a body that no branch of its schema names. Looks into objects and arrays as far as the schema describes
 * them; a schema that describes no properties allows any.
 */
function undeclared(resolve: (value: any) => any, schema: any, value: unknown, at: string): string[] {
  const branches = branchesOf(resolve, schema)
  if (Array.isArray(value)) {
    const items = branches.flatMap((branch) => (branch.items ? [branch.items] : []))
    if (items.length === 0) return []
    return value.flatMap((one, index) => undeclared(resolve, { anyOf: items }, one, `${at}[${index}]`))
  }
  if (value === null || typeof value !== 'object') return []
  const open = branches.every((branch) => !branch.properties) || branches.some((branch) => branch.additionalProperties)
  if (open) return []
  return Object.entries(value).flatMap(([name, inner]) => {
    const described = branches.flatMap((branch) => (branch.properties?.[name] ? [branch.properties[name]] : []))
    if (described.length === 0) return [`${at}.${name} is not described`]
    return undeclared(resolve, { anyOf: described }, inner, `${at}.${name}`)
  })
}

function branchesOf(resolve: (value: any) => any, schema: any): any[] {
  const plain = resolve(schema) ?? {}
  const inner = [...(plain.oneOf ?? []), ...(plain.anyOf ?? []), ...(plain.allOf ?? [])]
  return [plain, ...inner.flatMap((one: any) => branchesOf(resolve, one))].filter(
    (branch) => branch.properties || branch.items || branch.additionalProperties,
  )
}

function dereferenced(definition: any, value: any): any {
  let found = value
  while (found && typeof found === 'object' && typeof found.$ref === 'string') {
    found = found.$ref
      .slice(2)
      .split('/')
      .reduce((at: any, key: string) => at?.[key.replaceAll('~1', '/').replaceAll('~0', '~')], definition)
  }
  return found
}

/**
 * `nullable` without `type` is legal in OpenAPI 3.0 and common at GitHub, but does not compile as JSON Schema: null
 * becomes one more alternative instead.
 */
function regularise(value: any): void {
  if (value === null || typeof value !== 'object') return
  for (const inner of Object.values(value)) regularise(inner)
  if (Array.isArray(value) || value.nullable !== true || value.type !== undefined) return
  delete value.nullable
  const nothing = { enum: [null] }
  if (Array.isArray(value.oneOf)) value.oneOf.push(nothing)
  else if (Array.isArray(value.anyOf)) value.anyOf.push(nothing)
  else if (value.$ref !== undefined || value.allOf !== undefined) {
    const { $ref, allOf } = value
    delete value.$ref
    delete value.allOf
    value.anyOf = [$ref === undefined ? { allOf } : { $ref }, nothing]
  }
}

/** GitHub marks a parameter that may hold slashes with `x-multi-segment`; it is always the last of its path. */
function multiSegmentMatchers(definition: any): { method: string; pattern: RegExp; template: string }[] {
  return Object.entries<any>(definition.paths).flatMap(([template, item]) =>
    Object.entries<any>(item).flatMap(([method, operation]) => {
      const marked = operation?.parameters?.some((parameter: any) => parameter['x-multi-segment'])
      if (!marked || !template.endsWith('}')) return []
      const fixed = template.slice(0, template.lastIndexOf('{'))
      const pattern = fixed.replace(/[.*+?^$()|[\]\\]/g, '\\$&').replace(/\{\w+\}/g, '[^/]+')
      return [{ method, template, pattern: new RegExp(`^(${pattern})(.*)$`) }]
    }),
  )
}
