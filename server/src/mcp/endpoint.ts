import type { IncomingMessage, ServerResponse } from 'node:http'
import { asPatchbayError, errorBody } from '../core/errors.ts'
import type { Gateway } from '../core/gateway.ts'
import { admitted, type McpRequestOptions } from './admission.ts'
import { directAnswer, directRequest } from './direct.ts'
import { type Exchange, INTERNAL_ERROR, INVALID_REQUEST } from './exchange.ts'
import { batchRefusal, cancelledId, methodOf, requestId, webRequest } from './message.ts'
import { originCheck } from './origin.ts'
import { replyJson, replyWeb, rpcError } from './reply.ts'
import { createRunning, runningKey } from './running.ts'
import type { SdkServer } from './sdk-server.ts'

export interface McpEndpointOptions {
  gateway: Gateway
  /** The gateway's own address, as people type it. */
  publicUrl: string
  version: string
  /** Most bytes of a body (default 4 MiB) and messages of a batch (default 20). */
  limits?: { bodyBytes?: number; batch?: number }
  /** Origins of web pages that may use the endpoint, beside the gateway's own. */
  allowedOrigins?: readonly string[]
  /** What went wrong inside, for the log; a client is told only the request id. */
  onError?: (error: unknown, about: { requestId: string; instanceId: string }) => void
}

export interface McpEndpoint {
  /** Answers one HTTP request of any method. Never throws. */
  handle(request: IncomingMessage, response: ServerResponse, about: McpRequestOptions): Promise<void>
  /** Refuses new requests, cancels those under way and resolves when they have ended. */
  close(): Promise<void>
}

/**
 * `/:instanceId/mcp`: one user's tools over Streamable HTTP, for clients of 2026-07-28 and for those that open with
 * `initialize`, back to 2025-03-26. Nothing is kept between requests, so any replica may answer any of them.
 */
export function createMcpEndpoint(options: McpEndpointOptions): McpEndpoint {
  const { gateway, publicUrl, version, limits, onError } = options
  let closed = false
  const door = {
    gateway,
    maxBytes: limits?.bodyBytes ?? 4 * 1024 * 1024,
    mayCall: originCheck(publicUrl, options.allowedOrigins ?? []),
    isClosed: () => closed,
  }
  const server = { name: 'patchbay', title: 'Patchbay', version, websiteUrl: publicUrl }
  const running = createRunning()
  let sdk: Promise<SdkServer> | undefined

  return {
    async handle(request, response, about) {
      try {
        response.setHeader('x-request-id', about.requestId)
        const asked = await admitted(door, request, response, about)
        if (asked) await answer(request, response, about, asked)
      } catch (error) {
        onError?.(error, about)
        const data = errorBody(asPatchbayError(error), about.requestId)
        replyJson(response, 500, rpcError({ code: INTERNAL_ERROR, message: data.message, data }))
      }
    },
    async close() {
      closed = true
      await running.stop()
      await (await sdk)?.close()
    },
  }

  async function answer(
    request: IncomingMessage,
    response: ServerResponse,
    about: McpRequestOptions,
    { caller, instance, message }: NonNullable<Awaited<ReturnType<typeof admitted>>>,
  ): Promise<void> {
    const refusal = batchRefusal(message, header(request, 'mcp-protocol-version'), limits?.batch ?? 20)
    if (refusal) return replyJson(response, 400, rpcError({ code: INVALID_REQUEST, message: refusal }))

    const session = header(request, 'mcp-session-id')
    const cancelled = cancelledId(message)
    if (session && cancelled !== undefined) running.cancel(runningKey(instance.id, session, cancelled))

    const id = requestId(message)
    const run = running.begin(session && id !== undefined ? runningKey(instance.id, session, id) : null)
    response.once('close', run.abort)
    if (response.destroyed) run.abort()
    try {
      const exchange: Exchange = {
        gateway,
        caller,
        userId: instance.userId,
        instanceId: instance.id,
        requestId: about.requestId,
        server,
        signal: run.signal,
        report: (error) => onError?.(error, about),
      }
      const direct = directRequest(request.headers, message)
      if (direct) return replyJson(response, 200, await directAnswer(exchange, direct))
      const reply = await (await sdkServer()).answer(webRequest(request, message, run.signal), message, exchange)
      // Only a name for `notifications/cancelled` to find its request by: no session is kept, and none is asked for.
      const opened = methodOf(message) === 'initialize' && reply.ok
      await replyWeb(response, reply, opened ? { 'mcp-session-id': crypto.randomUUID() } : {})
    } finally {
      response.off('close', run.abort)
      run.end()
    }
  }

  /** Loaded with the first message that needs it: 20 MB and tens of milliseconds that a start need not spend. */
  function sdkServer(): Promise<SdkServer> {
    sdk ??= import('./sdk-server.ts').then(({ createSdkServer }) => createSdkServer())
    return sdk
  }
}

/** A header sent once; undefined when it was not sent. */
function header(request: IncomingMessage, name: string): string | undefined {
  const value = request.headers[name]
  return typeof value === 'string' ? value : undefined
}
