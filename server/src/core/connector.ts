import type { z } from 'zod'
import type { Account } from './connection.ts'
import type { Provider } from './provider.ts'

/** What a service is, as data: where it lives, how a person connects it, what it can do. */
export interface Connector<Scope extends string = string> {
  /** Lower case, digits and hyphens; also the name in every address. */
  id: string
  kind: 'api'
  name: string
  /** One sentence for the card. */
  description: string
  category: string
  provider: Provider
  /**
   * The only base address this connector's credentials are sent to. May hold `{key}` of a connection parameter or
   * captured value.
   */
  api: string
  /** Other hosts a tool may reach without the credential (upload addresses the service hands out). */
  uploadHosts?: readonly string[]
  /** Sent with every request. */
  headers?: Readonly<Record<string, string>>
  /** Every scope the tools name, with what it lets an agent do. `token` says which of the provider's tokens carries it. */
  scopes: Readonly<Record<Scope, ScopeInfo>>
  /** Always asked for, so that the account can be named. */
  identityScopes: readonly NoInfer<Scope>[]
  /** Which account this is, asked once after connecting with the token just granted. */
  account: (service: Service, captured: Readonly<Record<string, string>>) => Promise<Account>
  /** The service's own words for a failure it answers with HTTP 200, or undefined. */
  failure?: (body: any) => Failure | undefined
  /** By full name, `CONNECTOR_VERB_NOUN`. */
  tools: Readonly<Record<string, Tool<any, NoInfer<Scope>>>>
}

export interface ScopeInfo {
  description: string
  effect: Effect
  /** Provider token that carries it; default `default`. */
  token?: string
  /** Scopes of this connector that a grant of this one includes. */
  includes?: readonly string[]
}

/** What a tool does to the account: drives MCP annotations, consent wording and default policy. */
export type Effect = 'read' | 'write' | 'destructive'
export const EFFECTS = ['read', 'write', 'destructive'] as const

export interface Tool<Input extends z.ZodObject = z.ZodObject, Scope extends string = string> {
  title: string
  /** For a model: when to use it, what comes back, what feeds the next call. */
  description: string
  effect: Effect
  /** Calling twice with the same input leaves the same state. */
  idempotent?: boolean
  /** The account must have granted one entry of the list; an entry that is a list needs all of its members. */
  scopes: readonly (Scope | readonly Scope[])[]
  /** Which of the provider's tokens authorises the call; the first one held wins. Default `['default']`. */
  tokens?: readonly string[]
  input: Input
  /** Other names this tool answers to. */
  aliases?: readonly string[]
  /** Other names its parameters answer to: `{ to: 'recipient_email' }`. */
  paramAliases?: Readonly<Record<string, keyof z.input<Input> & string>>
  /** `METHOD /path/{field}`, or a function where one request is not enough. */
  run: RequestLine | ((input: z.output<Input>, service: Service) => Promise<unknown>)
  /** Trims the answer of a request line to what an agent needs. */
  shape?: (answer: any) => unknown
}

export type RequestLine = `${Method} /${string}`
export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

/**
 * The connected service: base address, credential, retries, limits and errors already taken care of. Answers are
 * the service's JSON (`undefined` for an empty body); they are `any` because re-declaring other people's schemas
 * would say nothing the service does not.
 */
export interface Service {
  get(path: Path, query?: Query): Promise<any>
  post(path: Path, body?: unknown, options?: SendOptions): Promise<any>
  put(path: Path, body?: unknown, options?: SendOptions): Promise<any>
  patch(path: Path, body?: unknown, options?: SendOptions): Promise<any>
  delete(path: Path, body?: unknown, options?: SendOptions): Promise<any>
  /** A GET whose answer is not JSON: its bytes and type. */
  bytes(path: Path, query?: Query): Promise<{ data: Uint8Array; contentType: string }>
  /** Posts bytes, without the credential, to an address the service handed out on one of `uploadHosts`. */
  upload(url: string, data: Uint8Array, contentType: string): Promise<void>
  /** What is known of the connection; never a secret. */
  readonly account: Account | null
  /** Names of the tokens this connection holds. */
  readonly tokens: readonly string[]
  readonly signal: AbortSignal
}

/** Starts with `/`, relative to the base address. Encode what comes from the input: see `segment`. */
export type Path = `/${string}`
export type Query = Record<string, string | number | boolean | null | undefined | readonly (string | number)[]>

export interface SendOptions {
  query?: Query
  /**
   * `form` sends application/x-www-form-urlencoded instead of JSON. A body that is a `Uint8Array` is sent as it is,
   * whatever this says; name its type in `headers['content-type']`.
   */
  as?: 'json' | 'form'
  headers?: Record<string, string>
  /** Which of the provider's tokens to use, instead of the tool's. */
  token?: string
}

/** What a service said went wrong, in its own code. */
export interface Failure {
  code: string
  message?: string
  /** How the gateway treats it; default `rejected`. */
  as?: 'rejected' | 'unauthorized' | 'missing_scope' | 'rate_limited' | 'unavailable' | 'not_found'
  /** Scope the service says is missing. */
  scope?: string
}

/** Checks a connector's types where it is declared; returns it unchanged. */
export function defineConnector<const Scope extends string>(connector: Connector<Scope>): Connector<Scope> {
  return connector
}

/**
 * Checks a group of tools where it is declared: each `run` sees the input its own schema promises, and every scope
 * is one that the connector declares.
 */
export function defineTools<const Scope extends string, Inputs extends Record<string, z.ZodObject>>(
  _scopes: Readonly<Record<Scope, ScopeInfo>>,
  tools: { [Name in keyof Inputs]: Tool<Inputs[Name], NoInfer<Scope>> },
): Record<string, Tool<any, Scope>> {
  return tools as Record<string, Tool<any, Scope>>
}
