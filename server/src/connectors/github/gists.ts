import { z } from 'zod'
import { defineTools } from '../../core/connector.ts'
import { scopes } from './scopes.ts'

export const gistTools = defineTools(scopes, {
  GITHUB_CREATE_A_GIST: {
    title: 'Create a gist',
    description:
      'Shares one or more text files as a gist and answers its address. Secret gists are unlisted, not private: anybody with the address can read them.',
    effect: 'write',
    scopes: ['gist'],
    input: z.object({
      files: z
        .record(z.string().min(1), z.object({ content: z.string().min(1) }))
        .refine((files) => Object.keys(files).length > 0, 'must hold at least one file')
        .describe('File name → {content}, such as {"notes.md": {"content": "# Notes"}}'),
      description: z.string().optional(),
      public: z.boolean().default(false).describe('Listed for everybody'),
    }),
    run: 'POST /gists',
    shape: (gist) => ({
      id: gist.id,
      html_url: gist.html_url,
      public: gist.public,
      description: gist.description ?? null,
      files: Object.keys(gist.files ?? {}),
      created_at: gist.created_at,
    }),
  },
})
