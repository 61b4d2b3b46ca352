import type { Pause } from '@millrace/admin-api'
import type { VNode } from 'preact'
import { useNow } from '../api/use-now.ts'
import { ago, ahead } from '../words/duration.ts'
import { ChangeButton } from './change-button.tsx'
import { Table } from './table.tsx'

/** What people have paused, and the way back. */
export function Pauses({ pauses }: { pauses: readonly Pause[] }): VNode {
  const now = useNow()
  return (
    <Table
      caption="Paused parts"
      rows={pauses}
      keyOf={({ kind, name }) => `${kind} ${name}`}
      empty="Nothing is paused."
      columns={[
        { title: 'What', cell: ({ kind, name }) => `${kind} ${name}` },
        { title: 'By', cell: ({ who }) => who },
        { title: 'Why', cell: ({ reason }) => reason },
        { title: 'Since', cell: ({ since }) => ago(since, now) },
        {
          title: 'Goes on',
          cell: ({ until }) => (until === undefined ? 'when it is told to' : `in ${ahead(until, now)}`),
        },
        {
          title: 'Resume',
          cell: ({ kind, name }) => (
            <ChangeButton
              label="Resume"
              method="resume"
              input={{ target: name, kind: kind as 'role' | 'group' | 'host' | 'collection' }}
            />
          ),
        },
      ]}
    />
  )
}
