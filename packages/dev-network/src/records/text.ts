import type { Random } from '../random.ts'

const words = (
  'river mill wheel stone water grain flour morning window garden letter signal harbour copper lantern orchard ' +
  'meadow bicycle kettle thunder pocket ribbon marble cedar winter summer question answer story market bridge ' +
  'quiet early slow bright heavy open little round certain yellow walks turns carries listens builds finds keeps ' +
  'forgets remembers paints waits and or but under over between without because although the a this every'
).split(' ') as [string, ...string[]]

const decorations = ['🌊', '🌾', '👩🏽‍🌾', '中文', 'العربية', 'éà', '𝔪', '🇫🇮'] as const

export function sentence(random: Random, least = 3, most = 24): string {
  const count = least + random.below(most - least + 1)
  const text = Array.from({ length: count }, () => random.pick(words)).join(' ')
  const decorated = random.chance(0.2) ? `${text} ${random.pick(decorations)}` : text
  return decorated.slice(0, 1).toUpperCase() + decorated.slice(1)
}

export const title = (random: Random): string => sentence(random, 1, 3)

export const word = (random: Random): string => random.pick(words)

/** Text with its features in it: facets point at bytes of the UTF-8 form. */
export class RichText {
  text = ''
  readonly facets: object[] = []

  add(text: string, feature?: object): this {
    const byteStart = Buffer.byteLength(this.text)
    this.text += text
    if (feature) {
      this.facets.push({ index: { byteStart, byteEnd: Buffer.byteLength(this.text) }, features: [feature] })
    }
    return this
  }
}
