import { expect, test } from 'vitest'
import { domainOf } from './domain.ts'

test.each([
  ['alice.example.com', 'example.com'],
  ['example.com', 'example.com'],
  ['a.b.example.com', 'b.example.com'],
  ['localhost', 'localhost'],
  ['192.0.2.1', '192.0.2.1'],
])('%s shares the limits of %s', (host, domain) => expect(domainOf(host)).toBe(domain))
