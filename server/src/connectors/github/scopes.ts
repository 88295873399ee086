import type { ScopeInfo } from '../../core/connector.ts'

/**
 * Scopes of OAuth apps with their hierarchy. Public data needs none; GitHub has no scope that only reads private
 * repositories, so reading those needs `repo`, which can write too.
 * https://docs.github.com/en/apps/oauth-apps/building-oauth-apps/scopes-for-oauth-apps
 */
export const scopes = {
  'read:user': { description: 'Read your profile', effect: 'read' },
  'user:email': { description: 'Read your email addresses', effect: 'read' },
  'read:org': { description: 'See which organisations and teams you belong to', effect: 'read' },
  notifications: { description: 'Read your notifications and mark them as read', effect: 'write' },
  public_repo: { description: 'Read and change public repositories, and star them', effect: 'write' },
  repo: {
    description: 'Read and change all repositories you can reach, private ones included',
    effect: 'write',
    includes: ['public_repo', 'notifications'],
  },
  workflow: {
    description: 'Change GitHub Actions workflow files, besides the access to the repository',
    effect: 'write',
  },
  gist: { description: 'Create and change gists', effect: 'write' },
  delete_repo: { description: 'Delete repositories you administer', effect: 'destructive' },
} as const satisfies Record<string, ScopeInfo>

/** Changing a repository: `repo` reaches all, a grant of `public_repo` is enough for public ones. */
export const CHANGE = ['repo', 'public_repo'] as const
