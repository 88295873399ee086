import { ContractBreach } from './openapi.ts'

/**
 * Slack's official description (Swagger 2.0, frozen in 2021) as a stand-in for its Web API. Slack takes a form POST
 * for every method, reads too, so only the arguments are compared: a method or an argument that neither the
 * description nor `newer` names is a mistake.
 */
export interface FormContract {
  problems(method: string, form: URLSearchParams): string[]
  fetch(url: string, init: RequestInit): Promise<Response>
}

export interface NewerMethod {
  /** Arguments beyond those described, with the kind of value each takes. */
  args: Readonly<Record<string, 'string' | 'integer' | 'boolean' | 'json'>>
  required?: readonly string[]
  /** The answer of a method the description lacks. */
  answer?: unknown
}

interface FormContractOptions {
  base: string
  definition: any
  newer: Readonly<Record<string, NewerMethod>>
  /** Answers instead of an example, by method. */
  answers?: Readonly<Record<string, unknown>>
}

export function slackContract({ base, definition, newer, answers = {} }: FormContractOptions): FormContract {
  function problems(method: string, form: URLSearchParams): string[] {
    const described = operationOf(definition, method)
    const added = newer[method]
    if (!described && !added?.answer) return [`no method ${method}`]
    const kinds: Record<string, string> = {}
    const required = [...(added?.required ?? [])]
    for (const parameter of described?.parameters ?? []) {
      // The token travels as a header.
      if (parameter.name === 'token') continue
      kinds[parameter.name] = parameter.type
      if (parameter.required) required.push(parameter.name)
    }
    Object.assign(kinds, added?.args)

    const wrong = required.flatMap((name) => (form.has(name) ? [] : [`lacks ${name}`]))
    for (const [name, value] of form) {
      const kind = kinds[name]
      if (kind === undefined) wrong.push(`has ${name}, which is not described`)
      else if (!fits(kind, value)) wrong.push(`has ${name}=${value}, which is no ${kind}`)
    }
    return wrong.map((text) => `${method}: ${text}`)
  }

  return {
    problems,
    async fetch(url, init) {
      const method = url.startsWith(`${base}/`) ? url.slice(base.length + 1) : undefined
      if (method === undefined || init.method !== 'POST')
        throw new ContractBreach(`${init.method} ${url} is no Web API call`)
      const headers = init.headers as Record<string, string>
      if (headers['content-type'] !== 'application/x-www-form-urlencoded') {
        throw new ContractBreach(`${method}: is sent as ${headers['content-type']}`)
      }
      const wrong = problems(method, new URLSearchParams(String(init.body ?? '')))
      if (wrong.length > 0) throw new ContractBreach(wrong.join('\n'))
      if (method in answers) return Response.json(answers[method])
      const answer =
        newer[method]?.answer ?? operationOf(definition, method).responses['200'].examples?.['application/json']
      return Response.json(answer ?? { ok: true })
    },
  }
}

function operationOf(definition: any, method: string): any {
  const item = definition.paths[`/${method}`]
  return item?.post ?? item?.get
}

function fits(kind: string, value: string): boolean {
  if (kind === 'boolean') return value === 'true' || value === 'false'
  if (kind === 'integer') return /^-?\d+$/.test(value)
  if (kind === 'number') return value !== '' && Number.isFinite(Number(value))
  if (kind !== 'json') return true
  try {
    JSON.parse(value)
    return true
  } catch {
    return false
  }
}
