import type { Instance } from '@patchbay/sdk'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { RefreshCw } from 'lucide-react'
import { useState } from 'react'
import { Button } from '../parts/button.tsx'
import { CopyField } from '../parts/copy.tsx'
import { ConfirmDialog } from '../parts/dialog.tsx'
import { toast } from '../parts/toasts.tsx'
import { client } from '../session/client.ts'
import { showToken, useShownToken } from './shown-tokens.ts'

/** An instance's address, and its token where it can still be shown. */
export function AddressFields({ instance }: { instance: Instance }) {
  const token = useShownToken(instance.id)
  const [rotating, setRotating] = useState(false)
  return (
    <div className="space-y-4">
      <CopyField label="MCP address" value={instance.url} />
      {token ? (
        <div>
          <CopyField label="Token" value={token} secret />
          <p className="mt-1.5 text-sm text-warn">Copy it now: it is shown this once and stored only as a hash.</p>
        </div>
      ) : (
        <div className="flex flex-wrap items-end justify-between gap-3">
          <div className="min-w-0">
            <div className="mb-1 text-sm font-medium">Token</div>
            <p className="text-sm text-muted">
              <code className="font-mono text-xs text-ink">{instance.token_prefix}…</code> was shown when it was made.
            </p>
          </div>
          <Button size="small" icon={<RefreshCw size={14} aria-hidden />} onClick={() => setRotating(true)}>
            Make a new token
          </Button>
        </div>
      )}
      {rotating && <RotateDialog instance={instance} onClose={() => setRotating(false)} />}
    </div>
  )
}

export function RotateDialog({
  instance,
  onClose,
  keepOpen,
}: {
  instance: Instance
  onClose: () => void
  keepOpen?: boolean
}) {
  const queries = useQueryClient()
  const rotate = useMutation({
    mutationFn: () => client.instances.rotateToken(instance.id, { user_id: instance.user_id }),
    onSuccess: async (created) => {
      showToken(created.id, created.token)
      if (!keepOpen) onClose()
      toast('There is a new token. The old one no longer works.')
      await queries.invalidateQueries({ queryKey: ['instances'] })
    },
  })
  return (
    <ConfirmDialog
      open
      onClose={onClose}
      onConfirm={() => rotate.mutate()}
      busy={rotate.isPending}
      error={rotate.error}
      title={`Make a new token for ${instance.name}?`}
      action="Make a new token"
    >
      <p>The old token stops working at once. Agents that use it fail until they have the new one.</p>
    </ConfirmDialog>
  )
}
