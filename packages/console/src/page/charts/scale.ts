/** Seconds that people think in, for marks on an axis. */
const marks: readonly number[] = [1, 10, 60, 600, 3_600, 6 * 3_600, 86_400, 3 * 86_400, 10 * 86_400, 30 * 86_400]

/** Where a time lies on an axis from a second to `most`, as a share of it: a second and a day are both to be seen. */
export function logShare(seconds: number, most: number): number {
  if (seconds <= 1) return 0
  return Math.min(1, Math.log(seconds) / Math.log(Math.max(most, 2)))
}

/** The end of such an axis: the first mark that nothing exceeds, or the last one, where what exceeds it is drawn. */
export function endOfAxis(values: readonly number[]): number {
  const greatest = Math.max(1, ...values)
  return marks.find((mark) => mark >= Math.max(60, greatest)) ?? marks.at(-1)!
}

/** The marks of such an axis. */
export function marksUpTo(most: number): number[] {
  return marks.filter((mark) => mark <= most)
}

/** Full hours, half hours or so within a span, few enough to be read; milliseconds since 1970. */
export function timeMarks(from: number, to: number, most: number): number[] {
  const steps = [60, 300, 600, 1_800, 3_600, 3 * 3_600, 6 * 3_600, 86_400, 7 * 86_400].map((s) => s * 1_000)
  const step = steps.find((each) => (to - from) / each <= most) ?? steps.at(-1)!
  const first = Math.ceil(from / step) * step
  return Array.from({ length: Math.max(0, Math.floor((to - first) / step) + 1) }, (_, index) => first + index * step)
}
