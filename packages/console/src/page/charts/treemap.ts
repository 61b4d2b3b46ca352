/** A part of the whole, with how large it is. */
export interface Part<T> {
  value: T
  size: number
}

export interface Tile<T> {
  value: T
  x: number
  y: number
  width: number
  height: number
}

/**
 * Divides a rectangle between parts by their sizes, as nearly square as it goes: rows along the shorter side, each
 * filled as long as that makes its tiles no longer (Bruls, Huizing and van Wijk, Squarified Treemaps).
 */
export function treemap<T>(parts: readonly Part<T>[], width: number, height: number): Tile<T>[] {
  const sized = parts.filter(({ size }) => size > 0).toSorted((a, b) => b.size - a.size)
  const total = sized.reduce((sum, { size }) => sum + size, 0)
  const tiles: Tile<T>[] = []
  let rest = { x: 0, y: 0, width, height }
  for (let at = 0; at < sized.length;) {
    const short = Math.min(rest.width, rest.height)
    const scale = (width * height) / total
    let end = at + 1
    while (
      end < sized.length &&
      worstRatio(sized.slice(at, end + 1), scale, short) <= worstRatio(sized.slice(at, end), scale, short)
    )
      end++
    const row = sized.slice(at, end)
    const thickness = (row.reduce((sum, { size }) => sum + size, 0) * scale) / short
    let along = 0
    for (const { value, size } of row) {
      const length = (size * scale) / thickness
      tiles.push(
        rest.width >= rest.height
          ? { value, x: rest.x, y: rest.y + along, width: thickness, height: length }
          : { value, x: rest.x + along, y: rest.y, width: length, height: thickness },
      )
      along += length
    }
    rest =
      rest.width >= rest.height
        ? { ...rest, x: rest.x + thickness, width: rest.width - thickness }
        : { ...rest, y: rest.y + thickness, height: rest.height - thickness }
    at = end
  }
  return tiles
}

/** How far from square the worst tile of a row is. */
function worstRatio(row: readonly Part<unknown>[], scale: number, short: number): number {
  const area = row.reduce((sum, { size }) => sum + size * scale, 0)
  const thickness = area / short
  return Math.max(
    ...row.map(({ size }) => {
      const length = (size * scale) / thickness
      return Math.max(length / thickness, thickness / length)
    }),
  )
}
