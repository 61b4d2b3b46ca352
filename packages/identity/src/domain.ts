import { isIP } from 'node:net'

/**
 * The domain whose limits a host shares: `example.com` of `alice.example.com`, and of itself. One server usually answers
 * for all such names, and whoever owns the domain makes as many of them as he likes.
 */
export function domainOf(host: string): string {
  const labels = host.split('.')
  return labels.length > 2 && isIP(host) === 0 ? labels.slice(1).join('.') : host
}
