import { parseUri, type AtUri } from './at-uri.ts'
import type { FinalNetwork } from './final-network.ts'
import { textOrNull, type Json } from './json.ts'
import { canonicalTime, earlier } from './time.ts'
import { isValidRecord } from './valid-record.ts'

/** A record that is kept, with what its rows begin with. */
export interface KeptRecord extends Pick<AtUri, 'collection' | 'rkey'> {
  uri: string
  cid: string
  did: string
  json: Json
  createdAt: string
  indexedAt: string
  /** Where it stands in lists: when it says it was made, but not later than when it was seen. */
  sortAt: string
}

/** The records of a network that are kept: those of their collections, of accounts that are not deleted. */
export function keptRecords(
  { repos, accounts }: Pick<FinalNetwork, 'repos' | 'accounts'>,
  seenAt: (uri: string) => string,
): KeptRecord[] {
  const gone = new Set(accounts.filter((account) => account.deleted).map(({ did }) => did))
  return repos
    .filter(({ did }) => !gone.has(did))
    .flatMap(({ did, records }) =>
      records
        .filter(({ uri, record }) => isValidRecord(uri, record))
        .map(({ uri, cid, record }) => {
          const { collection, rkey } = parseUri(uri)
          const createdAt = canonicalTime(textOrNull(record['createdAt']) ?? '')
          const indexedAt = seenAt(uri)
          const sortAt = earlier(createdAt, indexedAt)
          return { uri, cid, did, collection, rkey, json: record, createdAt, indexedAt, sortAt }
        }),
    )
}
