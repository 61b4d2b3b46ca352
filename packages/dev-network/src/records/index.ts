import type { RecordWrite } from '../account.ts'
import type { KnownRecord } from '../world.ts'
import * as actor from './actor.ts'
import * as feed from './feed.ts'
import * as graph from './graph.ts'
import type { Kind, Scene } from './kind.ts'
import * as posts from './posts.ts'

/** What most writes are. */
const common: readonly [number, Kind][] = [
  [30, feed.likePost],
  [18, posts.plain],
  [16, graph.follow],
  [14, posts.reply],
  [8, feed.repostPost],
  [4, posts.withFacets],
  [4, posts.withImages],
  [3, posts.quote],
  [2, posts.withExternal],
]

/**
 * What is seldom in a real network. Each account takes them in turn, starting at another one, so that all of them occur;
 * those that need a record of one's own stand behind it.
 */
const seldom: readonly Kind[] = [
  graph.newList,
  graph.listItem,
  graph.starterPack,
  graph.listItem,
  feed.threadgate,
  feed.generator,
  actor.status,
  posts.replyToSelf,
  feed.likeVia,
  posts.withVideo,
  graph.block,
  actor.chat,
  feed.repostVia,
  posts.quoteWithMedia,
  feed.postgate,
  actor.unknown,
  graph.listBlock,
  posts.withGallery,
  feed.likeOther,
  graph.verification,
  actor.notifications,
  feed.likeAgain,
  posts.withTagsAndLabels,
  actor.profile,
  graph.followViaStarterPack,
  actor.germ,
  graph.referenceListOptOut,
  feed.repostAgain,
  actor.visibility,
  feed.followAgain,
]

const weights = common.reduce((sum, [weight]) => sum + weight, 0)

/** Decides what accounts write next. */
export class Author {
  /** By account, which of the seldom kinds is next. */
  readonly #turns = new Map<string, number>()

  /** What an account writes first. */
  opening(scene: Scene): RecordWrite[] {
    return [actor.profile(scene), actor.labelerService(scene)].filter((write) => write !== undefined)
  }

  next(scene: Scene, { updates, deletes }: { updates: number; deletes: number }): RecordWrite {
    const { random } = scene
    const chance = random.fraction()
    const change =
      chance < updates ? updateOf(scene) : chance < updates + deletes ? deletionOf(scene) : this.#creation(scene)
    return change ?? (posts.plain(scene) as RecordWrite)
  }

  #creation(scene: Scene): RecordWrite | undefined {
    if (scene.random.chance(0.2)) return this.#seldom(scene)
    for (let attempt = 0; attempt < 3; attempt++) {
      let point = scene.random.fraction() * weights
      const write = common.find(([weight]) => (point -= weight) < 0)?.[1](scene)
      if (write) return write
    }
    return undefined
  }

  /** The next kind that can be written by this account now. */
  #seldom(scene: Scene): RecordWrite | undefined {
    const { did, index } = scene.account
    let turn = this.#turns.get(did) ?? index * 7
    for (const last = turn + seldom.length; turn < last; turn++) {
      const write = seldom[turn % seldom.length]?.(scene)
      if (!write) continue
      this.#turns.set(did, turn + 1)
      return write
    }
    return undefined
  }
}

/** Collections whose records clients change in place. */
const updatable: readonly Kind[] = [actor.profile, feed.threadgate, actor.labelerService, describeAnew]

function updateOf(scene: Scene): RecordWrite | undefined {
  return scene.random.pick(updatable)?.(scene)
}

/** Another description of something that has one. */
function describeAnew(scene: Scene): RecordWrite | undefined {
  const { world, random, account } = scene
  const described = ['app.bsky.graph.list', 'app.bsky.feed.generator', 'app.bsky.graph.starterpack'] as const
  const target = random.pick(world.of(random.pick(described), account.did))
  return target && { ...at(target), action: 'update', record: { ...target.record, description: 'Described anew' } }
}

function deletionOf({ world, random, account }: Scene): RecordWrite | undefined {
  const target = random.pick(world.by(account.did))
  // Nobody deletes the profile: it is what the account is known by.
  return target && target.rkey !== 'self' ? { ...at(target), action: 'delete' } : undefined
}

const at = ({ collection, rkey }: KnownRecord): { collection: string; rkey: string } => ({ collection, rkey })
