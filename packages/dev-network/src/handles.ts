const names = (
  'alice bob carol dan erin frank grace heidi ivan judy kim leo mallory niaj olivia peggy quentin rupert sybil trent ' +
  'uma victor walter xenia yves zoe'
).split(' ')

/** `alice.test`, `bob.test` and so on; once the names are used up, with numbers. */
export function handleOf(index: number): string {
  const round = Math.floor(index / names.length)
  return `${names[index % names.length]}${round > 0 ? `-${round + 1}` : ''}.test`
}
