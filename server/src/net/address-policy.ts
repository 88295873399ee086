import { BlockList, isIP } from 'node:net'
import { PatchbayError } from '../core/errors.ts'

/** Kinds of address that are not the public internet. */
export type AddressRange =
  | 'loopback'
  | 'link-local'
  | 'metadata'
  | 'private'
  | 'multicast'
  | 'unspecified'
  | 'documentation'
  | 'reserved'

/** One connection about to be made: the name asked for, and one of the addresses it resolved to. */
export interface Target {
  /** As in the address: lower case, IPv6 without brackets. */
  host: string
  port: number
  address: string
  /** TLS. Without it only addresses that the allow-list names may be reached. */
  secure: boolean
}

export interface Refusal {
  reason: AddressRange | 'plain_http'
  /** What an administrator would add to the allow-list. */
  entry: string
}

export interface AddressPolicy {
  /** Why this connection must not be made, or undefined when it may. */
  refusal(target: Target): Refusal | undefined
}

/**
 * The policy of an allow-list. Entries: a host, `host:port`, an IP address with or without port, a CIDR, `loopback`,
 * `private` (RFC 1918, RFC 6598 and RFC 4193) or `*`. Cloud metadata addresses hand out the machine's own
 * credentials, so only an entry that is an address or CIDR opens them: no name, no keyword.
 *
 * Throws `invalid_input` naming the entry that is none of these.
 */
export function createAddressPolicy(allow: readonly string[]): AddressPolicy {
  const rules = parseAllow(allow)

  function named(target: Target, address: string, range: AddressRange | undefined): boolean {
    for (const rule of rules.addresses) {
      if ((rule.port === undefined || rule.port === target.port) && contains(rule.block, address)) return true
    }
    if (range === 'metadata') return false
    if (rules.everything) return true
    if (range !== undefined && rules.ranges.has(range)) return true
    return rules.hosts.has(target.host) || rules.hosts.has(`${target.host}:${target.port}`)
  }

  return {
    refusal(target) {
      // An address that embeds others (NAT64, 6to4, Teredo) ends up wherever those are, so each is judged.
      let allNamed = true
      for (const address of [target.address, ...embeddedAddresses(target.address)]) {
        const range = addressRange(address)
        if (named(target, address, range)) continue
        allNamed = false
        if (range !== undefined) return { reason: range, entry: range === 'metadata' ? address : target.host }
      }
      return target.secure || allNamed ? undefined : { reason: 'plain_http', entry: target.host }
    },
  }
}

/**
 * What kind of address this is, or undefined for the public internet. IPv4 addresses inside IPv6 ones are judged as
 * themselves. After the IANA special-purpose registries (RFC 6890 and later additions); IPv6 outside the
 * allocated 2000::/3 counts as reserved.
 */
export function addressRange(address: string): AddressRange | undefined {
  const plain = withoutZone(address)
  const embedded = embeddedAddresses(plain)
  for (const inner of embedded) {
    const range = addressRange(inner)
    if (range) return range
  }
  for (const [range, block] of RANGES) if (contains(block, plain)) return range
  if (isIP(plain) === 4) return undefined
  return embedded.length > 0 || contains(GLOBAL_UNICAST, plain) ? undefined : 'reserved'
}

const METADATA = [
  '169.254.169.254', // AWS, Azure, Google, DigitalOcean, Oracle…
  '169.254.169.253',
  '169.254.170.2', // ECS task credentials
  '169.254.170.23', // EKS pod identity
  '100.100.100.200', // Alibaba
  '192.0.0.192', // Oracle
  '168.63.129.16', // Azure wire server: a public-looking address of the host itself
  'fd00:ec2::254',
  'fd00:ec2::253',
  'fd00:ec2::23',
  'fd20:ce::254', // Google, IPv6-only machines
]

/** In the order they are tried: metadata lies inside other ranges. */
const RANGES: readonly (readonly [AddressRange, BlockList])[] = [
  ['metadata', blockList(METADATA)],
  ['unspecified', blockList(['0.0.0.0/8', '::/128'])],
  ['loopback', blockList(['127.0.0.0/8', '::1/128'])],
  ['link-local', blockList(['169.254.0.0/16', 'fe80::/10'])],
  [
    'private',
    blockList([
      '10.0.0.0/8',
      '172.16.0.0/12',
      '192.168.0.0/16',
      '100.64.0.0/10', // carrier-grade NAT, RFC 6598
      'fc00::/7',
      'fec0::/10', // site-local, RFC 3879
    ]),
  ],
  ['multicast', blockList(['224.0.0.0/4', 'ff00::/8'])],
  ['documentation', blockList(['192.0.2.0/24', '198.51.100.0/24', '203.0.113.0/24', '2001:db8::/32', '3fff::/20'])],
  [
    'reserved',
    blockList([
      '192.0.0.0/24',
      '192.88.99.0/24', // 6to4 relay, RFC 7526
      '198.18.0.0/15', // benchmarks, RFC 2544
      '240.0.0.0/4',
      // 2001::/23 without Teredo (2001::/32), whose embedded addresses are judged instead.
      '2001:1::/32',
      '2001:2::/31',
      '2001:4::/30',
      '2001:8::/29',
      '2001:10::/28',
      '2001:20::/27',
      '2001:40::/26',
      '2001:80::/25',
      '2001:100::/24',
      '64:ff9b:1::/48', // NAT64 for local use, RFC 8215: where the IPv4 address lies in it is a local matter
      '100::/64', // discard only, RFC 6666
      '5f00::/16', // segment routing, RFC 9602
    ]),
  ],
]

const GLOBAL_UNICAST = blockList(['2000::/3'])

/**
 * The IPv4 addresses an IPv6 address stands for: mapped (RFC 4291), compatible, translated (RFC 2765), NAT64
 * (RFC 6052), 6to4 (RFC 3056), Teredo server and client (RFC 4380).
 */
export function embeddedAddresses(address: string): string[] {
  const plain = withoutZone(address)
  if (isIP(plain) !== 6) return []
  const g = groups(plain)
  const low = ipv4(g[6], g[7])
  const zeros = (from: number, to: number) => g.slice(from, to).every((group) => group === 0)

  if (zeros(0, 5) && g[5] === 0xffff) return [low]
  // `::` and `::1` are of this form too, and are themselves.
  if (zeros(0, 6) && !(g[6] === 0 && g[7] <= 1)) return [low]
  if (zeros(0, 4) && g[4] === 0xffff && g[5] === 0) return [low]
  if (g[0] === 0x64 && g[1] === 0xff9b && zeros(2, 6)) return [low]
  if (g[0] === 0x2002) return [ipv4(g[1], g[2])]
  if (g[0] === 0x2001 && g[1] === 0) return [ipv4(g[2], g[3]), ipv4(g[6] ^ 0xffff, g[7] ^ 0xffff)]
  return []
}

type Groups = [number, number, number, number, number, number, number, number]

/** The eight groups of a valid IPv6 address. */
function groups(address: string): Groups {
  const [head = '', tail] = address.split('::')
  const parse = (text: string) =>
    text === ''
      ? []
      : text.split(':').flatMap((part) => {
          if (!part.includes('.')) return [Number.parseInt(part, 16)]
          const [a = 0, b = 0, c = 0, d = 0] = part.split('.').map(Number)
          return [a * 256 + b, c * 256 + d]
        })
  const before = parse(head)
  const after = tail === undefined ? [] : parse(tail)
  return [...before, ...new Array(8 - before.length - after.length).fill(0), ...after] as Groups
}

function ipv4(high: number, low: number): string {
  return `${high >> 8}.${high & 255}.${low >> 8}.${low & 255}`
}

function withoutZone(address: string): string {
  const percent = address.indexOf('%')
  return percent < 0 ? address : address.slice(0, percent)
}

function contains(block: BlockList, address: string): boolean {
  const plain = withoutZone(address)
  const family = isIP(plain)
  return family !== 0 && block.check(plain, family === 4 ? 'ipv4' : 'ipv6')
}

interface Rules {
  everything: boolean
  ranges: ReadonlySet<AddressRange>
  /** `host` and `host:port`. */
  hosts: ReadonlySet<string>
  addresses: readonly { block: BlockList; port: number | undefined }[]
}

function parseAllow(allow: readonly string[]): Rules {
  const ranges = new Set<AddressRange>()
  const hosts = new Set<string>()
  const addresses: { block: BlockList; port: number | undefined }[] = []
  let everything = false

  for (const entry of allow) {
    if (entry === '*') everything = true
    else if (entry === 'loopback' || entry === 'private') ranges.add(entry)
    else if (isIP(entry) || isCidr(entry)) addresses.push({ block: blockList([entry]), port: undefined })
    else {
      const { host, port } = parseHost(entry)
      if (isIP(host)) addresses.push({ block: blockList([host]), port })
      else hosts.add(port === undefined ? host : `${host}:${port}`)
    }
  }
  return { everything, ranges, hosts, addresses }
}

function isCidr(entry: string): boolean {
  const [address = '', prefix = '', ...rest] = entry.split('/')
  const family = isIP(address)
  return rest.length === 0 && family !== 0 && /^\d{1,3}$/.test(prefix) && Number(prefix) <= (family === 4 ? 32 : 128)
}

function parseHost(entry: string): { host: string; port: number | undefined } {
  const [, name = '', digits] = /^(\[[0-9a-f:.]+\]|[^\s:/?#@[\]\\*%]+)(?::(\d{1,5}))?$/i.exec(entry) ?? []
  const port = digits === undefined ? undefined : Number(digits)
  if (name !== '' && URL.canParse(`http://${name}/`) && (port === undefined || (port > 0 && port < 65_536))) {
    // The same normalisation as an address to be fetched: lower case, punycode, odd numeric forms.
    return { host: bareHost(new URL(`http://${name}/`)), port }
  }
  throw new PatchbayError(
    'invalid_input',
    `EGRESS_ALLOW: "${entry}" is not a host, host:port, IP address, CIDR, "loopback", "private" or "*".`,
  )
}

/** The host of an address, IPv6 without brackets. */
export function bareHost(url: URL): string {
  return url.hostname.startsWith('[') ? url.hostname.slice(1, -1) : url.hostname
}

function blockList(cidrs: readonly string[]): BlockList {
  const block = new BlockList()
  for (const cidr of cidrs) {
    const [address = '', prefix] = cidr.split('/')
    const family = isIP(address) === 4 ? 'ipv4' : 'ipv6'
    if (prefix === undefined) block.addAddress(address, family)
    else block.addSubnet(address, Number(prefix), family)
  }
  return block
}
