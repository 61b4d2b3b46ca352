import { isIP } from 'node:net'
import ipaddr from 'ipaddr.js'

/**
 * True for addresses that anyone on the internet can reach. Everything else is somebody's inside: loopback, private and
 * link-local networks, carrier NAT, multicast, documentation and test ranges, and every IPv6 form that carries an IPv4
 * address, for these are other spellings of all the former.
 */
export function isPublicAddress(text: string): boolean {
  // The library would also take `1.2.3` and `0x7f.1`.
  if (isIP(text) === 0) return false
  const address = ipaddr.parse(text)
  if (address.range() !== 'unicast') return false
  // `::127.0.0.1` counts as unicast there. The part of IPv6 that is given out is 2000::/3.
  return address.kind() === 'ipv4' || address.toByteArray()[0]! >> 5 === 0b001
}

const localRanges: ReadonlySet<string> = new Set(['loopback', 'private', 'uniqueLocal'])

/** True for this machine and for private networks, where simulated networks are. */
export function isLocalAddress(text: string): boolean {
  return isIP(text) !== 0 && localRanges.has(ipaddr.process(text).range())
}
