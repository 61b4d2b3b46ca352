export interface AtUri {
  /** A DID, or a handle. */
  authority: string
  collection: string
  rkey: string
}

/** The parts of an AT-URI; what it lacks is empty. */
export function parseUri(uri: string): AtUri {
  const [, authority = '', collection = '', rkey = ''] = /^at:\/\/([^/]*)\/?([^/]*)\/?([^/]*)/.exec(uri) ?? []
  return { authority, collection, rkey }
}

/** The record beside another one: of the same account, under the same key, in this collection. */
export function beside(uri: string, collection: string): string {
  const { authority, rkey } = parseUri(uri)
  return `at://${authority}/${collection}/${rkey}`
}

export function isPost(uri: string): boolean {
  return parseUri(uri).collection === 'app.bsky.feed.post'
}

export function isDid(authority: string): boolean {
  return authority.startsWith('did:')
}
