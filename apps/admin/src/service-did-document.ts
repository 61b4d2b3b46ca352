import { ConfigError } from '@millrace/runtime'

/** What is behind a did:web, as far as callers of a service need it. */
export interface ServiceDidDocument {
  '@context': readonly string[]
  id: string
  service: readonly { id: string; type: string; serviceEndpoint: string }[]
}

/**
 * Says where the admin service is. There is no key in it: tokens are signed by those who call, and we sign nothing.
 * @throws {ConfigError} when the DID is none that a document could be served for here
 */
export function serviceDidDocument(did: string | undefined, url: string): ServiceDidDocument {
  // Of a host alone: one with a path is asked for elsewhere, and AT Protocol has none.
  if (did === undefined || !/^did:web:[a-zA-Z0-9._-]+(?:%3[aA]\d{1,5})?$/.test(did))
    throw new ConfigError(['ADMIN_PUBLIC_URL is set, and ADMIN_SERVICE_DID is not the did:web of a host'])
  return {
    '@context': ['https://www.w3.org/ns/did/v1'],
    id: did,
    service: [{ id: '#millrace_admin', type: 'MillraceAdmin', serviceEndpoint: new URL(url).origin }],
  }
}
