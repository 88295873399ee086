/** Reads JSON Lines as they arrive. Leaving the loop early ends the download. Throws on a line that is not JSON. */
export async function* jsonLines<Item>(stream: ReadableStream<Uint8Array>): AsyncGenerator<Item, void, undefined> {
  const reader = stream.getReader()
  const decoder = new TextDecoder()
  let rest = ''
  try {
    for (;;) {
      const { done, value } = await reader.read()
      rest += done ? decoder.decode() : decoder.decode(value, { stream: true })
      const lines = rest.split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines) if (line.trim() !== '') yield JSON.parse(line) as Item
      if (done) break
    }
    if (rest.trim() !== '') yield JSON.parse(rest) as Item
  } finally {
    await reader.cancel().catch(() => undefined)
  }
}
