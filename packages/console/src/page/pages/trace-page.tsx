import type { TraceSubjectOutput } from '@millrace/admin-api'
import type { VNode } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import { failureOf } from '../api/answers.ts'
import { useAnswers } from '../api/use-answer.ts'
import { addressOf } from '../address.ts'
import { Card } from '../parts/card.tsx'
import { ChangeButton } from '../parts/change-button.tsx'
import { Command } from '../parts/command.tsx'
import { Mark } from '../parts/mark.tsx'
import type { Level } from '../words/level.ts'
import { visibleText } from '../words/visible-text.ts'

const levels: Readonly<Record<string, Level>> = { fine: 'ok', wait: 'warn', act: 'bad', unknown: 'unknown' }
const outcomes: Readonly<Record<string, Level>> = { yes: 'ok', no: 'unknown', problem: 'bad', unknown: 'unknown' }
const places: Readonly<Record<string, string>> = {
  identity: 'Identity',
  pds: 'PDS',
  relay: 'Relay',
  stream: 'Streams',
  'dead-letters': 'Dead letters',
  database: 'Database',
  gaps: 'Gaps',
}

/** `rest` is what is traced. */
export function TracePage({ rest }: { rest: string }): VNode {
  const answers = useAnswers()
  const box = useRef<HTMLInputElement>(null)
  const [trace, setTrace] = useState<TraceSubjectOutput>()
  const [refusal, setRefusal] = useState<string>()
  const [isBusy, setBusy] = useState(false)
  useEffect(() => box.current?.focus(), [])
  useEffect(() => {
    if (rest === '') return undefined
    // Of two that are asked for soon after each other the later one is shown.
    let isWanted = true
    setBusy(true)
    setTrace(undefined)
    setRefusal(undefined)
    answers
      .call('traceSubject', { subject: rest })
      .then(
        (found) => isWanted && setTrace(found),
        (error: unknown) => isWanted && setRefusal(failureOf(error).message),
      )
      .finally(() => isWanted && setBusy(false))
    return () => {
      isWanted = false
    }
  }, [rest])
  const go = (event: Event): void => {
    event.preventDefault()
    const subject = box.current?.value.trim() ?? ''
    if (subject !== '') location.hash = addressOf('trace', subject)
  }
  return (
    <>
      <Card note="Where has a record got to? It is looked for at its PDS, at the relays, in the streams, among the dead letters and in the database.">
        <form class="form-row" role="search" onSubmit={go}>
          <label>
            A handle, a DID, the AT-URI of a record, or a link of bsky.app
            <input
              ref={box}
              type="search"
              name="subject"
              key={rest}
              defaultValue={visibleText(rest)}
              spellcheck={false}
              autocomplete="off"
              placeholder="at://alice.example/app.bsky.feed.post/3k2a4b5c6d7e2"
            />
          </label>
          <button type="submit" class="main" disabled={isBusy}>
            {isBusy ? 'Looking …' : 'Trace'}
          </button>
        </form>
      </Card>
      {refusal !== undefined && (
        <p class="failure" role="alert">
          {refusal}
        </p>
      )}
      {trace && <Found trace={trace} />}
    </>
  )
}

export function Found({ trace: { did, handle, uri, verdict, steps } }: { trace: TraceSubjectOutput }): VNode {
  return (
    <Card
      title={visibleText(uri ?? handle ?? did)}
      {...(uri !== undefined || handle !== undefined ? { note: did } : {})}
    >
      <div class="found" data-level={levels[verdict.level] ?? 'unknown'} role="status">
        <Mark level={levels[verdict.level] ?? 'unknown'} />
        <div>
          <p class="sentence">{verdict.sentence}</p>
          {verdict.command !== undefined && <Command text={verdict.command} />}
        </div>
      </div>
      <ol class="steps">
        {steps.map(({ place, outcome, detail }, index) => (
          <li key={`${index} ${place}`}>
            <Mark level={outcomes[outcome] ?? 'unknown'} />
            <strong>{place === steps[index - 1]?.place ? '' : (places[place] ?? place)}</strong>
            <span>{detail}</span>
          </li>
        ))}
      </ol>
      <div class="buttons">
        <ChangeButton
          label="Fetch this repo again"
          method="resyncRepos"
          input={{ dids: [did] }}
          isMain={verdict.level === 'act'}
        />
      </div>
    </Card>
  )
}
