import { writeFileSync } from 'node:fs'
import { readAdminLexicons } from '../lexicons.ts'
import type { Lexicon } from './definition.ts'
import { docsOfLexicons } from './docs-of-lexicons.ts'
import { typesOfLexicons } from './types-of-lexicons.ts'

const lexicons = readAdminLexicons() as Lexicon[]
writeFileSync(new URL('../generated.ts', import.meta.url), typesOfLexicons(lexicons))
writeFileSync(new URL('../../../../docs/admin-api.md', import.meta.url), docsOfLexicons(lexicons))
