import { createBrotliDecompress, createGunzip, createInflate, createZstdDecompress } from 'node:zlib'
import type { Dispatcher } from 'undici'

/** Encodings asked for with every request. */
export const ACCEPT_ENCODING = 'gzip, br, zstd'

/** How far compressed input may exceed the limit on its output: input that never yields any must end too. */
const COMPRESSED_SLACK_BYTES = 65_536

const DECODERS = {
  gzip: createGunzip,
  'x-gzip': createGunzip,
  br: createBrotliDecompress,
  zstd: createZstdDecompress,
  deflate: createInflate,
}
type Encoding = keyof typeof DECODERS
type Decoder = ReturnType<(typeof DECODERS)[Encoding]>

export type AnswerFault = 'too_large' | 'bad_encoding'

/** Takes an answer's bytes as they come and gives the decoded body, or stops at the first byte too many. */
export interface Answer {
  take(controller: Dispatcher.DispatchController, chunk: Buffer): void
  end(): void
  /** Frees the decoder of an answer given up. */
  drop(): void
}

/**
 * `encoding` is the content-encoding header. `finish` and `fail` are called once at most, and never after `drop`.
 * Backpressure of the decoder pauses the socket, so that no more than the limit is ever held.
 */
export function collectAnswer(
  encoding: string | undefined,
  maxBytes: number,
  finish: (body: Buffer) => void,
  fail: (fault: AnswerFault) => void,
): Answer {
  return encoding === undefined || encoding === '' || encoding === 'identity'
    ? collectPlain(maxBytes, finish, fail)
    : collectEncoded(encoding.trim().toLowerCase(), maxBytes, finish, fail)
}

function collectPlain(maxBytes: number, finish: (body: Buffer) => void, fail: (fault: AnswerFault) => void): Answer {
  let first: Buffer | undefined
  let more: Buffer[] | undefined
  let size = 0
  return {
    take(_controller, chunk) {
      size += chunk.length
      if (size > maxBytes) fail('too_large')
      else if (first === undefined) first = chunk
      else if (more === undefined) more = [first, chunk]
      else more.push(chunk)
    },
    end() {
      finish(more ? Buffer.concat(more, size) : (first ?? EMPTY))
    },
    drop() {
      first = undefined
      more = undefined
    },
  }
}

function collectEncoded(
  encoding: string,
  maxBytes: number,
  finish: (body: Buffer) => void,
  fail: (fault: AnswerFault) => void,
): Answer {
  let decoder: Decoder | undefined
  let chunks: Buffer[] = []
  let size = 0
  let received = 0
  let over = false

  function stop(fault: AnswerFault) {
    if (over) return
    over = true
    decoder?.destroy()
    chunks = []
    fail(fault)
  }

  function start(controller: Dispatcher.DispatchController, create: () => Decoder): Decoder {
    const started = create()
    started.on('data', (chunk: Buffer) => {
      if (over) return
      size += chunk.length
      if (size > maxBytes) stop('too_large')
      else chunks.push(chunk)
    })
    started.on('drain', () => controller.resume())
    started.on('error', () => stop('bad_encoding'))
    started.on('end', () => {
      if (over) return
      over = true
      finish(Buffer.concat(chunks, size))
    })
    return started
  }

  return {
    take(controller, chunk) {
      if (over) return
      received += chunk.length
      if (received > maxBytes + COMPRESSED_SLACK_BYTES) return stop('too_large')
      if (!decoder) {
        const create = Object.hasOwn(DECODERS, encoding) ? DECODERS[encoding as Encoding] : undefined
        if (!create) return stop('bad_encoding')
        decoder = start(controller, create)
      }
      if (!decoder.write(chunk)) controller.pause()
    },
    end() {
      if (over) return
      // Answers without a body (HEAD, 204, 304) may still name an encoding.
      if (decoder) decoder.end()
      else finish(EMPTY)
    },
    drop() {
      over = true
      decoder?.destroy()
      chunks = []
    },
  }
}

const EMPTY = Buffer.alloc(0)
