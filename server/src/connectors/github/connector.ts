import type { Account } from '../../core/connection.ts'
import { defineConnector, type Service } from '../../core/connector.ts'
import { githubProvider } from '../providers/github.ts'
import { branchTools } from './branches.ts'
import { commitFilesTools } from './commit-files.ts'
import { commitTools } from './commits.ts'
import { contentTools } from './contents.ts'
import { githubFailure } from './failure.ts'
import { gistTools } from './gists.ts'
import { issueTools } from './issues.ts'
import { peopleTools } from './people.ts'
import { pullTools } from './pulls.ts'
import { releaseTools } from './releases.ts'
import { repositoryTools } from './repositories.ts'
import { reviewTools } from './reviews.ts'
import { scopes } from './scopes.ts'
import { searchTools } from './search.ts'

export const github = defineConnector({
  id: 'github',
  kind: 'api',
  name: 'GitHub',
  description: 'Work with repositories, issues, pull requests, reviews and files on GitHub.',
  category: 'Developer tools',
  provider: githubProvider,
  api: 'https://api.github.com',
  headers: {
    accept: 'application/vnd.github+json',
    'x-github-api-version': '2022-11-28',
    // GitHub refuses requests without one.
    'user-agent': 'patchbay',
  },
  scopes,
  identityScopes: ['read:user', 'user:email'],
  account,
  failure: githubFailure,
  tools: {
    ...peopleTools,
    ...repositoryTools,
    ...issueTools,
    ...pullTools,
    ...reviewTools,
    ...contentTools,
    ...commitFilesTools,
    ...commitTools,
    ...branchTools,
    ...searchTools,
    ...releaseTools,
    ...gistTools,
  },
})

async function account(service: Service): Promise<Account> {
  const user = await service.get('/user')
  const email = user.email ?? (await primaryEmail(service))
  return {
    id: String(user.id),
    label: user.login,
    ...(email && { email }),
    ...(user.avatar_url && { avatarUrl: user.avatar_url }),
  }
}

/** The profile hides the address unless it is public. Best effort: a grant without `user:email` still connects. */
async function primaryEmail(service: Service): Promise<string | undefined> {
  try {
    const emails: any[] = await service.get('/user/emails')
    return emails.find((one) => one.primary && one.verified)?.email
  } catch {
    service.signal.throwIfAborted()
    return undefined
  }
}
