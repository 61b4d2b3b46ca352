import type { PublicEntry, PublicName } from './public-name.ts'

/** What an `…Options` is for is told where it is taken; its fields are told in it. */
const isTold = ({ doc, tags, name, kind }: PublicName): boolean =>
  doc !== '' || tags.length > 0 || (kind === 'interface' && name.endsWith('Options'))

/** @returns exported names, and methods of exported classes, that have no docstring. */
export const docsProblems = (entries: readonly PublicEntry[]): string[] =>
  entries.flatMap(({ exported }) =>
    exported.flatMap((one) => [
      ...(isTold(one) ? [] : [`${one.name} has no docstring (${one.source})`]),
      ...one.undocumentedMethods.map((method) => `${one.name}.${method} has no docstring (${one.source})`),
    ]),
  )
