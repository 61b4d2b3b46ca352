import type { VNode } from 'preact'
import { useAnswer } from '../api/use-answer.ts'
import { useNow } from '../api/use-now.ts'
import { addressOf } from '../address.ts'
import { Answered } from '../parts/answered.tsx'
import { Card } from '../parts/card.tsx'
import { ChangeButton } from '../parts/change-button.tsx'
import { Table } from '../parts/table.tsx'
import { ago } from '../words/duration.ts'

export function BackfillPage(): VNode {
  const now = useNow()
  const dirty = useAnswer('listRepos', { state: 'dirty', limit: 50 }, 10_000)
  return (
    <Card title="Accounts to be fetched">
      <Answered answer={dirty}>
        {({ repos }) => (
          <Table
            caption="Accounts to be fetched"
            rows={repos}
            keyOf={({ did }) => did}
            empty="No account waits to be fetched."
            columns={[
              { title: 'Account', cell: ({ did, handle }) => <a href={addressOf('trace', did)}>{handle ?? did}</a> },
              { title: 'Why', cell: ({ reason = '–' }) => reason },
              { title: 'Since', cell: ({ since }) => (since === undefined ? '–' : ago(since, now)) },
              { title: 'Attempts', isNumber: true, cell: ({ attempts = 0 }) => attempts },
              { title: 'Last error', cell: ({ lastError = '' }) => lastError },
              {
                title: 'Ask',
                cell: ({ did }) => <ChangeButton label="First" method="resyncRepos" input={{ dids: [did] }} />,
              },
            ]}
          />
        )}
      </Answered>
    </Card>
  )
}
