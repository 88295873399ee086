import type { ApiKey, Role } from '@patchbay/sdk'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { KeyRound, Plus } from 'lucide-react'
import { useState } from 'react'
import { Badge } from '../parts/badge.tsx'
import { Button } from '../parts/button.tsx'
import { ConfirmDialog } from '../parts/dialog.tsx'
import { Empty } from '../parts/page.tsx'
import { TimeAgo } from '../parts/time-ago.tsx'
import { toast } from '../parts/toasts.tsx'
import { client } from '../session/client.ts'
import { CreateKeyDialog } from './create-key-dialog.tsx'
import { policyInWords } from './policy-words.ts'
import { apiKeysQuery } from './queries.ts'
import { Row, Rows, SectionHead } from './rows.tsx'

const ROLES: Record<Role, string> = { admin: 'Admin', app: 'App', user: 'One user' }

export function ApiKeys() {
  const keys = useQuery(apiKeysQuery)
  const [creating, setCreating] = useState(false)
  const [revoking, setRevoking] = useState<ApiKey | null>(null)
  const sorted =
    keys.data &&
    [...keys.data].sort((a, b) => Number(ended(a)) - Number(ended(b)) || b.created_at.localeCompare(a.created_at))
  const create = (
    <Button look="primary" icon={<Plus size={15} aria-hidden />} onClick={() => setCreating(true)}>
      Create a key
    </Button>
  )

  return (
    <>
      <SectionHead lead="Programs authenticate with these over REST. A key is shown once, then kept only as a hash.">
        {create}
      </SectionHead>
      <Rows
        label="API keys"
        query={{ ...keys, data: sorted }}
        empty={
          <Empty icon={<KeyRound size={26} aria-hidden />} title="No API keys" action={create}>
            Your backend needs one of role App.
          </Empty>
        }
      >
        {(key) => (
          <Row
            key={key.id}
            title={key.name}
            badges={
              <>
                <Badge>{ROLES[key.role]}</Badge>
                {key.revoked_at ? <Badge tone="bad">Revoked</Badge> : ended(key) && <Badge tone="warn">Expired</Badge>}
              </>
            }
            facts={
              <>
                <span className="font-mono">{key.prefix}…</span>
                {key.user_id && <span>user {key.user_id}</span>}
                <span>{policyInWords(key.policy)}</span>
                <span>
                  {key.last_used_at ? (
                    <>
                      used <TimeAgo at={key.last_used_at} />
                    </>
                  ) : (
                    'never used'
                  )}
                </span>
                {key.expires_at && !ended(key) && (
                  <span>
                    expires <TimeAgo at={key.expires_at} />
                  </span>
                )}
              </>
            }
            action={
              !ended(key) && (
                <Button size="small" look="quiet" aria-label={`Revoke ${key.name}`} onClick={() => setRevoking(key)}>
                  Revoke
                </Button>
              )
            }
          />
        )}
      </Rows>
      {creating && <CreateKeyDialog onClose={() => setCreating(false)} />}
      {revoking && <RevokeDialog apiKey={revoking} onClose={() => setRevoking(null)} />}
    </>
  )
}

function RevokeDialog({ apiKey, onClose }: { apiKey: ApiKey; onClose: () => void }) {
  const queries = useQueryClient()
  const revoke = useMutation({
    mutationFn: () => client.apiKeys.revoke(apiKey.id),
    onSuccess: async () => {
      onClose()
      toast(`${apiKey.name} is revoked.`)
      await queries.invalidateQueries({ queryKey: ['api-keys'] })
    },
  })
  return (
    <ConfirmDialog
      open
      onClose={onClose}
      onConfirm={() => revoke.mutate()}
      busy={revoke.isPending}
      error={revoke.error}
      title={`Revoke ${apiKey.name}?`}
      action="Revoke"
    >
      <p>
        Programs that use <code className="font-mono text-xs text-ink">{apiKey.prefix}…</code> are refused at once. This
        cannot be taken back.
      </p>
      {apiKey.role === 'admin' && <p>Whoever signed in here with this key is signed out, perhaps you.</p>}
    </ConfirmDialog>
  )
}

function ended(key: ApiKey): boolean {
  return key.revoked_at !== null || (key.expires_at !== null && Date.parse(key.expires_at) <= Date.now())
}
