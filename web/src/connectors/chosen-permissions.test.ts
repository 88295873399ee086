import type { ConnectorDetail, Effect, ToolSummary } from '@patchbay/sdk'
import { expect, test } from 'vitest'
import { chosenTools, permissionsInWords, toolsToAsk } from './chosen-permissions.ts'

const tool = (name: string, effect: Effect, scopes: ToolSummary['scopes']) => ({ name, effect, scopes }) as ToolSummary
const mail = {
  scopes: [
    { name: 'all', description: 'Everything', effect: 'write' },
    { name: 'read', description: 'Read mail', effect: 'read' },
    { name: 'send', description: 'Send mail', effect: 'write' },
    { name: 'files', description: 'Read files', effect: 'read' },
  ],
  tools: [
    tool('READ', 'read', ['read', 'all']),
    tool('SEND', 'write', ['send', 'all']),
    tool('ATTACH', 'write', [['send', 'files']]),
    tool('PROFILE', 'read', []),
  ],
} as unknown as ConnectorDetail
const names = (tools: readonly ToolSummary[]) => tools.map(({ name }) => name)

test('the default asks for nothing beyond the read-only minimum', () => {
  expect(toolsToAsk('read', new Set(['SEND']))).toBeUndefined()
  expect(names(chosenTools(mail, 'read', new Set(['SEND'])))).toEqual(['READ', 'PROFILE'])
})

test('read and write asks for every tool, a pick for exactly the picked ones', () => {
  expect(toolsToAsk('write', new Set())).toEqual(['*'])
  expect(toolsToAsk('pick', new Set(['SEND', 'READ']))).toEqual(['READ', 'SEND'])
  expect(names(chosenTools(mail, 'pick', new Set(['SEND'])))).toEqual(['SEND'])
})

test('permissions are told in words, each once, all members of a combined one', () => {
  expect(permissionsInWords(mail, mail.tools)).toEqual(['Read mail', 'Send mail', 'Read files'])
  expect(permissionsInWords(mail, chosenTools(mail, 'read', new Set()))).toEqual(['Read mail'])
})
