/** Rows as lines of text. The first so many columns are words, and the others numbers, which end where others end. */
export function alignColumns(rows: readonly (readonly string[])[], words = 1): string[] {
  const widths = rows[0]?.map((_, index) => Math.max(...rows.map((row) => row[index]!.length))) ?? []
  return rows.map((row) =>
    row
      .map((cell, index) => {
        const gap = index === 0 ? '' : '  '
        return gap + (index < words ? cell.padEnd(widths[index]!) : cell.padStart(widths[index]!))
      })
      .join('')
      .trimEnd(),
  )
}
