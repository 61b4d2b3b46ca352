import type { ComponentType } from 'preact'
import { AlarmsPage } from './pages/alarms-page.tsx'
import { BackfillPage } from './pages/backfill-page.tsx'
import { DeadLettersPage } from './pages/dead-letters-page.tsx'
import { DoctorPage } from './pages/doctor-page.tsx'
import { FreshnessPage } from './pages/freshness-page.tsx'
import { GapsPage } from './pages/gaps-page.tsx'
import { LagPage } from './pages/lag-page.tsx'
import { OverviewPage } from './pages/overview-page.tsx'
import { StreamsPage } from './pages/streams-page.tsx'
import { TracePage } from './pages/trace-page.tsx'

export interface Page {
  /** In the address, after `#/`. */
  path: string
  Show: ComponentType<{ rest: string }>
}

/** In the order of the menu. */
export const pages: readonly Page[] = [
  { path: '', Show: OverviewPage },
  { path: 'lag', Show: LagPage },
  { path: 'freshness', Show: FreshnessPage },
  { path: 'streams', Show: StreamsPage },
  { path: 'backfill', Show: BackfillPage },
  { path: 'dead-letters', Show: DeadLettersPage },
  { path: 'gaps', Show: GapsPage },
  { path: 'trace', Show: TracePage },
  { path: 'doctor', Show: DoctorPage },
  { path: 'alarms', Show: AlarmsPage },
]

/** The page of an address, and what stands after its name: `#/trace/did:plc:abc`. */
export function pageAt(hash: string): { page: Page; rest: string } {
  const [, path = '', rest = ''] = /^#\/([^/]*)\/?(.*)$/s.exec(hash) ?? []
  const page = pages.find((each) => each.path === path) ?? pages[0]!
  return { page, rest: decoded(rest) }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return ''
  }
}
