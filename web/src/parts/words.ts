/** `recipient_email` and `recipientEmail` as "Recipient email". */
export function inWords(name: string): string {
  const words = name
    .replace(/([a-z\d])([A-Z])/g, '$1 $2')
    .replace(/[_-]+/g, ' ')
    .trim()
    .toLowerCase()
    .replace(/\b(id|ids|url|urls|html|cc|bcc|sha|api|json|ts)\b/g, (word) => ABBREVIATIONS[word] ?? word)
  return words.charAt(0).toUpperCase() + words.slice(1)
}

/** Ends what stands alone as a sentence with its full stop. */
export function asSentence(text: string): string {
  return /[.!?…:]$/.test(text) ? text : `${text}.`
}

const ABBREVIATIONS: Record<string, string> = {
  id: 'ID',
  ids: 'IDs',
  url: 'URL',
  urls: 'URLs',
  html: 'HTML',
  cc: 'Cc',
  bcc: 'Bcc',
  sha: 'SHA',
  api: 'API',
  json: 'JSON',
}
