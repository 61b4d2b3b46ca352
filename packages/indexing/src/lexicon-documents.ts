import { Lexicons, parseLexiconDoc, type LexiconDoc } from '@atproto/lexicon'
import type { LexiconDocument } from './record-of.ts'

/** These documents, checked, ready to check records by. @throws {TypeError} when one of them is no lexicon. */
export function lexiconsOf(documents: readonly LexiconDocument[]): Lexicons {
  // Copies: the references in them are written out in place.
  return new Lexicons(documents.map((document) => checked(structuredClone(document))))
}

function checked(document: LexiconDocument): LexiconDoc {
  try {
    return parseLexiconDoc(document)
  } catch (cause) {
    throw new TypeError(`not a lexicon document: ${document.id}: ${describeIssues(cause)}`, { cause })
  }
}

/** One line where the checker has a page. */
function describeIssues(error: unknown): string {
  const { issues } = error as { issues?: { path: (string | number)[]; message: string }[] }
  return issues?.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; ') ?? String(error)
}

/**
 * What a definition refers to, itself or through others, and none of the documents defines. A record with such a field
 * could not be checked.
 */
export function missingDefinitions(lexicons: Lexicons, uri: string): string[] {
  const seen = new Set<string>()
  const missing: string[] = []
  const visit = (uri: string): void => {
    if (seen.has(uri)) return
    seen.add(uri)
    const definition = lexicons.getDef(uri)
    if (definition === undefined) missing.push(uri.replace(/^lex:/, ''))
    else for (const ref of refsIn(definition)) visit(ref)
  }
  visit(lexicons.resolveLexUri(uri, uri))
  return missing
}

function* refsIn(value: unknown): Generator<string> {
  if (typeof value !== 'object' || value === null) return
  const { type, ref, refs } = value as { type?: unknown; ref?: unknown; refs?: unknown }
  if (type === 'ref' && typeof ref === 'string') yield ref
  else if (type === 'union' && Array.isArray(refs)) yield* refs as string[]
  else for (const part of Object.values(value)) yield* refsIn(part)
}
