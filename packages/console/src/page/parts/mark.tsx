import type { VNode } from 'preact'
import { wordOf, type Level } from '../words/level.ts'

const shapes: Record<Level, string> = {
  ok: 'M4.5 8.200 7 10.700 11.500 5.600',
  unknown: 'M5 8h6',
  warn: 'M8 4.500v4.200M8 11.300v.2',
  bad: 'M5.200 5.200l5.600 5.600M10.800 5.200l-5.600 5.600',
}

/** How something stands, by shape and colour, and in a word for who hears the page. */
export function Mark({ level }: { level: Level }): VNode {
  return (
    <svg class="mark" data-level={level} viewBox="0 0 16 16" role="img" aria-label={wordOf[level]}>
      <circle cx="8" cy="8" r="7.500" />
      <path d={shapes[level]} />
    </svg>
  )
}
