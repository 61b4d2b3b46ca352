import { cidForRawHash } from '@atproto/lex-data'
import type { RecordWrite } from '../account.ts'
import { type Random, seededBytes } from '../random.ts'
import type { KnownAccount, KnownRecord, World } from '../world.ts'

/** What a new record is made from. */
export interface Scene {
  account: KnownAccount
  world: World
  random: Random
  /** Now, in one of the forms that clients write. */
  createdAt: () => string
  /** A new record key. */
  tid: () => string
}

/** One sort of write. Undefined when the network has nothing yet that it could refer to. */
export type Kind = (scene: Scene) => RecordWrite | undefined

/** A record under a new key. */
export function create(collection: string, make: (scene: Scene) => object | undefined): Kind {
  return (scene) => {
    const record = make(scene)
    return record && { action: 'create', collection, rkey: scene.tid(), record: { $type: collection, ...record } }
  }
}

/** The one record of its collection: made once, then replaced. */
export function self(collection: string, make: (scene: Scene) => object | undefined): Kind {
  return (scene) => {
    const record = make(scene)
    const action = scene.world.of(collection, scene.account.did).length > 0 ? 'update' : 'create'
    return record && { action, collection, rkey: 'self', record: { $type: collection, ...record } }
  }
}

/** A reference to one version of a record. */
export const strongRef = ({ uri, cid }: KnownRecord): { uri: string; cid: string } => ({ uri, cid })

/** A blob that no host has: only its reference travels over a firehose. */
export function blob(random: Random, mimeType: string, size = 1000 + random.below(900_000)): object {
  const ref = cidForRawHash(seededBytes('blob', random.below(1e9)))
  return { $type: 'blob', ref, mimeType, size }
}

export const aspectRatio = (random: Random): object => ({
  width: 400 + random.below(1600),
  height: 400 + random.below(1600),
})
