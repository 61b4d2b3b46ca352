/** Words of PromQL that stand where a metric could. */
const words: ReadonlySet<string> = new Set(['by', 'or', 'and', 'unless', 'without', 'on', 'ignoring', 'bool', 'offset'])

/** The metrics that an expression of PromQL looks at: names that are neither functions, labels nor text. */
export function metricsOf(expr: string): string[] {
  const bare = expr
    .replace(/"(?:[^"\\]|\\.)*"/g, '""')
    .replace(/\{[^}]*\}/g, '')
    .replace(/\[[^\]]*\]/g, '')
    .replace(/\b(?:by|without|on|ignoring)\s*\([^)]*\)/g, '')
  const names = [...bare.matchAll(/\b[a-zA-Z_:][\w:]*\b(?!\s*\()/g)].map(([name]) => name)
  return [...new Set(names.filter((name) => !words.has(name)))]
}
