/** What tells a story on stderr from now on, each line with the seconds that have passed. */
export function beginStory(): (text: string) => void {
  const startedAt = performance.now()
  return (text) => {
    const seconds = ((performance.now() - startedAt) / 1_000).toFixed(0)
    process.stderr.write(`${seconds.padStart(4)} s  ${text}\n`)
  }
}
