/** Characters of a body shown in a list; the single read shows it whole. */
const PREVIEW = 500
/** Characters of one file's diff. */
const PATCH = 8000

function login(raw: any): string | null {
  return raw?.login ?? null
}

export function repository(raw: any) {
  return {
    full_name: raw?.full_name,
    owner: login(raw?.owner),
    name: raw?.name,
    description: raw?.description ?? null,
    private: raw?.private,
    ...(raw?.fork && { fork: true }),
    ...(raw?.archived && { archived: true }),
    default_branch: raw?.default_branch,
    language: raw?.language ?? null,
    ...(raw?.topics?.length > 0 && { topics: raw.topics }),
    stars: raw?.stargazers_count,
    forks: raw?.forks_count,
    open_issues: raw?.open_issues_count,
    ...(raw?.permissions && { permissions: raw.permissions }),
    pushed_at: raw?.pushed_at ?? null,
    html_url: raw?.html_url,
  }
}

/** One repository in full: what differs from the list is only asked for there. */
export function repositoryDetails(raw: any) {
  return {
    ...repository(raw),
    homepage: raw?.homepage || null,
    license: raw?.license?.spdx_id ?? null,
    visibility: raw?.visibility,
    ...(raw?.parent && { parent: raw.parent.full_name }),
    has_issues: raw?.has_issues,
    allow_merge_commit: raw?.allow_merge_commit,
    allow_squash_merge: raw?.allow_squash_merge,
    allow_rebase_merge: raw?.allow_rebase_merge,
    clone_url: raw?.clone_url,
    created_at: raw?.created_at,
    updated_at: raw?.updated_at,
  }
}

export function issue(raw: any) {
  return {
    number: raw?.number,
    title: raw?.title,
    state: raw?.state,
    ...(raw?.state_reason && { state_reason: raw.state_reason }),
    ...(isPull(raw) && { is_pull_request: true, merged_at: raw.pull_request?.merged_at ?? null }),
    ...(raw?.draft && { draft: true }),
    ...(raw?.repository_url && { repository: String(raw.repository_url).split('/').slice(-2).join('/') }),
    author: login(raw?.user),
    labels: (raw?.labels ?? []).map((label: any) => (typeof label === 'string' ? label : label?.name)),
    assignees: (raw?.assignees ?? []).map(login),
    ...(raw?.milestone && { milestone: { number: raw.milestone.number, title: raw.milestone.title } }),
    comments: raw?.comments,
    created_at: raw?.created_at,
    updated_at: raw?.updated_at,
    closed_at: raw?.closed_at ?? null,
    html_url: raw?.html_url,
    ...preview(raw?.body),
  }
}

/** Lists and searches of issues hold pull requests too. */
function isPull(raw: any): boolean {
  return raw?.pull_request !== undefined || /\/pull\/\d+$/.test(raw?.html_url ?? '')
}

export function issueDetails(raw: any) {
  const { body_truncated: _, ...rest } = issue(raw) as Record<string, unknown>
  return {
    ...rest,
    body: raw?.body ?? null,
    ...(raw?.closed_by && { closed_by: login(raw.closed_by) }),
    ...(raw?.locked && { locked: true }),
  }
}

export function comment(raw: any) {
  return {
    id: raw?.id,
    author: login(raw?.user),
    body: raw?.body ?? '',
    created_at: raw?.created_at,
    updated_at: raw?.updated_at,
    html_url: raw?.html_url,
  }
}

export function pull(raw: any) {
  return {
    number: raw?.number,
    title: raw?.title,
    state: raw?.merged_at ? 'merged' : raw?.state,
    ...(raw?.draft && { draft: true }),
    author: login(raw?.user),
    head: { ref: raw?.head?.ref, sha: raw?.head?.sha, repository: raw?.head?.repo?.full_name ?? null },
    base: { ref: raw?.base?.ref, sha: raw?.base?.sha },
    labels: (raw?.labels ?? []).map((label: any) => label?.name),
    assignees: (raw?.assignees ?? []).map(login),
    requested_reviewers: (raw?.requested_reviewers ?? []).map(login),
    ...(raw?.requested_teams?.length > 0 && { requested_teams: raw.requested_teams.map((team: any) => team?.slug) }),
    created_at: raw?.created_at,
    updated_at: raw?.updated_at,
    merged_at: raw?.merged_at ?? null,
    closed_at: raw?.closed_at ?? null,
    html_url: raw?.html_url,
    ...preview(raw?.body),
  }
}

export function pullDetails(raw: any) {
  const { body_truncated: _, ...rest } = pull(raw) as Record<string, unknown>
  return {
    ...rest,
    body: raw?.body ?? null,
    // null while GitHub is still working it out; ask again a little later.
    mergeable: raw?.mergeable ?? null,
    mergeable_state: raw?.mergeable_state,
    ...(raw?.merged_by && { merged_by: login(raw.merged_by) }),
    ...(raw?.merge_commit_sha && { merge_commit_sha: raw.merge_commit_sha }),
    commits: raw?.commits,
    changed_files: raw?.changed_files,
    additions: raw?.additions,
    deletions: raw?.deletions,
    comments: raw?.comments,
    review_comments: raw?.review_comments,
  }
}

export function changedFile(raw: any) {
  const patch: string | undefined = raw?.patch
  return {
    filename: raw?.filename,
    ...(raw?.previous_filename && { previous_filename: raw.previous_filename }),
    status: raw?.status,
    additions: raw?.additions,
    deletions: raw?.deletions,
    ...(raw?.sha && { sha: raw.sha }),
    // Absent for binary and very large files.
    ...(patch !== undefined && { patch: patch.slice(0, PATCH) }),
    ...(patch !== undefined && patch.length > PATCH && { patch_truncated: true }),
  }
}

export function review(raw: any) {
  return {
    id: raw?.id,
    author: login(raw?.user),
    state: raw?.state,
    body: raw?.body ?? '',
    commit_id: raw?.commit_id,
    submitted_at: raw?.submitted_at ?? null,
    html_url: raw?.html_url,
  }
}

export function reviewComment(raw: any) {
  return {
    ...comment(raw),
    path: raw?.path,
    line: raw?.line ?? raw?.original_line ?? null,
    ...(raw?.start_line && { start_line: raw.start_line }),
    ...(raw?.side && { side: raw.side }),
    commit_id: raw?.commit_id,
    ...(raw?.in_reply_to_id && { in_reply_to_id: raw.in_reply_to_id }),
  }
}

export function commit(raw: any) {
  return {
    sha: raw?.sha,
    message: raw?.commit?.message ?? raw?.message,
    author: login(raw?.author) ?? raw?.commit?.author?.name ?? raw?.author?.name ?? null,
    date: raw?.commit?.author?.date ?? raw?.author?.date ?? null,
    parents: (raw?.parents ?? []).map((parent: any) => parent?.sha),
    html_url: raw?.html_url,
  }
}

export function release(raw: any) {
  return {
    id: raw?.id,
    tag_name: raw?.tag_name,
    name: raw?.name ?? null,
    ...(raw?.draft && { draft: true }),
    ...(raw?.prerelease && { prerelease: true }),
    target_commitish: raw?.target_commitish,
    author: login(raw?.author),
    published_at: raw?.published_at ?? null,
    assets: (raw?.assets ?? []).map((asset: any) => ({
      name: asset?.name,
      size: asset?.size,
      download_url: asset?.browser_download_url,
    })),
    html_url: raw?.html_url,
    ...preview(raw?.body, 4000),
  }
}

function preview(body: unknown, limit = PREVIEW) {
  if (typeof body !== 'string') return { body: null }
  if (body.length <= limit) return { body }
  return { body: body.slice(0, limit), body_truncated: true }
}
