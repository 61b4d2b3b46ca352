import { readFileSync } from 'node:fs'
import { parseLexiconDoc, type LexiconDoc } from '@atproto/lexicon'

const methods = ['dev.millrace.admin.getStatus']

/** The lexicons of this server, from the files that are published with it. */
export function readLexicons(): LexiconDoc[] {
  return methods.map((nsid) => {
    const file = new URL(`../lexicons/${nsid.replaceAll('.', '/')}.json`, import.meta.url)
    return parseLexiconDoc(JSON.parse(readFileSync(file, 'utf8')))
  })
}
