import { seededBytes } from '../random.ts'
import { blob, create, self, strongRef } from './kind.ts'
import { external } from './posts.ts'
import { sentence, title } from './text.ts'

export const profile = self('app.bsky.actor.profile', ({ account, world, random, createdAt }) => {
  const pinned = random.pick(world.of('app.bsky.feed.post', account.did))
  const pack = random.pick(world.of('app.bsky.graph.starterpack'))
  return {
    displayName: title(random).slice(0, 60),
    description: sentence(random),
    ...(random.chance(0.7) && { avatar: blob(random, 'image/jpeg') }),
    ...(random.chance(0.3) && { banner: blob(random, 'image/png') }),
    ...(random.chance(0.2) && { pronouns: 'they/them', website: 'https://mill.test' }),
    ...(pinned && random.chance(0.5) && { pinnedPost: strongRef(pinned) }),
    ...(pack && random.chance(0.3) && { joinedViaStarterPack: strongRef(pack) }),
    // Old profiles have none.
    ...(random.chance(0.8) && { createdAt: createdAt() }),
  }
})

export const status = self('app.bsky.actor.status', (scene) => ({
  status: 'app.bsky.actor.status#live',
  durationMinutes: 5 + scene.random.below(200),
  embed: external(scene),
  createdAt: scene.createdAt(),
}))

export const visibility = self('app.bsky.actor.contentVisibilityDeclaration', ({ random }) => ({
  hideFromAlgorithmicRecommendations: random.chance(0.5),
}))

const audiences = ['followers', 'mutuals', 'none'] as const

export const notifications = self('app.bsky.notification.declaration', ({ random }) => ({
  allowSubscriptions: random.pick(audiences),
}))

const senders = ['all', 'none', 'following'] as const

export const chat = self('chat.bsky.actor.declaration', ({ random }) => ({
  allowIncoming: random.pick(senders),
  ...(random.chance(0.5) && { allowGroupInvites: random.pick(senders) }),
}))

export const germ = self('com.germnetwork.declaration', ({ account, random }) => ({
  version: '1.1.0',
  currentKey: seededBytes('germ', account.did, random.below(1000)),
  messageMe: { messageMeUrl: 'https://germ.test/message', showButtonTo: 'everyone' },
}))

/** Undefined for all but the labeler. */
export const labelerService = self('app.bsky.labeler.service', ({ account, random, createdAt }) =>
  account.isLabeler
    ? {
        policies: {
          labelValues: ['spam', 'porn', 'rude'],
          labelValueDefinitions: [
            {
              identifier: 'rude',
              severity: 'inform',
              blurs: 'content',
              defaultSetting: 'warn',
              locales: [{ lang: 'en', name: 'Rude', description: sentence(random) }],
            },
          ],
        },
        reasonTypes: ['com.atproto.moderation.defs#reasonSpam'],
        subjectTypes: ['account', 'record'],
        createdAt: createdAt(),
      }
    : undefined,
)

/** Of an app that an AppView knows nothing about. */
export const unknown = create('org.millrace.test.measurement', ({ random, createdAt }) => ({
  nested: { list: [1, 'two', null, true, { three: 3 }] },
  bytes: seededBytes('measurement', random.below(1e9)),
  note: sentence(random),
  createdAt: createdAt(),
}))
