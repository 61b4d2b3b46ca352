import { blob, create } from './kind.ts'
import { sentence, title } from './text.ts'

const list = 'app.bsky.graph.list'

/** Follows and blocks of someone else, once each. */
function towards(collection: string, more: (handle: string) => object = () => ({})): ReturnType<typeof create> {
  return create(collection, ({ account, world, random, createdAt }) => {
    const subject = world.someone(random, account.did)
    if (!subject || world.has(account.did, collection, subject.did)) return undefined
    return { subject: subject.did, createdAt: createdAt(), ...more(subject.handle) }
  })
}

export const follow = towards('app.bsky.graph.follow')

export const followViaStarterPack = create('app.bsky.graph.follow', ({ account, world, random, createdAt }) => {
  const pack = random.pick(world.of('app.bsky.graph.starterpack'))
  const subject = world.someone(random, account.did)
  if (!pack || !subject || world.has(account.did, 'app.bsky.graph.follow', subject.did)) return undefined
  return { subject: subject.did, createdAt: createdAt(), via: { uri: pack.uri, cid: pack.cid } }
})

export const block = towards('app.bsky.graph.block')

export const verification = towards('app.bsky.graph.verification', (handle) => ({
  handle,
  displayName: (handle.split('.')[0] as string).replace(/^./, (first) => first.toUpperCase()),
}))

const purposes = ['curatelist', 'modlist', 'referencelist'] as const

export const newList = create(list, ({ random, createdAt }) => ({
  purpose: `app.bsky.graph.defs#${random.pick(purposes)}`,
  name: title(random).slice(0, 64),
  description: sentence(random),
  ...(random.chance(0.3) && { avatar: blob(random, 'image/jpeg') }),
  createdAt: createdAt(),
}))

export const listItem = create('app.bsky.graph.listitem', ({ account, world, random, createdAt }) => {
  const target = random.pick(world.of(list, account.did))
  const subject = world.someone(random)
  if (!target || !subject) return undefined
  if (world.has(account.did, 'app.bsky.graph.listitem', `${target.uri} ${subject.did}`)) return undefined
  return { subject: subject.did, list: target.uri, createdAt: createdAt() }
})

export const listBlock = create('app.bsky.graph.listblock', ({ account, world, random, createdAt }) => {
  const target = random.pick(world.of(list).filter(({ record }) => String(record['purpose']).endsWith('modlist')))
  if (!target || world.has(account.did, 'app.bsky.graph.listblock', target.uri)) return undefined
  return { subject: target.uri, createdAt: createdAt() }
})

export const starterPack = create('app.bsky.graph.starterpack', ({ account, world, random, createdAt }) => {
  const target = random.pick(world.of(list, account.did))
  const feed = random.pick(world.of('app.bsky.feed.generator'))
  if (!target) return undefined
  return {
    name: title(random).slice(0, 50),
    description: sentence(random),
    list: target.uri,
    ...(feed && { feeds: [{ uri: feed.uri }] }),
    createdAt: createdAt(),
  }
})

export const referenceListOptOut = create('app.bsky.graph.referencelistoptout', ({ world, random, createdAt }) => {
  const target = random.pick(world.of(list).filter(({ record }) => String(record['purpose']).endsWith('referencelist')))
  return target && { subject: target.uri, createdAt: createdAt() }
})
