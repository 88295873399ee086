/** A sentence in which `backticks` mark code, as tool descriptions and messages are written. */
export function InlineCode({ text }: { text: string }) {
  return text.split(/`([^`\n]+)`/).map((part, index) =>
    index % 2 === 1 ? (
      // biome-ignore lint/suspicious/noArrayIndexKey: the parts of one sentence never move
      <code key={index} className="rounded bg-hover px-1 font-mono text-[0.92em]">
        {part}
      </code>
    ) : (
      part
    ),
  )
}
