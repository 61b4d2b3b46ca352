import { blob, create, type Kind, type Scene, strongRef } from './kind.ts'
import { sentence, title } from './text.ts'

const post = 'app.bsky.feed.post'

const like = 'app.bsky.feed.like'
const repost = 'app.bsky.feed.repost'

/** A like or repost of something that the account has not liked or reposted yet. */
function reaction(collection: string, { via = false, of = [post] as [string, ...string[]] } = {}): Kind {
  return create(collection, ({ account, world, random, createdAt }) => {
    const subject = random.pickPopular(world.of(random.pick(of)))
    if (!subject || world.has(account.did, collection, subject.uri)) return undefined
    if (!via) return { subject: strongRef(subject), createdAt: createdAt() }
    const seenIn = random.pick(world.of(repost))
    return seenIn && { subject: strongRef(subject), createdAt: createdAt(), via: strongRef(seenIn) }
  })
}

export const likePost = reaction(like)
export const likeVia = reaction(like, { via: true })
export const likeOther = reaction(like, { of: ['app.bsky.feed.generator', 'app.bsky.labeler.service'] })
export const repostPost = reaction(repost)
export const repostVia = reaction(repost, { via: true })

/** The second record of the same relation, as clients write it by accident. */
function again(collection: string): Kind {
  return create(collection, ({ account, world, random, createdAt }) => {
    const before = random.pick(world.of(collection, account.did))
    return before && { ...before.record, createdAt: createdAt() }
  })
}

export const likeAgain = again(like)
export const repostAgain = again(repost)
export const followAgain = again('app.bsky.graph.follow')

export const generator: Kind = (scene) => {
  const { random, createdAt, account } = scene
  return create('app.bsky.feed.generator', () => ({
    did: account.did,
    displayName: title(random).slice(0, 24),
    description: sentence(random),
    ...(random.chance(0.5) && { avatar: blob(random, 'image/png') }),
    ...(random.chance(0.3) && { acceptsInteractions: true, contentMode: 'app.bsky.feed.defs#contentModeVideo' }),
    createdAt: createdAt(),
  }))(scene)
}

/** A gate has the key of its post, so that there is one at most. */
function gate(collection: string, rules: (scene: Scene) => object): Kind {
  return (scene) => {
    const { account, world, random, createdAt } = scene
    const own = world.of(post, account.did)
    const gated = collection.endsWith('threadgate') ? own.filter(({ record }) => !record['reply']) : own
    const target = random.pick(gated)
    if (!target) return undefined
    const action = world.get(`at://${account.did}/${collection}/${target.rkey}`) ? 'update' : 'create'
    const record = { $type: collection, post: target.uri, createdAt: createdAt(), ...rules(scene) }
    return { action, collection, rkey: target.rkey, record }
  }
}

const threadRule = 'app.bsky.feed.threadgate'

export const threadgate = gate('app.bsky.feed.threadgate', ({ random, world, account }) => {
  const list = random.pick(world.of('app.bsky.graph.list', account.did))
  const allow = random.pick([
    [],
    [{ $type: `${threadRule}#mentionRule` }],
    [{ $type: `${threadRule}#followingRule` }, { $type: `${threadRule}#followerRule` }],
    list ? [{ $type: `${threadRule}#listRule`, list: list.uri }] : undefined,
    undefined,
  ] as [object[], ...(object[] | undefined)[]])
  const hidden = world.of(post).find(({ record }) => record['reply'] !== undefined)
  return { ...(allow && { allow }), ...(hidden && random.chance(0.3) && { hiddenReplies: [hidden.uri] }) }
})

export const postgate = gate('app.bsky.feed.postgate', ({ random, world }) => {
  const detached = random.pick(world.of(post))
  return {
    ...(random.chance(0.7) && { embeddingRules: [{ $type: 'app.bsky.feed.postgate#disableRule' }] }),
    ...(detached && random.chance(0.3) && { detachedEmbeddingUris: [detached.uri] }),
  }
})
