import { PatchbayError } from '../core/errors.ts'
import type { AnswerFault } from './answer.ts'

/*
 * Transport failures in the product's words. The originals are left behind on purpose: a parser error carries
 * bytes of the answer, and those may be tokens.
 */

export function timedOut(host: string, timeoutMs: number, sent: boolean): PatchbayError {
  return new PatchbayError('timeout', `${host} did not answer within ${timeoutMs / 1000} s.`, {
    details: { host, sent },
  })
}

export function cancelled(host: string, sent: boolean): PatchbayError {
  return new PatchbayError('cancelled', `The call to ${host} was cancelled.`, { details: { host, sent } })
}

export function closedDoor(): PatchbayError {
  return new PatchbayError('shutting_down', 'The gateway is shutting down.', { details: { sent: false } })
}

export function invalidRequest(message: string): PatchbayError {
  return new PatchbayError('invalid_input', message, { details: { sent: false } })
}

export function answerFault(fault: AnswerFault, host: string, maxBytes: number, status: number): PatchbayError {
  if (fault === 'too_large') {
    return new PatchbayError('too_large', `The answer of ${host} is larger than ${maxBytes} bytes.`, {
      providerStatus: status,
      details: { host, limit: maxBytes, sent: true },
    })
  }
  return new PatchbayError('provider_unavailable', `The answer of ${host} could not be decompressed.`, {
    providerStatus: status,
    details: { host, sent: true, reason: 'content_encoding' },
  })
}

/** What undici or the socket reported. Our own refusals, raised while connecting, pass through unchanged. */
export function transportFault(error: Error & { code?: unknown }, host: string, sent: boolean): PatchbayError {
  if (error instanceof PatchbayError) return error
  const code = typeof error.code === 'string' ? error.code : 'UNKNOWN'
  const details = { host, sent, reason: code }

  if (code === 'UND_ERR_CONNECT_TIMEOUT') {
    return new PatchbayError('timeout', `${host} did not accept a connection in time.`, { details })
  }
  if (code === 'UND_ERR_HEADERS_OVERFLOW') {
    return new PatchbayError('too_large', `The headers of the answer of ${host} are too large.`, { details })
  }
  if (code === 'UND_ERR_DESTROYED' || code === 'UND_ERR_CLOSED') return closedDoor()
  if (code === 'UND_ERR_INVALID_ARG' || code === 'UND_ERR_NOT_SUPPORTED') {
    return invalidRequest(
      `The request to ${host} is not valid HTTP: a method, path or header holds a character it must not.`,
    )
  }
  if (/CERT|SELF_SIGNED|^ERR_TLS|^ERR_SSL|^UNABLE_TO_|^HOSTNAME_MISMATCH/.test(code)) {
    return new PatchbayError('provider_unavailable', `No trusted TLS connection to ${host} (${code}).`, { details })
  }
  if (sent) {
    return new PatchbayError(
      'provider_unavailable',
      `The connection to ${host} was lost before its answer was complete.`,
      {
        details,
      },
    )
  }
  return new PatchbayError('provider_unavailable', `${host} could not be reached (${code}).`, { details })
}
