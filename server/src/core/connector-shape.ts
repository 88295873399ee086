import { z } from 'zod'
import { type Connector, EFFECTS, type ScopeInfo, type Tool } from './connector.ts'
import { nearest } from './inputs.ts'
import type { Capture, ConnectionParam, Provider, Revocation } from './provider.ts'

/** A schema for every field of `Whole`, so that a field added to the type cannot be forgotten here. */
type Fields<Whole> = Record<keyof Required<Whole>, z.ZodType>

const text = z.string().min(1, 'must not be empty')
const texts = z.array(text)
const id = z
  .string()
  .regex(/^[a-z][a-z0-9-]{1,40}$/, 'must be 2 to 41 lower case letters, digits and hyphens, a letter first')
const address = z.string().regex(/^https?:\/\/[^/?#\s]+\S*$/, 'must be an http(s) address')
const texted = z.record(z.string(), z.string())
const effect = z.enum(EFFECTS)
const code = z.custom((value) => typeof value === 'function', 'must be a function')
const pattern = z.string().refine(isPattern, 'must be a regular expression')

const revocation = z.strictObject({
  method: z.enum(['POST', 'DELETE']),
  url: address,
  auth: z.enum(['none', 'client_basic', 'client_post', 'bearer']),
  token: z.strictObject({ in: z.enum(['form', 'json', 'query', 'none']), name: z.string() }),
  order: z.array(z.enum(['refresh', 'access'])),
  endsWholeGrant: z.boolean().optional(),
} satisfies Fields<Revocation>)

const capture = z.strictObject({
  key: text,
  from: z.enum(['callback', 'token']),
  path: text,
  pattern: pattern.optional(),
} satisfies Fields<Capture>)

const connectionParam = z.strictObject({
  key: text,
  label: text,
  required: z.boolean(),
  default: z.string().optional(),
  pattern,
  help: z.string().optional(),
} satisfies Fields<ConnectionParam>)

const separator = z.enum([' ', ',']).optional()

const provider = z.strictObject({
  id,
  name: text,
  issuer: z.string().nullable(),
  authorizeUrl: address,
  tokenUrl: address,
  revoke: revocation.optional(),
  clientAuth: z.enum(['basic', 'basic_encoded', 'post', 'none']),
  tokenBody: z.enum(['form', 'json']).optional(),
  pkce: z.enum(['S256', 'off']),
  scopeSeparator: separator,
  scopeSeparatorInReply: separator,
  scopeParams: texted.optional(),
  authorizeParams: texted.optional(),
  tokenParams: texted.optional(),
  refreshParams: texted.optional(),
  tokenHeaders: texted.optional(),
  renameParams: texted.optional(),
  errorWhen: z
    .strictObject({
      path: text,
      is: z.enum(['false', 'present', 'nonzero']),
      code: text,
      description: z.string().optional(),
    })
    .optional(),
  tokenAt: texted.refine((paths) => Object.keys(paths).length > 0, 'must name a token').optional(),
  capture: z.array(capture).optional(),
  connectionParams: z.array(connectionParam).optional(),
  refresh: z.strictObject({
    rotates: z.boolean(),
    graceSeconds: z.number().min(0),
    defaultExpiresIn: z.number().positive().optional(),
  }),
  identity: z.strictObject({ url: address, account: code }).optional(),
  errors: z.record(z.string(), z.enum(['transient', 'configuration', 'user', 'policy'])).optional(),
  setup: z.strictObject({ url: z.string(), steps: z.array(z.string()) }),
} satisfies Fields<Provider>)

const tool = z.strictObject({
  title: text,
  description: text,
  effect,
  idempotent: z.boolean().optional(),
  scopes: z.array(z.union([text, texts])),
  tokens: texts.min(1, 'must name a token').optional(),
  input: z.custom((value) => value instanceof z.ZodObject, 'must be made with z.object'),
  aliases: texts.optional(),
  paramAliases: texted.optional(),
  run: z.custom(
    (value) => typeof value === 'string' || typeof value === 'function',
    'must be a request line or a function',
  ),
  shape: code.optional(),
} satisfies Fields<Tool>)

const scope = z.strictObject({
  description: text,
  effect,
  token: text.optional(),
  includes: texts.optional(),
} satisfies Fields<ScopeInfo>)

const connector = z.strictObject({
  id,
  kind: z.literal('api'),
  name: text,
  description: text,
  category: text,
  provider,
  api: z
    .string()
    .regex(/^https:\/\/[^/?#\s]+(\/[^?#\s]*)?(?<!\/)$/, 'must be an https address without a trailing slash'),
  uploadHosts: z
    .array(z.string().regex(/^[a-z0-9.-]+(:\d+)?$/i, 'must be a host name, without https:// and path'))
    .optional(),
  headers: texted.optional(),
  scopes: z.record(z.string(), scope),
  identityScopes: texts,
  account: code,
  failure: code.optional(),
  tools: z.record(z.string(), tool).refine((tools) => Object.keys(tools).length > 0, 'must hold a tool'),
} satisfies Fields<Connector>)

const FIELDS = [connector, provider, tool, scope, revocation, connectionParam, capture].flatMap(({ shape }) =>
  Object.keys(shape),
)

/** What is amiss with the fields of a value that claims to be a connector: missing, misspelt, of the wrong type. */
export function shapeMistakes(value: unknown): string[] {
  const parsed = connector.safeParse(value)
  return parsed.success ? [] : parsed.error.issues.map((issue) => sentence(issue, value))
}

function sentence(issue: z.core.$ZodIssue, value: unknown): string {
  const at = issue.path.map(String).join('.')
  if (issue.code === 'unrecognized_keys') {
    return issue.keys
      .map((key) => {
        const near = nearest(key, FIELDS)
        return `${at ? `${at} ` : ''}has no field "${key}"${near ? `, did you mean "${near}"?` : ''}`
      })
      .join('; ')
  }
  const given = issue.path.reduce<unknown>(
    (part, key) => (part as Record<PropertyKey, unknown> | undefined)?.[key],
    value,
  )
  if (given === undefined) return at ? `lacks ${at}` : 'is no connector'
  if (issue.code === 'invalid_type') return `${at || 'it'} must be ${issue.expected}`
  if (issue.code === 'invalid_value')
    return `${at} must be one of ${issue.values.map((one) => JSON.stringify(one)).join(', ')}`
  if (issue.code === 'invalid_union') return `${at} must be a scope or a list of scopes`
  return `${at} ${issue.message}`
}

function isPattern(source: string): boolean {
  try {
    new RegExp(`^(?:${source})$`)
    return true
  } catch {
    return false
  }
}
