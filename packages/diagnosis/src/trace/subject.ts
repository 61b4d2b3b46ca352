import { isDid } from '@millrace/stream-protocol'

/** What is traced: an account, or one record of it. */
export interface Subject {
  did: string
  /** As it was asked for, where that was a handle. */
  handle?: string
  record?: { uri: string; collection: string; rkey: string }
}

/** What people type: a DID, a handle, an `at://` URI of either, or a link of bsky.app. */
export type SubjectInput =
  | { readonly kind: 'did'; readonly did: string; readonly path?: string }
  | { readonly kind: 'handle'; readonly handle: string; readonly path?: string }

const MOST_CHARACTERS = 8_192
const HANDLE = /^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?$/
const PATH = /^[a-zA-Z0-9.-]{1,317}\/[A-Za-z0-9._:~-]{1,512}$/

/** Reads what people type; undefined for what names neither an account nor a record. */
export function readSubject(text: string): SubjectInput | undefined {
  if (text.length > MOST_CHARACTERS) return undefined
  const [authority = '', ...rest] = fromLink(text.trim())
    .replace(/^at:\/\//, '')
    .replace(/^@/, '')
    .split('/')
  const path = rest.join('/')
  if (path !== '' && !PATH.test(path)) return undefined
  const withPath = path === '' ? {} : { path }
  const isAccount: boolean = isDid(authority)
  if (isAccount) return { kind: 'did', did: authority, ...withPath }
  const handle = authority.toLowerCase()
  if (handle.length <= 253 && HANDLE.test(handle)) return { kind: 'handle', handle, ...withPath }
  return undefined
}

function fromLink(text: string): string {
  const [, authority, rkey] = /^https:\/\/bsky\.app\/profile\/([^/]+)(?:\/post\/([^/?#]+))?/.exec(text) ?? []
  if (authority === undefined) return text
  return rkey === undefined ? authority : `${authority}/app.bsky.feed.post/${rkey}`
}

/** The subject, once the account of a handle is known. */
export function subjectOf(input: SubjectInput, did: string): Subject {
  const [collection, rkey] = input.path?.split('/') ?? []
  return {
    did,
    ...(input.kind === 'handle' && { handle: input.handle }),
    ...(collection !== undefined &&
      rkey !== undefined && { record: { uri: `at://${did}/${collection}/${rkey}`, collection, rkey } }),
  }
}
