/**
 * The one way out, as the core sees it. `net/` implements it with the address policy, pinned connections and
 * keep-alive pools; tests stand in for it to inject faults.
 */
export interface HttpRequest {
  method: string
  /** Absolute http(s) address. */
  url: string
  headers?: Record<string, string>
  body?: string | Uint8Array
  /** Ends the call when the caller goes away. */
  signal?: AbortSignal | undefined
  /** Whole exchange, milliseconds. */
  timeoutMs: number
  /** The answer is cut off with `too_large` beyond this many bytes (after decompression). */
  maxBytes: number
}

export interface HttpResponse {
  status: number
  /** Names in lower case; repeated headers joined with `, ` except `set-cookie`. */
  headers: Record<string, string>
  body: Buffer
}

/**
 * Sends one request. Redirects are never followed: a 3xx comes back as it is.
 * Throws PatchbayError `egress_refused`, `provider_unavailable`, `timeout`, `cancelled` or `too_large`.
 */
export type Http = (request: HttpRequest) => Promise<HttpResponse>
