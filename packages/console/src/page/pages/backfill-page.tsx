import type { GetBackfillOutput, Host } from '@millrace/admin-api'
import type { VNode } from 'preact'
import { useAnswer } from '../api/use-answer.ts'
import { useNow } from '../api/use-now.ts'
import { addressOf } from '../address.ts'
import { HostMap, hostLevel } from '../charts/host-map.tsx'
import { Answered } from '../parts/answered.tsx'
import { Card } from '../parts/card.tsx'
import { ChangeButton } from '../parts/change-button.tsx'
import { Mark } from '../parts/mark.tsx'
import { Table } from '../parts/table.tsx'
import { amount, counted } from '../words/amount.ts'
import { backfillVerdict } from '../words/backfill-verdict.ts'
import { ago, duration } from '../words/duration.ts'

export function BackfillPage(): VNode {
  const now = useNow()
  const backfill = useAnswer('getBackfill', {}, 5_000)
  const hosts = useAnswer('listHosts', { sort: 'failing', limit: 200 }, 10_000)
  const dirty = useAnswer('listRepos', { state: 'dirty', limit: 50 }, 10_000)
  return (
    <>
      <Answered answer={backfill}>{(value) => <HowFar backfill={value} />}</Answered>
      <Card
        title="Hosts"
        note="Each as large as the requests that it takes in a minute, as far as backfillers have learned. What fails, waits or is paused is coloured."
      >
        <Answered answer={hosts}>
          {({ hosts, cursor }) => (
            <>
              <HostMap hosts={hosts} />
              {cursor !== undefined && (
                <p class="note">These are the {hosts.length} that fail the most; there are more.</p>
              )}
              <Troubled hosts={hosts} now={now} />
            </>
          )}
        </Answered>
      </Card>
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
    </>
  )
}

function HowFar({ backfill }: { backfill: GetBackfillOutput }): VNode {
  const { state, listed, waiting, running, retrying, failed, perMinute, backfillers } = backfill
  const { level, sentence } = backfillVerdict(backfill)
  const figures: [name: string, value: string][] = [
    ['Listed, and waiting', listed === undefined ? '–' : amount(listed)],
    ['Asked for by people', amount(waiting.asked)],
    ['Lost by a firehose', amount(waiting.live)],
    ['Wanted by a repair', amount(waiting.repair)],
    ['Added', amount(waiting.backfill)],
    ['Being fetched', amount(running)],
    ['Tried again', amount(retrying)],
    ['Given up', amount(failed)],
    ['Repos a minute', amount(perMinute)],
  ]
  return (
    <Card aside={counted(backfillers, 'backfiller')}>
      <p class="said">
        <Mark level={level} /> <strong>{sentence}</strong>
      </p>
      <dl class="counts">
        {figures.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      <div class="buttons">
        {state === 'paused' ? (
          <ChangeButton label="Go on" method="controlBackfill" input={{ action: 'resume' }} isMain />
        ) : (
          <ChangeButton label="Pause the backfill" method="controlBackfill" input={{ action: 'pause' }} />
        )}
        {failed + retrying > 0 && <ChangeButton label="Try again what failed" method="retryFailed" input={{}} />}
      </div>
    </Card>
  )
}

function Troubled({ hosts, now }: { hosts: readonly Host[]; now: number }): VNode {
  return (
    <Table
      caption="Hosts that are not well"
      rows={hosts.filter((host) => hostLevel(host) !== 'ok')}
      keyOf={({ host }) => host}
      empty="Every host is well."
      columns={[
        {
          title: 'Host',
          cell: (host) => (
            <>
              <Mark level={hostLevel(host)} /> {host.host}
            </>
          ),
        },
        { title: 'State', cell: ({ state }) => state },
        {
          title: 'Left alone for',
          isNumber: true,
          cell: ({ waitSeconds }) => (waitSeconds === undefined ? '–' : duration(waitSeconds)),
        },
        { title: 'Failures in a row', isNumber: true, cell: ({ failures }) => amount(failures) },
        { title: 'Last failure', cell: ({ failedAt }) => (failedAt === undefined ? '–' : ago(failedAt, now)) },
        { title: 'Repos given up', isNumber: true, cell: ({ failedRepos }) => amount(failedRepos) },
      ]}
    />
  )
}
