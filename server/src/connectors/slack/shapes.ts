import { list } from './call.ts'

/** What an agent needs of a message: who, when, what, and the keys to act on it. */
export function message(raw: any) {
  const edited = raw?.edited?.ts
  return {
    ts: raw?.ts,
    ...(raw?.channel !== undefined && { channel: raw.channel?.id ?? raw.channel }),
    ...(raw?.user && { user: raw.user }),
    ...(raw?.bot_id && { bot_id: raw.bot_id }),
    ...(raw?.username && { username: raw.username }),
    ...(raw?.subtype && { subtype: raw.subtype }),
    text: readableText(raw),
    ...(raw?.thread_ts && { thread_ts: raw.thread_ts }),
    ...(raw?.reply_count && { reply_count: raw.reply_count }),
    ...(raw?.latest_reply && { latest_reply: raw.latest_reply }),
    ...(edited && { edited_ts: edited }),
    ...(list(raw?.reactions).length > 0 && { reactions: list(raw.reactions).map(reaction) }),
    ...(list(raw?.files).length > 0 && { files: list(raw.files).map(file) }),
    ...(raw?.permalink && { permalink: raw.permalink }),
  }
}

/** Apps often post blocks or attachments with an empty `text`; their words are gathered then. */
function readableText(raw: any): string {
  if (typeof raw?.text === 'string' && raw.text !== '') return raw.text
  const words: string[] = []
  gatherText(raw?.blocks, words)
  for (const attachment of list(raw?.attachments)) {
    const said = [attachment?.pretext, attachment?.title, attachment?.text].filter(
      (part) => typeof part === 'string' && part,
    )
    if (said.length > 0) words.push(...said)
    else if (attachment?.fallback) words.push(String(attachment.fallback))
    gatherText(attachment?.blocks, words)
  }
  return words.join('\n')
}

function gatherText(value: unknown, into: string[], depth = 0): void {
  // Rich text nests five levels; deeper is not something a person wrote.
  if (depth > 12 || value === null || typeof value !== 'object') return
  if (Array.isArray(value)) {
    for (const one of value) gatherText(one, into, depth + 1)
    return
  }
  for (const [key, inner] of Object.entries(value)) {
    if (key === 'text' && typeof inner === 'string') into.push(inner)
    else gatherText(inner, into, depth + 1)
  }
}

export function reaction(raw: any) {
  return { name: raw?.name, count: raw?.count, ...(Array.isArray(raw?.users) && { users: raw.users }) }
}

export function channel(raw: any) {
  return {
    id: raw?.id,
    ...(raw?.name && { name: raw.name }),
    type: raw?.is_im ? 'im' : raw?.is_mpim ? 'mpim' : raw?.is_private ? 'private_channel' : 'public_channel',
    ...(raw?.user && { user: raw.user }),
    ...(raw?.is_member !== undefined && { is_member: raw.is_member }),
    ...(raw?.is_archived && { is_archived: true }),
    ...(raw?.is_general && { is_general: true }),
    ...(raw?.topic?.value && { topic: raw.topic.value }),
    ...(raw?.purpose?.value && { purpose: raw.purpose.value }),
    ...(raw?.num_members !== undefined && { num_members: raw.num_members }),
    ...(raw?.created !== undefined && { created: raw.created }),
    ...(raw?.creator && { creator: raw.creator }),
  }
}

export function person(raw: any) {
  const profile = raw?.profile ?? {}
  return {
    id: raw?.id,
    name: raw?.name,
    real_name: raw?.real_name || profile.real_name || undefined,
    display_name: profile.display_name || undefined,
    email: profile.email || undefined,
    title: profile.title || undefined,
    status_text: profile.status_text || undefined,
    tz: raw?.tz || undefined,
    ...(raw?.locale && { locale: raw.locale }),
    is_bot: raw?.is_bot === true,
    ...(raw?.deleted && { deleted: true }),
    ...(raw?.is_admin && { is_admin: true }),
    ...(raw?.is_restricted && { is_restricted: true }),
  }
}

export function file(raw: any) {
  return {
    id: raw?.id,
    name: raw?.name,
    ...(raw?.title && raw.title !== raw.name && { title: raw.title }),
    ...(raw?.mimetype && { mimetype: raw.mimetype }),
    ...(raw?.size !== undefined && { size: raw.size }),
    ...(raw?.user && { user: raw.user }),
    ...(raw?.created !== undefined && { created: raw.created }),
    ...(raw?.permalink && { permalink: raw.permalink }),
    ...(list(raw?.channels).length > 0 && { channels: raw.channels }),
  }
}
