export type Agent = 'claude-code' | 'cursor' | 'vscode' | 'codex' | 'rest'

export const AGENTS: readonly { value: Agent; label: string }[] = [
  { value: 'claude-code', label: 'Claude Code' },
  { value: 'cursor', label: 'Cursor' },
  { value: 'vscode', label: 'VS Code' },
  { value: 'codex', label: 'Codex' },
  { value: 'rest', label: 'REST' },
]

export interface SetupStep {
  /** What to do with it. */
  lead: string
  where: string
  code: string
}

export interface SetupFacts {
  /** MCP address. */
  url: string
  /** Bearer token, where it is known. */
  token: string | undefined
  /** Address of the gateway itself. */
  origin: string
  userId: string
  /** A tool that the user can run, for the REST example. */
  tool: string | undefined
}

export const TOKEN_PLACEHOLDER = 'YOUR_TOKEN'
const KEY_PLACEHOLDER = 'YOUR_API_KEY'

/** What to paste where, so that this agent uses this address. */
export function setupSteps(
  agent: Agent,
  { url, token = TOKEN_PLACEHOLDER, origin, userId, tool }: SetupFacts,
): SetupStep[] {
  switch (agent) {
    case 'claude-code':
      return [
        {
          lead: 'Run this once; add --scope user to have it in every project.',
          where: 'terminal',
          code: `claude mcp add --transport http patchbay ${url} \\\n  --header ${shellQuoted(`Authorization: Bearer ${token}`)}`,
        },
      ]
    case 'cursor':
      return [
        {
          lead: 'Add this to the file, or to .cursor/mcp.json of one project.',
          where: '~/.cursor/mcp.json',
          code: json({ mcpServers: { patchbay: { url, headers: { Authorization: `Bearer ${token}` } } } }),
        },
      ]
    case 'vscode':
      return [
        {
          lead: 'VS Code asks for the token once and keeps it in its secret storage.',
          where: '.vscode/mcp.json',
          code: json({
            servers: {
              patchbay: { type: 'http', url, headers: { Authorization: `Bearer ${INPUT_REFERENCE}` } },
            },
            inputs: [{ type: 'promptString', id: 'patchbay-token', description: 'Patchbay token', password: true }],
          }),
        },
      ]
    case 'codex':
      return [
        {
          lead: 'Codex reads the token from the environment.',
          where: '~/.codex/config.toml',
          code: `[mcp_servers.patchbay]\nurl = ${JSON.stringify(url)}\nbearer_token_env_var = "PATCHBAY_TOKEN"`,
        },
        {
          lead: 'Set it where Codex starts.',
          where: 'shell profile',
          code: `export PATCHBAY_TOKEN=${shellQuoted(token)}`,
        },
      ]
    case 'rest':
      return [
        {
          lead: 'With an API key from Settings. Any language works the same way; /docs has every route.',
          where: 'terminal',
          code: [
            `curl ${shellQuoted(`${origin}/api/tools/execute`)} \\`,
            `  -H ${shellQuoted(`X-API-Key: ${KEY_PLACEHOLDER}`)} \\`,
            `  -H 'Content-Type: application/json' \\`,
            `  -d ${shellQuoted(JSON.stringify({ user_id: userId, action: tool ?? 'TOOL_NAME', params: {} }))}`,
          ].join('\n'),
        },
      ]
  }
}

/** VS Code's own placeholder, filled in by it. */
const INPUT_REFERENCE = ['$', '{input:patchbay-token}'].join('')

function json(value: unknown): string {
  return JSON.stringify(value, null, 2)
}

/** One word for a POSIX shell, whatever it holds. */
export function shellQuoted(text: string): string {
  return text.includes("'") || !/["$`\\!]/.test(text) ? `"${text.replace(/["$`\\]/g, '\\$&')}"` : `'${text}'`
}
