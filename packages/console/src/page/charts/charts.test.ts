import { array, assert, integer, property } from 'fast-check'
import { describe, expect, test } from 'vitest'
import { daysOf, holesOf, shadeOf } from './heatmap-days.ts'
import { endOfAxis, logShare, marksUpTo, timeMarks } from './scale.ts'
import { treemap } from './treemap.ts'

describe('the treemap', () => {
  test('gives each part its share, without overlap and within the whole', () => {
    const sizes = array(integer({ min: 1, max: 10_000 }), { minLength: 1, maxLength: 40 })
    assert(
      property(sizes, (sizes) => {
        const tiles = treemap(
          sizes.map((size, index) => ({ value: index, size })),
          800,
          300,
        )
        const total = sizes.reduce((sum, size) => sum + size, 0)
        expect(tiles).toHaveLength(sizes.length)
        for (const { value, x, y, width, height } of tiles) {
          expect(width * height).toBeCloseTo((800 * 300 * sizes[value]!) / total, 4)
          expect(Math.min(x, y)).toBeGreaterThanOrEqual(-1e-6)
          expect(x + width).toBeLessThanOrEqual(800 + 1e-6)
          expect(y + height).toBeLessThanOrEqual(300 + 1e-6)
        }
        for (const [index, a] of tiles.entries())
          for (const b of tiles.slice(index + 1)) {
            const across = Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x)
            const down = Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y)
            expect(Math.min(across, down)).toBeLessThan(1e-6)
          }
      }),
      { numRuns: 50 },
    )
  })

  test('leaves out what has no size, and equal parts are nearly square', () => {
    const tiles = treemap(
      [...Array.from({ length: 12 }, (_, value) => ({ value, size: 1 })), { value: 99, size: 0 }],
      400,
      300,
    )
    expect(tiles).toHaveLength(12)
    for (const { width, height } of tiles) expect(Math.max(width / height, height / width)).toBeLessThan(1.5)
  })
})

describe('the heatmap', () => {
  const hour = (start: string, rows: number, isHole = false) => ({ start: `2025-10-${start}:00:00.000Z`, rows, isHole })
  const buckets = [
    hour('13T22', 50),
    hour('13T23', 0, true),
    hour('14T00', 1, true),
    hour('14T01', 100),
    hour('14T02', 0, true),
    hour('14T03', 7),
  ]

  test('has a line for each day and a place for each hour', () => {
    const days = daysOf(buckets)
    expect(days.map(({ day, hours }) => [day, hours.map((cell) => cell?.shade ?? '.').join('')])).toEqual([
      ['2025-10-13', '......................30'],
      ['2025-10-14', '1501....................'],
    ])
    expect(days[1]!.hours[3]).toMatchObject({ isOpen: true, isHole: false })
  })

  test('hours without rows that follow each other are one hole', () => {
    expect(holesOf(buckets, 3_600)).toEqual([
      { from: '2025-10-13T23:00:00.000Z', to: '2025-10-14T01:00:00.000Z', hours: 2 },
      { from: '2025-10-14T02:00:00.000Z', to: '2025-10-14T03:00:00.000Z', hours: 1 },
    ])
  })

  test('a single row can be told from none', () => {
    expect([shadeOf(0, 1_000), shadeOf(1, 1_000), shadeOf(1_000, 1_000), shadeOf(0, 0)]).toEqual([0, 1, 5, 0])
  })
})

describe('the axis of times', () => {
  test('shows a second and three days, each with its place', () => {
    const end = endOfAxis([3, 200_000])
    expect(end).toBe(3 * 86_400)
    expect(logShare(1, end)).toBe(0)
    expect(logShare(end, end)).toBe(1)
    expect(logShare(600, end)).toBeGreaterThan(logShare(60, end))
    expect(marksUpTo(end).at(-1)).toBe(end)
  })

  test('is never shorter than a minute, and never longer than its last mark', () => {
    expect(endOfAxis([])).toBe(60)
    expect(logShare(10 ** 9, endOfAxis([10 ** 9]))).toBe(1)
  })

  test('has marks at full times, and not too many', () => {
    const at = Date.parse('2025-10-14T12:34:00.000Z')
    const marks = timeMarks(at - 86_400_000, at, 8)
    expect(marks.length).toBeLessThanOrEqual(9)
    expect(marks.length).toBeGreaterThan(3)
    for (const mark of marks) expect(mark % 3_600_000).toBe(0)
  })
})
