import { toast } from '../parts/toasts.tsx'

/**
 * Where the browser blocked the popup, connecting went through this window, and the gateway sent it back with the
 * outcome in the query. Says it once, and answers whether there was one.
 */
export function tellRedirectOutcome(search: string): boolean {
  const query = new URLSearchParams(search)
  const status = query.get('status')
  const service = query.get('appName')
  if (!status || !service) return false
  if (status === 'connected') toast(`${service} is connected.`)
  else
    toast(`${service} was not connected (${query.get('error') ?? 'no reason given'}). Events has the details.`, 'bad')
  return true
}
