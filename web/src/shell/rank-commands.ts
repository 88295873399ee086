/** What every typed word begins a word of, best first: label before detail, earlier before later. */
export function rankCommands<Item extends { label: string; detail: string }>(
  items: readonly Item[],
  query: string,
): Item[] {
  const words = query
    .toLowerCase()
    .split(/[\s_]+/)
    .filter(Boolean)
  if (words.length === 0) return [...items]
  return items
    .map((item, order) => ({ item, order, score: score(item, words) }))
    .filter(({ score }) => score > 0)
    .sort((a, b) => b.score - a.score || a.order - b.order)
    .map(({ item }) => item)
}

function score({ label, detail }: { label: string; detail: string }, words: readonly string[]): number {
  let total = 0
  for (const word of words) {
    const best = Math.max(wordScore(label, word) * 2, wordScore(detail, word))
    if (best === 0) return 0
    total += best
  }
  return total
}

function wordScore(text: string, word: string): number {
  const lower = text.toLowerCase()
  if (lower.startsWith(word)) return 3
  if (lower.split(/[\s_-]+/).some((part) => part.startsWith(word))) return 2
  return lower.includes(word) ? 1 : 0
}
