import type { Host } from '@millrace/admin-api'
import type { VNode } from 'preact'
import { useWidth } from '../parts/use-width.ts'
import { amount, counted } from '../words/amount.ts'
import { wordOf, type Level } from '../words/level.ts'
import { treemap } from './treemap.ts'

const HEIGHT = 240
/** Width of a letter, in pixels. */
const LETTER = 7

/** How a host stands. */
export function hostLevel({ state, failedRepos }: Pick<Host, 'state' | 'failedRepos'>): Level {
  if (state === 'failing') return 'bad'
  if (state === 'waiting' || failedRepos > 0) return 'warn'
  return state === 'paused' ? 'unknown' : 'ok'
}

/** Hosts by how much they take. One that was not asked lately is as small as can be. */
export function HostMap({ hosts }: { hosts: readonly Host[] }): VNode {
  const { ref, width } = useWidth<HTMLDivElement>(960)
  const tiles = treemap(
    hosts.map((value) => ({ value, size: Math.max(1, value.perMinute ?? 1) })),
    width,
    HEIGHT,
  )
  if (hosts.length === 0) return <p class="empty">No host was asked for repos yet.</p>
  const unwell = hosts.filter((host) => hostLevel(host) !== 'ok').length
  return (
    <div ref={ref}>
      <svg
        class="treemap"
        viewBox={`0 0 ${width} ${HEIGHT}`}
        role="img"
        aria-label={`${counted(hosts.length, 'host')}, ${unwell === 0 ? 'all of them well' : `${amount(unwell)} not well`}`}
      >
        {tiles.map(({ value, x, y, width, height }) => (
          <g key={value.host} data-level={hostLevel(value)} transform={`translate(${x.toFixed(1)} ${y.toFixed(1)})`}>
            <title>{`${value.host}: ${said(value)}`}</title>
            <rect width={width} height={height} rx={4} />
            {width > 60 && height > 26 && (
              <text x={9} y={20}>
                {cut(value.host, Math.floor((width - 16) / LETTER))}
              </text>
            )}
            {width > 60 && height > 46 && (
              <text class="small" x={9} y={37}>
                {cut(said(value), Math.floor((width - 16) / LETTER))}
              </text>
            )}
          </g>
        ))}
      </svg>
    </div>
  )
}

function said(host: Host): string {
  const { state, perMinute } = host
  const rate = perMinute === undefined ? 'not asked lately' : `${amount(perMinute)}/min`
  return state === 'ok' && hostLevel(host) === 'ok'
    ? rate
    : `${state === 'ok' ? wordOf[hostLevel(host)] : state}, ${rate}`
}

function cut(text: string, most: number): string {
  return text.length <= most ? text : `${text.slice(0, Math.max(1, most - 1))}…`
}
