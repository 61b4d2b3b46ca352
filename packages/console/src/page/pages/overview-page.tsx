import type { VNode } from 'preact'
import { useAnswer } from '../api/use-answer.ts'
import { useNow } from '../api/use-now.ts'
import { addressOf } from '../address.ts'
import { FlowPicture } from '../charts/flow-picture.tsx'
import { Answered } from '../parts/answered.tsx'
import { Card } from '../parts/card.tsx'
import { Command } from '../parts/command.tsx'
import { Mark } from '../parts/mark.tsx'
import { Table } from '../parts/table.tsx'
import { amount } from '../words/amount.ts'
import { ago, duration } from '../words/duration.ts'
import { problemsOf, type ShownProblem } from '../words/problems.ts'
import { pageTitles } from '../page-titles.ts'

export function OverviewPage(): VNode {
  const now = useNow()
  const status = useAnswer('getStatus', {}, 4_000)
  const audit = useAnswer('listAudit', { limit: 5 }, 30_000)
  return (
    <>
      <Answered answer={status}>
        {(value) => {
          const problems = problemsOf(value, now)
          return (
            <>
              {problems.length > 0 && (
                <Card title="Open problems">
                  <ol class="problems">
                    {problems.map((problem) => (
                      <Problem key={problem.key} problem={problem} />
                    ))}
                  </ol>
                </Card>
              )}
              <Card title="From the network to the rows" aside={storeNames[value.store.kind] ?? value.store.kind}>
                <FlowPicture status={value} />
              </Card>
              <div class="figures">
                <Figure
                  name="Furthest behind"
                  value={duration(Math.max(0, ...value.streams.map((s) => s.lagSeconds)))}
                  page="lag"
                />
                <Figure name="Waiting entries" value={amount(sum(value.streams.map((s) => s.length)))} page="streams" />
                <Figure name="Accounts to fetch" value={known(value.database?.dirty.count)} page="backfill" />
                <Figure
                  name="Dead letters"
                  value={known(value.database && sum(value.database.deadLetters.map((l) => l.count)))}
                  page="dead-letters"
                />
                <Figure name="Open gaps" value={known(value.database?.gaps.length)} page="gaps" />
              </div>
            </>
          )
        }}
      </Answered>
      <Card title="Last changes by hand">
        <Answered answer={audit}>
          {({ entries }) => (
            <Table
              caption="Last changes by hand"
              rows={entries}
              keyOf={({ id }) => id}
              empty="Nobody has changed anything by an admin method."
              columns={[
                { title: 'When', cell: ({ at }) => ago(at, now) },
                {
                  title: 'What',
                  cell: ({ method, target }) => (
                    <>
                      <strong>{method}</strong> {target}
                    </>
                  ),
                },
                { title: 'Who', cell: ({ who }) => who },
                { title: 'Why', cell: ({ reason = '' }) => reason },
                { title: 'Takes it back', cell: ({ undo }) => undo !== undefined && <Command text={undo} /> },
              ]}
            />
          )}
        </Answered>
      </Card>
    </>
  )
}

const storeNames: Readonly<Record<string, string>> = { redis: 'Redis', sqlite: 'SQLite' }

function Problem({ problem }: { problem: ShownProblem }): VNode {
  const { level, message, meaning, age, command, runbook, page } = problem
  return (
    <li>
      <Mark level={level} />
      <div>
        <p>
          <strong>{message}.</strong> <span class="quiet-text">{age}</span>
        </p>
        <p class="note">{meaning}</p>
        <p class="next">
          {command !== '' && <Command text={command} />}
          {runbook !== undefined && (
            <a href={runbook} rel="noreferrer noopener" target="_blank">
              Runbook
            </a>
          )}
        </p>
      </div>
      <a class="go" href={addressOf(page)}>
        {pageTitles[page]}
      </a>
    </li>
  )
}

function Figure({ name, value, page }: { name: string; value: string; page: string }): VNode {
  return (
    <a class="figure" href={addressOf(page)}>
      <span class="value">{value}</span>
      <span class="name">{name}</span>
    </a>
  )
}

function known(count: number | undefined): string {
  return count === undefined ? '–' : amount(count)
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}
