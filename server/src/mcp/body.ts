import type { IncomingMessage } from 'node:http'

/** The parsed body, or why there is none. */
export type ReadBody = { json: unknown } | { problem: 'too_large' | 'not_utf8' | 'not_json' | 'cut_off' }

/** Reads a JSON body of at most `maxBytes`, keeping nothing of a larger one. */
export async function readJson(request: IncomingMessage, maxBytes: number): Promise<ReadBody> {
  if (Number(request.headers['content-length']) > maxBytes) return { problem: 'too_large' }
  const chunks: Buffer[] = []
  let size = 0
  try {
    // The stream must outlive an early return: destroying it would cut the connection before our answer is out.
    for await (const chunk of request.iterator({ destroyOnReturn: false })) {
      size += chunk.length
      if (size > maxBytes) {
        request.resume()
        return { problem: 'too_large' }
      }
      chunks.push(chunk)
    }
  } catch {
    return { problem: 'cut_off' }
  }
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(chunks.length === 1 ? chunks[0] : Buffer.concat(chunks))
  } catch {
    return { problem: 'not_utf8' }
  }
  try {
    return { json: JSON.parse(text) }
  } catch {
    return { problem: 'not_json' }
  }
}
