import type { KnownRecord } from '../world.ts'
import { aspectRatio, blob, create, type Kind, type Scene, strongRef } from './kind.ts'
import { RichText, sentence, title, word } from './text.ts'

const post = 'app.bsky.feed.post'

/** A post: text and a time, and what makes it special. */
function newPost(special: (scene: Scene) => object | undefined = () => ({})): Kind {
  return create(post, (scene) => {
    const more = special(scene)
    return more && { text: sentence(scene.random), createdAt: scene.createdAt(), ...more }
  })
}

export const plain = newPost(({ random }) => (random.chance(0.3) ? { langs: ['en'] } : {}))

export const withFacets = newPost(({ random, world }) => {
  const rich = new RichText()
  if (random.chance(0.3)) rich.add('👩🏽‍🌾 ')
  const mentioned = world.someone(random)
  if (!mentioned) return undefined
  rich.add(`${sentence(random, 1, 4)} `)
  rich.add(`@${mentioned.handle}`, { $type: 'app.bsky.richtext.facet#mention', did: mentioned.did })
  if (random.chance(0.5)) {
    rich.add(' ').add('mill.test/wheel', { $type: 'app.bsky.richtext.facet#link', uri: 'https://mill.test/wheel' })
  }
  const tag = word(random)
  rich.add(' ').add(`#${tag}`, { $type: 'app.bsky.richtext.facet#tag', tag })
  return { text: rich.text, facets: rich.facets }
})

export const withTagsAndLabels = newPost(({ random }) => ({
  tags: [word(random), word(random)],
  langs: ['en', 'fi'],
  labels: { $type: 'com.atproto.label.defs#selfLabels', values: [{ val: 'nudity' }] },
}))

/** Mostly to the newest posts, so that threads grow long. */
export const reply = newPost(({ random, world }) => {
  const posts = world.of(post)
  const recent = posts.length - 1 - Math.floor(posts.length * random.fraction() ** 3)
  const parent = posts[Math.max(0, recent)]
  return parent && { reply: { root: rootOf(parent), parent: strongRef(parent) } }
})

/** A thread by oneself. */
export const replyToSelf = newPost(({ random, world, account }) => {
  const parent = random.pick(world.of(post, account.did))
  return parent && { reply: { root: rootOf(parent), parent: strongRef(parent) } }
})

function rootOf(parent: KnownRecord): object {
  return (parent.record['reply'] as { root: object } | undefined)?.root ?? strongRef(parent)
}

const quotable = [
  post,
  post,
  post,
  'app.bsky.feed.generator',
  'app.bsky.graph.list',
  'app.bsky.graph.starterpack',
] as const

export const quote = newPost(({ random, world }) => {
  const quoted = random.pickPopular(world.of(random.pick(quotable))) ?? random.pick(world.of(post))
  return quoted && { embed: { $type: 'app.bsky.embed.record', record: strongRef(quoted) } }
})

export const withImages = newPost((scene) => ({ embed: images(scene) }))

export const withGallery = newPost(({ random }) => ({
  embed: {
    $type: 'app.bsky.embed.gallery',
    items: Array.from({ length: 2 + random.below(7) }, () => ({
      $type: 'app.bsky.embed.gallery#image',
      image: blob(random, 'image/jpeg'),
      alt: sentence(random, 1, 6),
      aspectRatio: aspectRatio(random),
    })),
  },
}))

export const withExternal = newPost((scene) => ({ embed: external(scene) }))

export const withVideo = newPost((scene) => ({ embed: video(scene) }))

export const quoteWithMedia = newPost((scene) => {
  const quoted = scene.random.pickPopular(scene.world.of(post))
  const media = scene.random.pick([images, external, video])
  return (
    quoted && {
      embed: {
        $type: 'app.bsky.embed.recordWithMedia',
        record: { $type: 'app.bsky.embed.record', record: strongRef(quoted) },
        media: media(scene),
      },
    }
  )
})

function images({ random }: Scene): object {
  return {
    $type: 'app.bsky.embed.images',
    images: Array.from({ length: 1 + random.below(4) }, () => ({
      image: blob(random, 'image/jpeg'),
      alt: random.chance(0.5) ? sentence(random, 2, 8) : '',
      ...(random.chance(0.5) && { aspectRatio: aspectRatio(random) }),
    })),
  }
}

export function external({ random }: Scene): object {
  return {
    $type: 'app.bsky.embed.external',
    external: {
      uri: `https://mill.test/${word(random)}`,
      title: title(random),
      description: sentence(random),
      ...(random.chance(0.5) && { thumb: blob(random, 'image/png') }),
    },
  }
}

function video({ random }: Scene): object {
  return {
    $type: 'app.bsky.embed.video',
    video: blob(random, 'video/mp4'),
    aspectRatio: aspectRatio(random),
    ...(random.chance(0.5) && {
      alt: sentence(random, 2, 8),
      captions: [{ lang: 'en', file: blob(random, 'text/vtt', 900) }],
    }),
  }
}
