import { readdirSync, readFileSync } from 'node:fs'
import { parseLexiconDoc, type LexiconDoc } from '@atproto/lexicon'

const folder = new URL('../lexicons/dev/millrace/admin/', import.meta.url)

/** The lexicons of all admin methods, from the files that are published with this package. By name. */
export function readAdminLexicons(): LexiconDoc[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.json'))
    .toSorted()
    .map((name) => parseLexiconDoc(JSON.parse(readFileSync(new URL(name, folder), 'utf8'))))
}
