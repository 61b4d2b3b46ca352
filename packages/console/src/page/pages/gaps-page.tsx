import type { ListRepairsRepair } from '@millrace/admin-api'
import type { VNode } from 'preact'
import { useState } from 'preact/hooks'
import { useAnswer } from '../api/use-answer.ts'
import { useNow } from '../api/use-now.ts'
import { Progress } from '../charts/progress.tsx'
import { Answered } from '../parts/answered.tsx'
import { Card } from '../parts/card.tsx'
import { ChangeButton } from '../parts/change-button.tsx'
import { Mark } from '../parts/mark.tsx'
import { Table } from '../parts/table.tsx'
import { amount } from '../words/amount.ts'
import { ago } from '../words/duration.ts'
import type { Level } from '../words/level.ts'

/** `rest` is the time since which a repair is wanted. */
export function GapsPage({ rest }: { rest: string }): VNode {
  const now = useNow()
  const gaps = useAnswer('listGaps', {}, 5_000)
  const repairs = useAnswer('listRepairs', { limit: 10 }, 3_000)
  return (
    <>
      <Card title="What may be missing">
        <Answered answer={gaps}>
          {({ gaps }) => (
            <Table
              caption="Open gaps"
              rows={gaps}
              keyOf={({ id }) => id}
              empty="No gap is open."
              columns={[
                {
                  title: 'Host',
                  cell: ({ host }) => (
                    <>
                      <Mark level="warn" /> {host === '' ? 'any host' : host}
                    </>
                  ),
                },
                { title: 'Stream', cell: ({ stream }) => stream },
                { title: 'Why', cell: ({ reason }) => reason },
                {
                  title: 'Between',
                  cell: ({ fromSeq, toSeq }) =>
                    fromSeq === undefined && toSeq === undefined
                      ? 'not known'
                      : `${fromSeq ?? '?'} and ${toSeq ?? '?'}`,
                },
                { title: 'Found', cell: ({ openedAt }) => ago(openedAt, now) },
                {
                  title: 'Repair',
                  cell: ({ repair, repairState }) => (repair === undefined ? 'none yet' : `${repair}, ${repairState}`),
                },
              ]}
            />
          )}
        </Answered>
      </Card>
      <StartRepair key={rest} since={Number.isNaN(Date.parse(rest)) ? '' : rest.slice(0, 16)} />
      <Card title="Repairs" note="The repos of a host are compared with ours; those that have moved are fetched.">
        <Answered answer={repairs}>
          {({ repairs }) =>
            repairs.length === 0 ? (
              <p class="empty">There was none yet.</p>
            ) : (
              <ol class="repairs">
                {repairs.map((repair) => (
                  <Repair key={repair.id} repair={repair} now={now} />
                ))}
              </ol>
            )
          }
        </Answered>
      </Card>
    </>
  )
}

function StartRepair({ since: given }: { since: string }): VNode {
  const cursors = useAnswer('listCursors', {}, 30_000)
  const [chosen, setHost] = useState<string>()
  const [since, setSince] = useState(given)
  return (
    <Card title="Begin a repair">
      <Answered answer={cursors}>
        {(value) => {
          const hosts = [
            ...new Set(
              value.cursors
                .filter(({ stream }) => !stream.startsWith('label'))
                .map(({ host }) => host.replace(/^[a-z]+:\/\//, '')),
            ),
          ]
          const host = chosen ?? hosts[0]
          if (host === undefined) return <p class="empty">No ingester has said which hosts it reads.</p>
          const at = Date.parse(`${since}Z`)
          return (
            <div class="form-row">
              <label>
                Host
                <select value={host} onChange={({ currentTarget }) => setHost(currentTarget.value)}>
                  {hosts.map((each) => (
                    <option key={each}>{each}</option>
                  ))}
                </select>
              </label>
              <label>
                Only what has moved since (UTC; empty for all)
                <input
                  type="datetime-local"
                  value={since}
                  onInput={({ currentTarget }) => setSince(currentTarget.value)}
                />
              </label>
              <ChangeButton
                label="Begin repair"
                method="startRepair"
                input={{ host, ...(!Number.isNaN(at) && { since: new Date(at).toISOString() }) }}
                isMain
              />
            </div>
          )
        }}
      </Answered>
    </Card>
  )
}

const states: Readonly<Record<string, string>> = {
  listing: 'comparing repos',
  fetching: 'fetching what has moved',
  verifying: 'verifying',
  done: 'done',
  cancelled: 'cancelled',
}

function Repair({ repair, now }: { repair: ListRepairsRepair; now: number }): VNode {
  const {
    id,
    host,
    state,
    isPaused,
    createdAt,
    finishedAt,
    listed,
    current,
    moved,
    unknown,
    waiting,
    failed,
    inactive,
    error,
  } = repair
  const isOpen = finishedAt === undefined
  const toFetch = moved + unknown
  return (
    <li data-repair={id} data-state={state}>
      <h3>
        <Mark level={levelOf(repair)} /> Repair {id} of {host}{' '}
        <span class="quiet-text">
          {isPaused && isOpen ? 'paused' : (states[state] ?? state)}, begun {ago(createdAt, now)}
          {finishedAt !== undefined && `, ended ${ago(finishedAt, now)}`}
        </span>
      </h3>
      <Progress done={toFetch - waiting - failed} failed={failed} total={toFetch} isOpen={isOpen} />
      <p class="note">
        {amount(listed)} compared: {amount(current)} as ours, {amount(toFetch)} to fetch, {amount(waiting)} of them
        waiting, {amount(failed)} failed, {amount(inactive)} inactive.
      </p>
      {error !== undefined && <p class="error-text">{error}</p>}
      {isOpen && (
        <div class="buttons">
          {isPaused ? (
            <ChangeButton label="Go on" method="controlRepair" input={{ id, action: 'resume' }} />
          ) : (
            <ChangeButton label="Pause" method="controlRepair" input={{ id, action: 'pause' }} />
          )}
          <ChangeButton label="Cancel it" method="controlRepair" input={{ id, action: 'cancel' }} />
        </div>
      )}
    </li>
  )
}

function levelOf({ state, failed, error, isPaused }: ListRepairsRepair): Level {
  if (state === 'done') return failed > 0 ? 'warn' : 'ok'
  if (state === 'cancelled' || isPaused) return 'unknown'
  return error === undefined ? 'unknown' : 'warn'
}
