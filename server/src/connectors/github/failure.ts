import type { Failure } from '../../core/connector.ts'

/**
 * GitHub's error envelope: `{message, documentation_url, errors?, status?}`. Answers that succeeded may hold a
 * `message` too (a commit, a merge), but never together with `documentation_url`.
 * https://docs.github.com/en/rest/using-the-rest-api/troubleshooting-the-rest-api
 */
export function githubFailure(body: any): Failure | undefined {
  if (typeof body?.message !== 'string' || typeof body.documentation_url !== 'string') return undefined
  const said: string = [body.message, ...problems(body.errors)].join('. ').slice(0, 600)
  if (/rate limit|abuse detection/i.test(body.message))
    return { code: 'rate_limited', message: said, as: 'rate_limited' }
  if (/^(Bad credentials|Requires authentication)/i.test(body.message)) {
    return { code: 'bad_credentials', message: said, as: 'unauthorized' }
  }
  if (/without [`'"]?workflow[`'"]? scope/i.test(said)) {
    return { code: 'missing_scope', message: said, as: 'missing_scope', scope: 'workflow' }
  }
  if (/^Must have admin rights/i.test(body.message)) {
    return { code: 'forbidden', message: `${said}. The connected account does not administer this repository.` }
  }
  if (/^Not Found$/i.test(body.message)) {
    return {
      code: 'not_found',
      as: 'not_found',
      message:
        'Not found, or hidden from this connection. Check owner, repo and number; a private repository also needs the permission `repo`, and an organisation may have to approve the app.',
    }
  }
  return { code: codeOf(body.message), message: said }
}

/** `Validation Failed` lists what is wrong under `errors`, as sentences or as resource, field and code. */
function problems(errors: unknown): string[] {
  if (!Array.isArray(errors)) return typeof errors === 'string' ? [errors] : []
  return errors.slice(0, 5).flatMap((one) => {
    if (typeof one === 'string') return [one]
    if (typeof one?.message === 'string') return [one.field ? `${one.field}: ${one.message}` : one.message]
    if (one?.field && one?.code) return [`${one.field}: ${String(one.code).replaceAll('_', ' ')}`]
    return []
  })
}

function codeOf(message: string): string {
  const words = message.toLowerCase().match(/[a-z0-9]+/g) ?? []
  return words.slice(0, 4).join('_') || 'refused'
}
