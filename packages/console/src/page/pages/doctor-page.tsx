import type { GetDoctorReportCheck } from '@millrace/admin-api'
import type { VNode } from 'preact'
import { useState } from 'preact/hooks'
import { useAnswer, useAnswers } from '../api/use-answer.ts'
import { useNow } from '../api/use-now.ts'
import { Answered } from '../parts/answered.tsx'
import { Card } from '../parts/card.tsx'
import { Command } from '../parts/command.tsx'
import { Mark } from '../parts/mark.tsx'
import { counted } from '../words/amount.ts'
import { ago } from '../words/duration.ts'
import type { Level } from '../words/level.ts'

const levels: Readonly<Record<string, Level>> = { ok: 'ok', unknown: 'unknown', warn: 'warn', fail: 'bad' }
const order: readonly Level[] = ['bad', 'warn', 'unknown', 'ok']

/** Every host is asked for it: it is not looked at more often than that. */
const REPORT_MS = 120_000

export function DoctorPage(): VNode {
  const now = useNow()
  const answers = useAnswers()
  const [isBusy, setBusy] = useState(false)
  const report = useAnswer('getDoctorReport', {}, REPORT_MS)
  const again = async (): Promise<void> => {
    setBusy(true)
    await answers.refresh()
    setBusy(false)
  }
  return (
    <Answered answer={report}>
      {({ checks, checkedAt }) => {
        const isWell = ({ verdict }: GetDoctorReportCheck): boolean => levelOf(verdict) === 'ok'
        const open = checks
          .filter((check) => !isWell(check))
          .toSorted((a, b) => order.indexOf(levelOf(a.verdict)) - order.indexOf(levelOf(b.verdict)))
        return (
          <>
            <Card
              title={open.length === 0 ? 'Nothing is wrong.' : counted(open.length, 'finding')}
              aside={
                <>
                  <span class="quiet-text">looked {ago(checkedAt, now)}</span>
                  <button type="button" disabled={isBusy} onClick={() => void again()}>
                    {isBusy ? 'Looking …' : 'Look again'}
                  </button>
                </>
              }
            >
              <ul class="checks">
                {open.map((check, index) => (
                  <Check key={`${index} ${check.id}`} check={check} />
                ))}
              </ul>
            </Card>
            <Card title={`${counted(checks.length - open.length, 'check')} without a finding`}>
              <ul class="checks small">
                {checks.filter(isWell).map((check, index) => (
                  <Check key={`${index} ${check.id}`} check={check} />
                ))}
              </ul>
            </Card>
          </>
        )
      }}
    </Answered>
  )
}

function Check({ check: { title, verdict, evidence, meaning, command } }: { check: GetDoctorReportCheck }): VNode {
  return (
    <li>
      <Mark level={levelOf(verdict)} />
      <div>
        <strong>{title}</strong>
        <p>{evidence}</p>
        {meaning !== undefined && <p class="note">{meaning}</p>}
        {command !== undefined && <Command text={command} />}
      </div>
    </li>
  )
}

function levelOf(verdict: string): Level {
  return levels[verdict] ?? 'unknown'
}
