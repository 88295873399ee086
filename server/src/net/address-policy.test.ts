import { describe, expect, it } from 'vitest'
import { addressRange, createAddressPolicy, embeddedAddresses } from './address-policy.ts'

describe('the range of an address', () => {
  it.each([
    ['127.0.0.1', 'loopback'],
    ['127.255.255.254', 'loopback'],
    ['::1', 'loopback'],
    ['0:0:0:0:0:0:0:1', 'loopback'],
    ['169.254.0.1', 'link-local'],
    ['fe80::1', 'link-local'],
    ['fe80::1%eth0', 'link-local'],
    ['febf:ffff::1', 'link-local'],
    ['169.254.169.254', 'metadata'],
    ['169.254.170.2', 'metadata'],
    ['100.100.100.200', 'metadata'],
    ['168.63.129.16', 'metadata'],
    ['fd00:ec2::254', 'metadata'],
    ['10.0.0.1', 'private'],
    ['172.16.0.1', 'private'],
    ['172.31.255.255', 'private'],
    ['192.168.1.1', 'private'],
    ['100.64.0.1', 'private'],
    ['100.127.255.255', 'private'],
    ['fc00::1', 'private'],
    ['fdff::1', 'private'],
    ['fec0::1', 'private'],
    ['224.0.0.1', 'multicast'],
    ['239.255.255.255', 'multicast'],
    ['ff02::1', 'multicast'],
    ['0.0.0.0', 'unspecified'],
    ['0.1.2.3', 'unspecified'],
    ['::', 'unspecified'],
    ['192.0.2.1', 'documentation'],
    ['198.51.100.7', 'documentation'],
    ['203.0.113.7', 'documentation'],
    ['2001:db8::1', 'documentation'],
    ['3fff:fff::1', 'documentation'],
    ['192.0.0.8', 'reserved'],
    ['192.88.99.1', 'reserved'],
    ['198.18.0.1', 'reserved'],
    ['198.19.255.255', 'reserved'],
    ['240.0.0.1', 'reserved'],
    ['255.255.255.255', 'reserved'],
    ['2001:2::1', 'reserved'],
    ['2001:10::1', 'reserved'],
    ['2001:1ff::1', 'reserved'],
    ['100::1', 'reserved'],
    ['5f00::1', 'reserved'],
    ['4000::1', 'reserved'],
    ['64:ff9b:1::808:808', 'reserved'],
    // The same addresses inside IPv6 ones.
    ['::ffff:127.0.0.1', 'loopback'],
    ['::ffff:7f00:1', 'loopback'],
    ['::ffff:a9fe:a9fe', 'metadata'],
    ['::ffff:10.1.2.3', 'private'],
    ['::127.0.0.1', 'loopback'],
    ['::ffff:0:10.0.0.1', 'private'],
    ['64:ff9b::10.0.0.1', 'private'],
    ['64:ff9b::a9fe:a9fe', 'metadata'],
    ['2002:7f00:1::', 'loopback'],
    ['2002:c0a8:101::1', 'private'],
    ['2001:0:808:808::f5ff:fffe', 'private'], // Teredo client 10.0.0.1
    ['2001:0:a00:1::f7f7:f7f7', 'private'], // Teredo server 10.0.0.1
  ])('calls %s %s', (address, range) => {
    expect(addressRange(address)).toBe(range)
  })

  it.each([
    '1.1.1.1',
    '8.8.8.8',
    '9.255.255.255',
    '11.0.0.0',
    '100.63.255.255',
    '100.128.0.0',
    '126.255.255.255',
    '128.0.0.1',
    '169.253.255.255',
    '172.15.255.255',
    '172.32.0.0',
    '192.167.255.255',
    '192.169.0.0',
    '223.255.255.255',
    '2606:4700:4700::1111',
    '2001:4860:4860::8888',
    '2001:200::1',
    '2a00:1450:4001:82b::200e',
    '::ffff:8.8.8.8',
    '64:ff9b::808:808',
    '2002:808:808::1',
    '2001:0:808:808::f7f7:f7f7',
  ])('calls %s public', (address) => {
    expect(addressRange(address)).toBeUndefined()
  })

  it('finds the IPv4 addresses an IPv6 address stands for', () => {
    expect(embeddedAddresses('2001:0:4136:e378:8000:63bf:3fff:fdd2')).toEqual(['65.54.227.120', '192.0.2.45'])
    expect(embeddedAddresses('::')).toEqual([])
    expect(embeddedAddresses('::1')).toEqual([])
    expect(embeddedAddresses('2606:4700::1')).toEqual([])
    expect(embeddedAddresses('10.0.0.1')).toEqual([])
  })
})

describe('the address policy', () => {
  const ask = (allow: string[], address: string, extra: { host?: string; port?: number; secure?: boolean } = {}) =>
    createAddressPolicy(allow).refusal({ host: 'api.example.com', port: 443, secure: true, address, ...extra })

  it.each<[string[], string, object]>([
    [[], '8.8.8.8', {}],
    [['loopback'], '127.0.0.1', {}],
    [['loopback'], '::1', {}],
    [['loopback'], '::ffff:127.0.0.1', {}],
    [['private'], '192.168.0.5', {}],
    [['private'], '100.64.0.5', {}],
    [['private'], 'fd12::5', {}],
    [['*'], '10.0.0.1', {}],
    [['*'], '127.0.0.1', { secure: false }],
    [['*'], '8.8.8.8', { secure: false }],
    [['10.0.0.0/8'], '10.9.9.9', {}],
    [['10.0.0.1'], '10.0.0.1', {}],
    [['10.0.0.1:8443'], '10.0.0.1', { port: 8443 }],
    [['[fd00::5]:8443'], 'fd00::5', { port: 8443 }],
    [['fd00::/8'], 'fd00::5', {}],
    [['api.example.com'], '10.0.0.1', {}],
    [['API.Example.COM'], '10.0.0.1', {}],
    [['api.example.com:443'], '10.0.0.1', {}],
    [['bücher.example'], '10.0.0.1', { host: 'xn--bcher-kva.example' }],
    [['169.254.169.254'], '169.254.169.254', {}],
    [['169.254.0.0/16'], '169.254.169.254', {}],
    [['api.example.com'], '8.8.8.8', { secure: false }],
    [['0x7f.1'], '127.0.0.1', {}],
  ])('allow %j lets %s pass (%j)', (allow, address, extra) => {
    expect(ask(allow, address, extra)).toBeUndefined()
  })

  it.each<[string[], string, object, string, string]>([
    [[], '127.0.0.1', {}, 'loopback', 'api.example.com'],
    [['loopback'], '10.0.0.1', {}, 'private', 'api.example.com'],
    [['loopback'], '0.0.0.0', {}, 'unspecified', 'api.example.com'],
    [['private'], '127.0.0.1', {}, 'loopback', 'api.example.com'],
    [['private'], '169.254.1.1', {}, 'link-local', 'api.example.com'],
    [['10.0.0.0/8'], '11.0.0.1', { secure: false }, 'plain_http', 'api.example.com'],
    [['10.0.0.0/8'], '192.168.0.1', {}, 'private', 'api.example.com'],
    [['10.0.0.1:8443'], '10.0.0.1', { port: 8444 }, 'private', 'api.example.com'],
    [['api.example.com:8443'], '10.0.0.1', {}, 'private', 'api.example.com'],
    [['example.com'], '10.0.0.1', {}, 'private', 'api.example.com'],
    [['other.example'], '8.8.8.8', { secure: false }, 'plain_http', 'api.example.com'],
    // Only an address opens the metadata service: no name, no keyword.
    [['*'], '169.254.169.254', {}, 'metadata', '169.254.169.254'],
    [['private'], 'fd00:ec2::254', {}, 'metadata', 'fd00:ec2::254'],
    [['api.example.com'], '169.254.169.254', {}, 'metadata', '169.254.169.254'],
    [['*'], '64:ff9b::a9fe:a9fe', {}, 'metadata', '64:ff9b::a9fe:a9fe'],
  ])('allow %j refuses %s (%j) as %s', (allow, address, extra, reason, entry) => {
    expect(ask(allow, address, extra)).toEqual({ reason, entry })
  })

  it.each([
    '',
    ' ',
    'https://example.com',
    'example.com/path',
    'user@example.com',
    '10.0.0.0/33',
    '::/129',
    '10.0.0.0/8/8',
    'example.com:0',
    'example.com:70000',
    'exa mple.com',
    '*.example.com',
    '[::1',
    '999.1.1.1',
  ])('rejects the entry %j by name', (entry) => {
    expect(() => createAddressPolicy([entry])).toThrow(`EGRESS_ALLOW: "${entry}" is not a host`)
  })
})
