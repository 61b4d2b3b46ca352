/** What keeps the promises, by what goes wrong without it. Each can be done without, so that a test proves that it notices. */
export const guards = {
  rev: 'an older version replaces a newer one (G6)',
} as const

export type Guard = keyof typeof guards
