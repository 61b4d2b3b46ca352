const BLOCK = /(?:`([\w.-]+\.ts)`:\n\n)?^```ts\n(.*?)^```$/gms

/** @returns the first example of a README, and files that it shows under a name; other code may go on from these. */
export function readmeExamples(readme: string): Record<string, string> {
  const blocks = [...readme.matchAll(BLOCK)].filter(([, name], at) => at === 0 || name !== undefined)
  return Object.fromEntries(blocks.map(([, name = 'example.ts', code = '']) => [name, code]))
}
