/** Of each page, by its place in the address. */
export const pageTitles: Readonly<Record<string, string>> = {
  '': 'Overview',
  lag: 'Lag & loss',
  freshness: 'Freshness',
  streams: 'Streams & groups',
  backfill: 'Backfill',
  'dead-letters': 'Dead letters',
  gaps: 'Gaps & repair',
  trace: 'Trace',
  doctor: 'Doctor',
  alarms: 'Alarms',
}
