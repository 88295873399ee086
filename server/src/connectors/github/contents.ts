import { z } from 'zod'
import { defineTools, type Service } from '../../core/connector.ts'
import { PatchbayError } from '../../core/errors.ts'
import { commitIdentities, isoTime, repository as where } from './fields.ts'
import { filePath, repositoryPath, requiredFilePath, segment } from './path.ts'
import { CHANGE, scopes } from './scopes.ts'

/** Characters of text one answer holds; the rest is read by lines. */
const MAX_TEXT = 100_000
/** Bytes of a file that is not text, before base64. */
const MAX_BINARY = 200_000
/** Largest file that is fetched at all; GitHub leaves files over 1 MB out of a contents answer. */
const MAX_FETCH = 10 * 1024 * 1024

const ref = z.string().min(1).optional().describe('Branch, tag or commit; default is the default branch')
const lines = {
  start_line: z.int().min(1).optional().describe('First line to answer of a text file'),
  end_line: z.int().min(1).optional().describe('Last line to answer of a text file'),
}
const branch = z.string().min(1).optional().describe('Branch to commit to; default is the default branch')
const path = z.string().min(1).describe('Path of the file in the repository, such as src/index.ts')

export const contentTools = defineTools(scopes, {
  GITHUB_GET_REPOSITORY_CONTENT: {
    title: 'Read a file or folder',
    description:
      'Reads a file as text, or lists a folder (`path` empty for the root). The answer’s `sha` is what changing or deleting the file needs. Long text is cut at 100,000 characters: `next_line` says where to go on with `start_line`. Files that are not text come as base64 up to 200 kB.',
    effect: 'read',
    scopes: [],
    aliases: ['GITHUB_GET_RAW_REPOSITORY_CONTENT'],
    input: z.object({
      ...where,
      path: z.string().default('').describe('Path in the repository; empty for the root folder'),
      ref,
      ...lines,
    }),
    run: async ({ owner, repo, path: inside, ref: at, ...range }, service) => {
      const address = repositoryPath({ owner, repo }, `/contents/${filePath('path', inside)}`)
      return contentAnswer(await service.get(address, { ref: at }), service, { owner, repo }, range)
    },
  },

  GITHUB_GET_A_REPOSITORY_README: {
    title: 'Read the README',
    description:
      'Reads a repository’s README as text, wherever it lies: the quickest way to learn what the repository is.',
    effect: 'read',
    scopes: [],
    input: z.object({ ...where, ref, ...lines }),
    run: async ({ owner, repo, ref: at, ...range }, service) => {
      const answer = await service.get(repositoryPath({ owner, repo }, '/readme'), { ref: at })
      return contentAnswer(answer, service, { owner, repo }, range)
    },
  },

  GITHUB_GET_A_TREE: {
    title: 'List files of a repository',
    description:
      'Lists a git tree: with `recursive`, every file of a branch or commit in one answer (paths and sizes). `truncated` means GitHub left some out: list folders one by one then.',
    effect: 'read',
    scopes: [],
    input: z.object({
      ...where,
      tree_sha: z.string().min(1).describe('Branch, tag, commit or tree SHA'),
      recursive: z.union([z.boolean(), z.string()]).optional().describe('Go into folders'),
    }),
    run: async ({ owner, repo, tree_sha, recursive }, service) => {
      const deep = recursive !== undefined && recursive !== false && !['', '0', 'false'].includes(String(recursive))
      const answer = await service.get(
        repositoryPath({ owner, repo }, `/git/trees/${segment('tree_sha', tree_sha)}`),
        // Any value at all, "0" and "false" too, means recursive to GitHub.
        deep ? { recursive: '1' } : undefined,
      )
      return {
        sha: answer.sha,
        truncated: answer.truncated === true,
        entries: (answer.tree ?? []).map((entry: any) => ({
          path: entry.path,
          type: ENTRY[entry.type] ?? entry.type,
          ...(entry.size !== undefined && { size: entry.size }),
          sha: entry.sha,
        })),
      }
    },
  },

  GITHUB_CREATE_OR_UPDATE_FILE_CONTENTS: {
    title: 'Write a file',
    description:
      'Creates a file, or replaces one, as a commit. To replace, pass the `sha` that GITHUB_GET_REPOSITORY_CONTENT answered: GitHub refuses when the file changed since. `content` is the whole new text. Several files at once: GITHUB_COMMIT_MULTIPLE_FILES.',
    effect: 'write',
    scopes: CHANGE,
    input: z.object({
      ...where,
      path,
      content: z.string().describe('The whole new content, plain text (or base64 with `encoding`)'),
      encoding: z.enum(['utf-8', 'base64']).default('utf-8').describe('base64 for files that are not text'),
      message: z.string().min(1).describe('Commit message'),
      sha: z.string().optional().describe('`sha` of the file being replaced; leave out for a new file'),
      branch,
      ...commitIdentities,
      author__date: isoTime.optional(),
      committer__date: isoTime.optional(),
    }),
    run: async (input, service) => {
      const { owner, repo, content, encoding, message, sha } = input
      const address = repositoryPath({ owner, repo }, `/contents/${requiredFilePath('path', input.path)}`)
      const answer = await service.put(address, {
        message,
        content: encoding === 'base64' ? checkedBase64(content) : Buffer.from(content, 'utf8').toString('base64'),
        sha,
        branch: input.branch,
        ...identities(input),
      })
      return written(answer)
    },
  },

  GITHUB_DELETE_A_FILE: {
    title: 'Delete a file',
    description:
      'Deletes one file as a commit; the history keeps it. With the `sha` of the file GitHub refuses when it changed since; without, whatever is there now is deleted.',
    effect: 'destructive',
    scopes: CHANGE,
    input: z.object({
      ...where,
      path,
      message: z.string().min(1).describe('Commit message'),
      sha: z.string().optional().describe('`sha` of the file, from GITHUB_GET_REPOSITORY_CONTENT'),
      branch,
      ...commitIdentities,
    }),
    run: async (input, service) => {
      const { owner, repo, message, branch: on } = input
      const address = repositoryPath({ owner, repo }, `/contents/${requiredFilePath('path', input.path)}`)
      const sha = input.sha ?? (await currentSha(service, address, on))
      const answer = await service.delete(address, { message, sha, branch: on, ...identities(input) })
      return { deleted: true, ...written(answer) }
    },
  },
})

const ENTRY: Readonly<Record<string, string>> = { blob: 'file', tree: 'dir', commit: 'submodule' }

async function contentAnswer(
  answer: any,
  service: Service,
  repository: { owner: string; repo: string },
  range: { start_line?: number | undefined; end_line?: number | undefined },
) {
  if (Array.isArray(answer)) {
    return {
      type: 'dir',
      entries: answer.map(({ name, path: at, type, size, sha }) => ({ name, path: at, type, size, sha })),
      // GitHub lists at most 1,000 files of a folder.
      ...(answer.length >= 1000 && { note: 'At most 1,000 entries are listed; GITHUB_GET_A_TREE lists all.' }),
    }
  }
  const { type, path: at, sha, size, html_url } = answer
  const facts = { type, path: at, sha, size, html_url }
  if (type === 'symlink') return { ...facts, target: answer.target }
  if (type === 'submodule') return { ...facts, submodule_git_url: answer.submodule_git_url }
  if (size > MAX_FETCH) {
    return { ...facts, content: null, note: `The file has ${size} bytes; only files up to ${MAX_FETCH} are read.` }
  }

  const whole =
    answer.encoding === 'base64' ? answer : await service.get(repositoryPath(repository, `/git/blobs/${sha}`))
  const data = Buffer.from(String(whole.content ?? ''), whole.encoding === 'utf-8' ? 'utf8' : 'base64')
  const text = asText(data)
  if (text !== undefined) return { ...facts, encoding: 'utf-8', ...textPart(text, range) }
  if (data.byteLength > MAX_BINARY) {
    return { ...facts, content: null, note: `Not text, and over ${MAX_BINARY} bytes: open html_url instead.` }
  }
  return { ...facts, encoding: 'base64', content: data.toString('base64') }
}

function asText(data: Uint8Array): string | undefined {
  if (data.includes(0)) return undefined
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(data)
  } catch {
    return undefined
  }
}

/** The lines asked for, whole, as far as they fit; `next_line` says where to go on. */
function textPart(text: string, range: { start_line?: number | undefined; end_line?: number | undefined }) {
  const from = range.start_line ?? 1
  if (range.end_line !== undefined && range.end_line < from) {
    throw new PatchbayError('invalid_input', '`end_line` must not be before `start_line`.', {
      details: { field: 'end_line' },
    })
  }
  if (text.length <= MAX_TEXT && range.start_line === undefined && range.end_line === undefined)
    return { content: text }

  const all = text.split('\n')
  const wanted = all.slice(from - 1, range.end_line)
  let length = 0
  let fits = 0
  while (fits < wanted.length && length + (wanted[fits] as string).length + 1 <= MAX_TEXT) {
    length += (wanted[fits] as string).length + 1
    fits++
  }
  // One line longer than the whole budget is cut inside: going on by lines could never pass it.
  const cutInside = fits === 0 && wanted.length > 0
  const content = cutInside ? (wanted[0] as string).slice(0, MAX_TEXT) : wanted.slice(0, fits).join('\n')
  const last = from - 1 + (cutInside ? 1 : fits)
  return {
    content,
    start_line: from,
    end_line: last,
    total_lines: all.length,
    ...(cutInside && { line_truncated: true }),
    ...(last < Math.min(range.end_line ?? all.length, all.length) && { truncated: true, next_line: last + 1 }),
  }
}

async function currentSha(service: Service, address: `/${string}`, branchName: string | undefined): Promise<string> {
  const answer = await service.get(address, { ref: branchName })
  if (typeof answer?.sha === 'string' && !Array.isArray(answer)) return answer.sha
  throw new PatchbayError('invalid_input', '`path` names a folder; only a single file can be deleted.', {
    details: { field: 'path' },
  })
}

export function checkedBase64(content: string): string {
  const compact = content.replace(/\s+/g, '')
  if (compact.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(compact)) return compact
  throw new PatchbayError('invalid_input', '`content` must be base64 when `encoding` says so.', {
    details: { field: 'content' },
  })
}

interface FlatIdentities {
  author__name?: string | undefined
  author__email?: string | undefined
  author__date?: string | undefined
  committer__name?: string | undefined
  committer__email?: string | undefined
  committer__date?: string | undefined
}

function identities(input: FlatIdentities): { author?: object; committer?: object } {
  const author = identity('author', input.author__name, input.author__email, input.author__date)
  const committer = identity('committer', input.committer__name, input.committer__email, input.committer__date)
  return { ...(author && { author }), ...(committer && { committer }) }
}

function identity(whose: string, name?: string, email?: string, date?: string): object | undefined {
  if (name === undefined && email === undefined && date === undefined) return undefined
  if (name === undefined || email === undefined) {
    throw new PatchbayError('invalid_input', `\`${whose}__name\` and \`${whose}__email\` go together.`, {
      details: { field: name === undefined ? `${whose}__name` : `${whose}__email` },
    })
  }
  return { name, email, ...(date !== undefined && { date }) }
}

function written(answer: any) {
  return {
    ...(answer?.content && { path: answer.content.path, sha: answer.content.sha, html_url: answer.content.html_url }),
    commit: { sha: answer?.commit?.sha, message: answer?.commit?.message, html_url: answer?.commit?.html_url },
  }
}
