import type { Policy } from '@patchbay/sdk'
import { expect, test } from 'vitest'
import { policyForm, policyInWords, policyOf } from './policy-words.ts'

test.each<[Policy, string]>([
  [{}, 'No limits'],
  [{ effects: ['read'] }, 'Read only'],
  [{ effects: ['read', 'write'] }, 'Nothing destructive'],
  [{ effects: [] }, 'No tools'],
  [{ effects: ['read'], connectors: ['gmail', 'slack'] }, 'Read only · only gmail, slack'],
  [{ connectors: [] }, 'no connectors'],
  [{ tools: ['A', 'B', 'C', 'D'], deny_tools: ['E_*'] }, '4 tools · not E_*'],
])('%j reads as "%s"', (policy, words) => {
  expect(policyInWords(policy)).toBe(words)
})

test.each<[Policy]>([
  [{}],
  [{ effects: ['read'] }],
  [{ effects: ['read', 'write'], connectors: ['gmail'] }],
  [{ tools: ['GMAIL_*', 'SLACK_SEND_MESSAGE'], deny_tools: ['GMAIL_TRASH'] }],
])('%j survives being edited without a change', (policy) => {
  expect(policyOf(policyForm(policy))).toEqual(policy)
})

test('typed names may be separated any way and in any case', () => {
  const form = {
    effects: 'all' as const,
    connectors: new Set<string>(),
    tools: 'gmail_send, GMAIL_SEND\n slack_*',
    denyTools: '',
  }
  expect(policyOf(form)).toEqual({ tools: ['GMAIL_SEND', 'SLACK_*'] })
})
