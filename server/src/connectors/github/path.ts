import type { Path } from '../../core/connector.ts'
import { PatchbayError } from '../../core/errors.ts'

/** Address below one repository. */
export function repositoryPath({ owner, repo }: { owner: string; repo: string }, rest = ''): Path {
  return `/repos/${segment('owner', owner)}/${segment('repo', repo)}${rest}`
}

/**
 * One path segment, percent-encoded whole: a branch `fix/login` becomes `fix%2Flogin`. Parts that mean a folder
 * (`.`, `..`, nothing) are refused, also between slashes, because a server may decode before it resolves.
 */
export function segment(field: string, value: string): string {
  return checkedParts(field, value).map(encodeURIComponent).join('%2F')
}

/** A file path: slashes stay, every part is encoded. Leading and trailing slashes are ignored; empty is the root. */
export function filePath(field: string, value: string): string {
  const trimmed = value.replace(/^\/+|\/+$/g, '')
  return trimmed === '' ? '' : checkedParts(field, trimmed).map(encodeURIComponent).join('/')
}

/** A file path that must name a file. */
export function requiredFilePath(field: string, value: string): string {
  const path = filePath(field, value)
  if (path === '') throw new PatchbayError('invalid_input', `\`${field}\` must name a file.`, { details: { field } })
  return path
}

function checkedParts(field: string, value: string): string[] {
  const parts = value.split('/')
  const wrong = parts.some((part) => part === '' || part === '.' || part === '..')
  if (wrong || /[\p{Cc}\\]/u.test(value)) {
    throw new PatchbayError(
      'invalid_input',
      `\`${field}\` may not be empty or hold "." or ".." or nothing between slashes, a backslash or control characters.`,
      { details: { field } },
    )
  }
  return parts
}
