import {
  type Connection,
  type ConnectMessage,
  type ConnectReply,
  type ConnectRequest,
  PatchbayApiError,
} from '@patchbay/sdk'
import { useEffect, useRef, useState } from 'react'
import { client } from '../session/client.ts'
import { isUsable } from './connection-state.ts'

export type FlowState =
  | { step: 'idle' }
  | { step: 'starting' }
  | { step: 'waiting'; flow: OpenFlow }
  | { step: 'failed'; error: unknown }

interface OpenFlow {
  userId: string
  connector: string
  reply: ConnectReply
  popup: Window
  /** Connections to this connector before, with the time of their last change. */
  before: ReadonlyMap<string, string>
}

interface Flow {
  state: FlowState
  /** Call it from a click: the window must open before anything is awaited, or the browser blocks it. */
  start: (request: Request) => void
  /** The provider's window is closed, or its pages cut it off from this one: the two look alike from here. */
  closed: boolean
  /** Brings the window of the provider to the front. */
  focus: () => void
  cancel: () => void
}

type Request = Omit<ConnectRequest, 'opener_origin' | 'redirect_url'>

/** Connecting in a popup, or in this window where popups are blocked. `onConnected` gets the finished connection. */
export function useConnectFlow(onConnected: (connection: Connection) => void): Flow {
  const [state, setState] = useState<FlowState>({ step: 'idle' })
  const closed = useClosed(state.step === 'waiting' ? state.flow.popup : undefined)
  /** Begun and left: opening the window again goes on with it, instead of leaving one more behind. */
  const left = useRef<string>(undefined)

  useEffect(() => {
    if (state.step !== 'waiting') return
    const stop = new AbortController()
    outcomeOf(state.flow, stop.signal).then(
      (connection) => {
        if (stop.signal.aborted) return
        state.flow.popup.close()
        setState({ step: 'idle' })
        onConnected(connection)
      },
      (error) => {
        if (stop.signal.aborted) return
        state.flow.popup.close()
        left.current = undefined
        setState({ step: 'failed', error })
      },
    )
    return () => stop.abort()
  }, [state, onConnected])

  const start = async (request: Request) => {
    const popup = openPopup()
    setState({ step: 'starting' })
    try {
      if (!popup) return await goThere(request)
      const { user_id: userId, provider: connector } = request
      const before = await client.connections.list({ user_id: userId, connector })
      const reply = await startForPopup({ ...request, ...(left.current && { connection_id: left.current }) })
      if (request.connection_id === undefined) left.current = reply.connection_id
      popup.location.href = reply.auth_url
      const changes = new Map(before.items.map(({ id, updated_at }) => [id, updated_at]))
      setState({ step: 'waiting', flow: { userId, connector, reply, popup, before: changes } })
    } catch (error) {
      popup?.close()
      left.current = undefined
      setState({ step: 'failed', error })
    }
  }

  return {
    state,
    closed,
    start: (request) => void start(request),
    focus: () => state.step === 'waiting' && state.flow.popup.focus(),
    cancel: () => {
      if (state.step === 'waiting') state.flow.popup.close()
      setState({ step: 'idle' })
    },
  }
}

const CLOSED_LOOKS = 2

/** A window that reports its outcome closes right after, so one look is not enough to say that somebody closed it. */
function useClosed(popup: Window | undefined): boolean {
  const [closed, setClosed] = useState(false)
  useEffect(() => {
    if (!popup) return
    let looks = 0
    const timer = setInterval(() => {
      looks = popup.closed ? looks + 1 : 0
      setClosed(looks >= CLOSED_LOOKS)
    }, 400)
    return () => {
      clearInterval(timer)
      setClosed(false)
    }
  }, [popup])
  return closed
}

/**
 * The outcome, by whichever way comes first: the popup's message, or looking. A provider whose pages cut the tie between
 * the windows lets no message through (and makes the popup look closed), so looking must be enough.
 */
async function outcomeOf(flow: OpenFlow, signal: AbortSignal): Promise<Connection> {
  const either = new AbortController()
  const ended = AbortSignal.any([signal, either.signal])
  try {
    return await Promise.race([told(flow, ended), seen(flow, ended)])
  } finally {
    either.abort()
  }
}

/** The popup's message. Only from the gateway's own origin, and only from that window. */
function told({ reply, popup, userId }: OpenFlow, signal: AbortSignal): Promise<Connection> {
  const origin = new URL(reply.auth_url, window.location.href).origin
  return new Promise((resolve, reject) => {
    const hear = (event: MessageEvent) => {
      const message = event.data as Partial<ConnectMessage> | null
      if (event.origin !== origin || event.source !== popup || message?.type !== 'patchbay:connect') return
      if (message.status === 'connected') {
        const id = message.connection_id ?? reply.connection_id
        client.connections.get(id, { user_id: userId }, { signal }).then(resolve, reject)
      } else {
        reject(message.error ? new PatchbayApiError(0, { retryable: false, ...message.error }) : notGranted())
      }
    }
    window.addEventListener('message', hear, { signal })
  })
}

async function seen({ reply, userId, connector, before }: OpenFlow, signal: AbortSignal): Promise<Connection> {
  const changedAfter = before.get(reply.connection_id)
  const timeoutMs = Math.max(0, Date.parse(reply.expires_at) - Date.now())
  try {
    return await client.waitForConnection(reply.connection_id, {
      user_id: userId,
      signal,
      timeoutMs,
      ...(changedAfter !== undefined && { changedAfter }),
    })
  } catch (error) {
    if (!(error instanceof PatchbayApiError) || error.code !== 'not_found') throw error
    // Gone: either refused, or the account was connected before and that connection took the grant.
    const now = await client.connections.list({ user_id: userId, connector }, { signal })
    const taker = now.items.find((one) => before.has(one.id) && before.get(one.id) !== one.updated_at && isUsable(one))
    if (taker) return taker
    await new Promise((resolve) => setTimeout(resolve, MESSAGE_HEADSTART_MS))
    throw notGranted()
  }
}

/** The popup's message knows why, so it may be a little later than what looking finds. */
const MESSAGE_HEADSTART_MS = 2000

function openPopup(): Window | null {
  const width = 560
  const height = 740
  const left = Math.max(0, window.screenX + (window.outerWidth - width) / 2)
  const top = Math.max(0, window.screenY + (window.outerHeight - height) / 2)
  return window.open('', '_blank', `popup,width=${width},height=${height},left=${left},top=${top}`)
}

/** Where the gateway does not know this page's origin no message will come; looking finds the outcome all the same. */
async function startForPopup(request: Request): Promise<ConnectReply> {
  try {
    return await client.connect({ ...request, opener_origin: window.location.origin })
  } catch (error) {
    if (error instanceof PatchbayApiError && error.message.includes('opener_origin')) return client.connect(request)
    throw error
  }
}

/** No popup: the whole window goes, and comes back where the project allows that, else ends on the gateway's page. */
async function goThere(request: Request): Promise<void> {
  const back = `${window.location.origin}/connectors`
  const reply = await client.connect({ ...request, redirect_url: back }).catch((error) => {
    if (error instanceof PatchbayApiError && error.message.includes('redirect_url')) return client.connect(request)
    throw error
  })
  window.location.assign(reply.auth_url)
}

function notGranted(): PatchbayApiError {
  return new PatchbayApiError(0, {
    code: 'oauth_failed',
    message: 'The service did not give access.',
    retryable: false,
    fix: { action: 'Connect again and allow access in the window that opens. Events has the details.' },
  })
}
