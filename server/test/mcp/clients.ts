import { spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { Client as ClientV2, StreamableHTTPClientTransport as TransportV2 } from '@modelcontextprotocol/client'
import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport as TransportV1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js'

/** MCP clients that others wrote, behind one face, to be pointed at any instance address. */
export interface AgentClient {
  /** The protocol revision agreed on. */
  revision: string | undefined
  instructions: string | undefined
  serverName: string | undefined
  listTools(): Promise<SeenTool[]>
  /** Rejects on a protocol error; a tool's own failure is a result with `isError`. */
  callTool(name: string, args: Record<string, unknown>, signal?: AbortSignal): Promise<SeenResult>
  close(): Promise<void>
}

export interface SeenTool {
  name: string
  title?: string | undefined
  description?: string | undefined
  inputSchema: Record<string, unknown>
  annotations?: Record<string, unknown> | undefined
}

export interface SeenResult {
  isError: boolean
  /** All text blocks, joined. */
  text: string
  structured: unknown
  meta: Record<string, unknown>
}

/** Every SDK client and mode, by name, with the revision it should agree on. */
export const SDK_CLIENTS = [
  { name: 'SDK v1', revision: '2025-11-25', connect: connectV1 },
  { name: 'SDK v2, legacy', revision: '2025-11-25', connect: v2('legacy') },
  { name: 'SDK v2, auto', revision: '2026-07-28', connect: v2('auto') },
  { name: 'SDK v2, pinned to 2026-07-28', revision: '2026-07-28', connect: v2({ pin: '2026-07-28' }) },
] as const

async function connectV1(url: string, token: string): Promise<AgentClient> {
  const client = new ClientV1({ name: 'patchbay-test', version: '1' })
  const transport = new TransportV1(new URL(url), { requestInit: bearer(token) })
  // The SDK's own types disagree with themselves under exactOptionalPropertyTypes.
  await client.connect(transport as Parameters<typeof client.connect>[0])
  return {
    revision: transport.protocolVersion,
    instructions: client.getInstructions(),
    serverName: client.getServerVersion()?.name,
    listTools: async () => (await client.listTools()).tools,
    callTool: async (name, args, signal) =>
      seen(await client.callTool({ name, arguments: args }, undefined, signal && { signal })),
    close: () => client.close(),
  }
}

function v2(mode: 'legacy' | 'auto' | { pin: string }) {
  return async (url: string, token: string): Promise<AgentClient> => {
    const client = new ClientV2({ name: 'patchbay-test', version: '1' }, { versionNegotiation: { mode } })
    await client.connect(new TransportV2(new URL(url), { requestInit: bearer(token) }))
    return {
      revision: client.getNegotiatedProtocolVersion(),
      instructions: client.getInstructions(),
      serverName: client.getServerVersion()?.name,
      listTools: async () => (await client.listTools()).tools,
      callTool: async (name, args, signal) =>
        seen(await client.callTool({ name, arguments: args }, signal && { signal })),
      close: () => client.close(),
    }
  }
}

function bearer(token: string): RequestInit {
  return { headers: { authorization: `Bearer ${token}` } }
}

function seen(result: Record<string, unknown>): SeenResult {
  const content = (result['content'] ?? []) as { type: string; text?: string }[]
  return {
    isError: result['isError'] === true,
    text: content.map(({ text }) => text ?? '').join('\n'),
    structured: result['structuredContent'],
    meta: (result['_meta'] ?? {}) as Record<string, unknown>,
  }
}

/** What a run of the inspector printed and how it ended: 0 well, 3 not authorised, 4 unreachable, 5 tool error. */
export interface InspectorRun {
  code: number | null
  /** `result` of the JSON on standard output; undefined when it printed none. */
  result: Record<string, unknown> | undefined
  stderr: string
}

/** Runs the MCP Inspector's command line against an instance, as a process of its own with an empty home. */
export async function runInspector(
  url: string,
  token: string,
  args: readonly string[],
  era: 'legacy' | 'modern' = 'legacy',
): Promise<InspectorRun> {
  const home = await mkdtemp(join(tmpdir(), 'patchbay-inspector-'))
  try {
    const server = { type: 'streamable-http', url, headers: { Authorization: `Bearer ${token}` }, protocolEra: era }
    const config = join(home, 'mcp.json')
    await writeFile(config, JSON.stringify({ mcpServers: { patchbay: server } }))
    const chosen = ['--cli', '--config', config, '--server', 'patchbay', '--stored-auth-only', '--format', 'json']
    const child = spawn(process.execPath, [inspectorPath(), ...chosen, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { PATH: dirname(process.execPath), HOME: home },
    })
    let stdout = ''
    let stderr = ''
    child.stdout.on('data', (chunk) => (stdout += chunk))
    child.stderr.on('data', (chunk) => (stderr += chunk))
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once('error', reject)
      child.once('close', resolve)
    })
    return { code, result: stdout.trim() ? JSON.parse(stdout).result : undefined, stderr }
  } finally {
    await rm(home, { recursive: true, force: true })
  }
}

function inspectorPath(): string {
  const manifest = createRequire(import.meta.url).resolve('@modelcontextprotocol/inspector/package.json')
  return join(dirname(manifest), 'clients/launcher/build/index.js')
}
