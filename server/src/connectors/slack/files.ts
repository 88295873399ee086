import { z } from 'zod'
import { defineTools } from '../../core/connector.ts'
import { PatchbayError } from '../../core/errors.ts'
import { call, list, unixSeconds } from './call.ts'
import { either, messageTs } from './fields.ts'
import { scopes } from './scopes.ts'
import { file } from './shapes.ts'

/** Decoded bytes one upload may have; larger files do not belong into a tool call. */
const MAX_UPLOAD_BYTES = 10 * 1024 * 1024

export const fileTools = defineTools(scopes, {
  SLACK_UPLOAD_OR_CREATE_A_FILE_IN_SLACK: {
    title: 'Upload a file',
    description:
      'Uploads a file, or creates a text snippet, and shares it in channels. Text goes into `content`, anything else base64-encoded into `file`. Without `channels` the file stays private to the app. Answers the file’s ID and permalink. At most 10 MB.',
    effect: 'write',
    scopes: ['files:write'],
    tokens: either,
    paramAliases: { channel: 'channels', channel_id: 'channels', content_base64: 'file', name: 'filename' },
    input: z.object({
      content: z.string().optional().describe('Text of the file'),
      file: z.string().optional().describe('Base64 of the file’s bytes, instead of `content`'),
      filename: z.string().min(1).max(255).optional().describe('Name with ending, such as report.csv'),
      title: z.string().optional().describe('Title shown in Slack; default is the name'),
      filetype: z.string().optional().describe('Snippet language of `content`, such as python or markdown'),
      channels: z.string().optional().describe('Comma-separated channel IDs to share it in'),
      thread_ts: messageTs.optional().describe('`ts` of a message to share it under, with one channel'),
      initial_comment: z.string().optional().describe('Message posted with the file'),
    }),
    run: async (input, service) => {
      const data = uploadBytes(input)
      const filename = input.filename ?? (input.content === undefined ? 'file' : 'snippet.txt')
      const channels = (input.channels ?? '').split(',').flatMap((id) => id.trim() || [])
      if (input.thread_ts !== undefined && channels.length !== 1) {
        throw new PatchbayError('invalid_input', '`thread_ts` needs exactly one channel in `channels`.', {
          details: { field: 'channels' },
        })
      }
      const { upload_url, file_id } = await call(service, 'files.getUploadURLExternal', {
        filename,
        length: data.byteLength,
        snippet_type: input.content === undefined ? undefined : input.filetype,
      })
      await service.upload(upload_url, data, 'application/octet-stream')
      const answer = await call(service, 'files.completeUploadExternal', {
        files: [{ id: file_id, title: input.title ?? filename }],
        channel_id: channels.length === 1 ? channels[0] : undefined,
        channels: channels.length > 1 ? channels.join(',') : undefined,
        initial_comment: input.initial_comment,
        thread_ts: input.thread_ts,
      })
      const uploaded = list(answer.files)[0]
      return { ...file({ name: filename, ...uploaded }), shared_in: channels }
    },
  },

  SLACK_LIST_FILES_WITH_FILTERS_IN_SLACK: {
    title: 'List files',
    description:
      'Lists files shared where the app is, newest first, by channel, person, time or kind. `next_page` is set when there is more.',
    effect: 'read',
    scopes: ['files:read'],
    tokens: either,
    paramAliases: { channel_id: 'channel', user_id: 'user', limit: 'count' },
    input: z.object({
      channel: z.string().optional().describe('Only files shared in this channel (ID)'),
      user: z.string().optional().describe('Only files of this person (user ID)'),
      types: z.string().optional().describe('Comma-separated: all, spaces, snippets, images, gdocs, zips, pdfs'),
      ts_from: z.union([z.string(), z.number()]).optional().describe('Created at or after (Unix seconds or ISO 8601)'),
      ts_to: z.union([z.string(), z.number()]).optional().describe('Created at or before (Unix seconds or ISO 8601)'),
      count: z.coerce.number().int().min(1).max(200).default(50).describe('Files per page'),
      page: z.coerce.number().int().min(1).max(100).default(1),
      show_files_hidden_by_limit: z.boolean().optional().describe('Include files beyond a free plan’s limit'),
    }),
    run: async ({ ts_from, ts_to, ...args }, service) => {
      const answer = await call(service, 'files.list', {
        ...args,
        ts_from: ts_from === undefined ? undefined : unixSeconds('ts_from', ts_from),
        ts_to: ts_to === undefined ? undefined : unixSeconds('ts_to', ts_to),
      })
      const { paging } = answer
      return {
        files: list(answer.files).map(file),
        total: paging?.total ?? null,
        next_page: paging && paging.page < paging.pages ? paging.page + 1 : null,
      }
    },
  },

  SLACK_DELETE_FILE: {
    title: 'Delete a file',
    description: 'Deletes a file for good, wherever it is shared. Apps may only delete files they uploaded.',
    effect: 'destructive',
    scopes: ['files:write'],
    tokens: either,
    aliases: ['SLACK_DELETE_A_FILE_BY_ID'],
    paramAliases: { file_id: 'file' },
    input: z.object({ file: z.string().min(1).describe('File ID (F…)') }),
    run: async (input, service) => {
      await call(service, 'files.delete', input)
      return { file: input.file, deleted: true }
    },
  },
})

function uploadBytes({
  content,
  file: base64,
}: {
  content?: string | undefined
  file?: string | undefined
}): Uint8Array {
  if ((content === undefined) === (base64 === undefined)) {
    throw new PatchbayError('invalid_input', 'Give the text in `content` or base64 in `file`, one of the two.', {
      details: { field: 'content' },
    })
  }
  if (base64 !== undefined && !/^[A-Za-z0-9+/_\s-]*={0,2}\s*$/.test(base64)) {
    throw new PatchbayError('invalid_input', '`file` must be base64.', { details: { field: 'file' } })
  }
  const data = base64 === undefined ? Buffer.from(content as string, 'utf8') : Buffer.from(base64, 'base64')
  if (data.byteLength === 0) {
    throw new PatchbayError('invalid_input', 'The file is empty; Slack does not take empty files.', {
      details: { field: base64 === undefined ? 'content' : 'file' },
    })
  }
  if (data.byteLength > MAX_UPLOAD_BYTES) {
    throw new PatchbayError(
      'too_large',
      `The file has ${data.byteLength} bytes; at most ${MAX_UPLOAD_BYTES} can be uploaded.`,
    )
  }
  return data
}
