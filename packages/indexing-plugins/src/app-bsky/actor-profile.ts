import type { AppBskyActorProfile } from '@atproto/api'
import { canonicalTime, defineRecordPlugin, uriAuthority } from '@millrace/indexing'
import { sortAt } from '../base-row.ts'
import { publishedRecord } from '../lexicons.ts'
import { requireDids } from './by-did.ts'

/** `app.bsky.actor.profile` to `profile`; the author of the starter pack that somebody joined by is told. */
export const actorProfile = defineRecordPlugin({
  collection: publishedRecord<AppBskyActorProfile.Record>('app.bsky.actor.profile'),
  rkey: 'self',
  table: 'profile',
  toRow: ({ uri, cid, did, record, indexedAt }) => {
    requireDids([record.joinedViaStarterPack?.uri])
    return {
      uri,
      cid,
      creator: did,
      displayName: record.displayName ?? null,
      description: record.description ?? null,
      avatarCid: record.avatar?.ref.toString() ?? null,
      bannerCid: record.banner?.ref.toString() ?? null,
      joinedViaStarterPackUri: record.joinedViaStarterPack?.uri ?? null,
      // Profiles of the first days say not when they were made.
      createdAt: record.createdAt === undefined ? indexedAt : canonicalTime(record.createdAt),
      indexedAt,
    }
  },
  notify: ({ joinedViaStarterPackUri: pack, indexedAt, createdAt }) =>
    pack === null
      ? []
      : [
          {
            did: uriAuthority(pack),
            reason: 'starterpack-joined',
            reasonSubject: pack,
            sortAt: indexedAt,
            // It joined once: not again whenever its profile is read or changed (hazard X14).
            happenedAt: sortAt({ createdAt, indexedAt }),
          },
        ],
})
