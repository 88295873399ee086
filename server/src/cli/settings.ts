import { SETTINGS } from '../config.ts'

/** The table of `docs/settings.md`. */
export function settingsTable(): string {
  const rows = SETTINGS.map(({ name, fallback, about }) => `| \`${name}\` | ${fallback} | ${about} |`)
  return [
    '| setting | default | what it does |',
    '| --- | --- | --- |',
    ...rows,
    '| `<PROVIDER>_CLIENT_ID`, `<PROVIDER>_CLIENT_SECRET` | (none) | OAuth app of a provider for every project, such as `GOOGLE_CLIENT_ID`. A project’s own app, entered on the page, goes first. |',
    '',
  ].join('\n')
}

export function printSettings(): void {
  console.log(settingsTable())
}
