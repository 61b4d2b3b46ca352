/** Where a page is, with what it is about: `#/trace/did%3Aplc%3Aabc`. */
export function addressOf(path: string, rest?: string): string {
  return rest === undefined ? `#/${path}` : `#/${path}/${encodeURIComponent(rest)}`
}
