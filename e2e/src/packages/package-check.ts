import type { Outcome } from '../infra/check.ts'

export const checkNames = [
  'manifest',
  'readme',
  'dependencies',
  'layers',
  'contents',
  'publint',
  'types',
  'api',
  'docs',
  'unused',
  'install',
] as const
export type CheckName = (typeof checkNames)[number]

/** Something that has to hold of a package before strangers install it. */
export interface PackageCheck {
  /** Its name without the scope; `all` for what is looked at together. */
  subject: string
  name: CheckName
  what: string
  run(): Promise<Outcome> | Outcome
}

/** A check that finds problems. */
export const check = (
  subject: string,
  name: CheckName,
  what: string,
  find: () => Promise<readonly string[]> | readonly string[],
): PackageCheck => ({ subject, name, what, run: async () => ({ problems: await find() }) })
