import { lookup } from 'node:dns/promises'
import { isIP, type LookupFunction } from 'node:net'
import { PatchbayError } from '../core/errors.ts'
import type { AddressPolicy, Refusal } from './address-policy.ts'
import { buildConnector, type Connector } from './undici.ts'

export interface ResolvedAddress {
  address: string
  family: number
}

/** Every address of a host name, in the order to try them. Rejects when there is none. */
export type Resolve = (host: string) => Promise<readonly ResolvedAddress[]>

/** The system's resolver: hosts file, search domains and all, as any other program here would see it. */
export const systemResolve: Resolve = (host) => lookup(host, { all: true, order: 'verbatim' })

export interface Destination {
  /** Lower case, IPv6 without brackets. */
  host: string
  port: number
  secure: boolean
}

/**
 * The addresses a destination may be connected to, each of them checked. One address out of bounds refuses the whole
 * name: a name that mixes inside and outside is how rebinding starts.
 *
 * Throws `egress_refused`, or `provider_unavailable` when the name does not resolve.
 */
export async function checkedAddresses(
  policy: AddressPolicy,
  resolve: Resolve,
  destination: Destination,
): Promise<readonly ResolvedAddress[]> {
  const family = isIP(destination.host)
  const addresses = family
    ? [{ address: destination.host, family }]
    : await resolve(destination.host).catch((error: NodeJS.ErrnoException) => {
        throw unresolved(destination.host, error?.code)
      })
  if (addresses.length === 0) throw unresolved(destination.host, 'ENODATA')

  for (const { address } of addresses) {
    const refusal = policy.refusal({ ...destination, address })
    if (refusal) throw refused(destination, refusal)
  }
  return addresses
}

/**
 * Opens connections to one destination for undici. The socket is handed the checked addresses as its own lookup, so
 * there is no second resolution between check and connect; TLS still proves the host that was asked for.
 */
export function dialer(
  destination: Destination,
  options: { policy: AddressPolicy; resolve: Resolve; connectTimeoutMs: number; ca?: string | undefined },
): Connector {
  const checkedLookup: LookupFunction = (_hostname, { all }, done) => {
    checkedAddresses(options.policy, options.resolve, destination).then(
      (addresses) => {
        if (all) done(null, [...addresses])
        else done(null, addresses[0]?.address ?? '', addresses[0]?.family)
      },
      (error) => done(error, ''),
    )
  }
  const connect = buildConnector({
    lookup: checkedLookup,
    autoSelectFamily: true,
    timeout: options.connectTimeoutMs,
    allowH2: false,
    ...(options.ca !== undefined && { ca: options.ca }),
  })

  // Sockets to a literal address never call their lookup.
  if (!isIP(destination.host)) return connect
  return (target, done) => {
    checkedAddresses(options.policy, options.resolve, destination).then(
      () => connect(target, done),
      (error) => done(error, null),
    )
  }
}

function unresolved(host: string, code: string | undefined): PatchbayError {
  return new PatchbayError('provider_unavailable', `The host ${host} could not be found.`, {
    details: { host, sent: false, reason: code ?? 'ENOTFOUND' },
  })
}

function refused(destination: Destination, refusal: Refusal): PatchbayError {
  const { host } = destination
  const what =
    refusal.reason === 'plain_http'
      ? `Plain http to ${host} is refused, because everything sent could be read on the way`
      : isIP(host)
        ? `Connecting to ${host} is refused: it is a ${refusal.reason} address`
        : `Connecting to ${host} is refused: its name leads to a ${refusal.reason} address`
  return new PatchbayError(
    'egress_refused',
    `${what}. To allow it, add ${refusal.entry} to the setting EGRESS_ALLOW.`,
    {
      details: { host, setting: 'EGRESS_ALLOW', entry: refusal.entry, reason: refusal.reason, sent: false },
    },
  )
}
