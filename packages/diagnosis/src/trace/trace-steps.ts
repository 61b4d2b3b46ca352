import { ago, count } from '../words.ts'
import type { Answer } from '../answer.ts'
import type { HostFacts, StoredFacts, StreamFacts, TraceFacts } from './facts.ts'
import type { TraceStep } from './trace.ts'

/** What was found where, in the order that an event takes. A function of facts. */
export function traceSteps(facts: TraceFacts): TraceStep[] {
  const { streams, database, now } = facts
  return [
    identityStep(facts),
    pdsStep(facts),
    ...facts.relays.map(({ host, answer }) => relayStep(host, answer)),
    ...(streams.ok
      ? streams.value.map((stream) => streamStep(stream))
      : [step('stream', 'unknown', `the streams cannot be read: ${streams.why}`)]),
    ...(database.ok
      ? [...letterSteps(database.value), ...storedSteps(database.value, facts, now), ...gapSteps(database.value)]
      : [step('database', 'unknown', `the database does not answer: ${database.why}`)]),
  ]
}

function step(place: TraceStep['place'], outcome: TraceStep['outcome'], detail: string): TraceStep {
  return { place, outcome, detail }
}

function identityStep({ identity, subject: { did } }: TraceFacts): TraceStep {
  if (!identity.ok) return step('identity', 'unknown', `${did} cannot be looked up: ${identity.why}`)
  const { kind, handle, pds } = identity.value
  if (kind !== 'found')
    return step('identity', 'no', `${did} ${kind === 'absent' ? 'has no document' : 'was given up'}`)
  return step('identity', 'yes', `${did} is ${handle ?? 'without a handle'}, at ${pds ?? 'no PDS'}`)
}

function pdsStep({ pds, subject }: TraceFacts): TraceStep {
  if (!pds.ok) return step('pds', 'unknown', `its PDS was not asked, or does not answer: ${pds.why}`)
  const { record, isKnown } = pds.value
  if (!isKnown) return step('pds', 'no', 'its PDS does not know the account')
  const account = standing(pds.value)
  if (!subject.record) return step('pds', pds.value.active ? 'yes' : 'problem', account)
  if (record?.cid == null) return step('pds', 'no', `the record is not there; ${account}`)
  return step('pds', 'yes', `the record is there, as ${record.cid}; ${account}`)
}

function relayStep(host: string, answer: Answer<HostFacts>): TraceStep {
  if (!answer.ok) return step('relay', 'unknown', `${host} does not tell: ${answer.why}`)
  if (!answer.value.isKnown) return step('relay', 'no', `${host} does not know the account`)
  return step('relay', answer.value.active ? 'yes' : 'problem', `${host}: ${standing(answer.value)}`)
}

function standing({ active, status, rev }: HostFacts): string {
  if (!active) return `the account is ${status ?? 'inactive'}`
  return rev === undefined ? 'the account is active' : `the repo is at revision ${rev}`
}

function streamStep({ stream, length, found, groups, isPartial }: StreamFacts): TraceStep {
  const entry = found.at(-1)
  if (!entry) {
    const looked = isPartial ? 'not in the entries that were looked at' : 'nothing of it'
    return step('stream', isPartial ? 'unknown' : 'no', `${stream} (${count(length, 'entry', 'entries')}): ${looked}`)
  }
  const where = groups.map(({ group, pending, waiting, isDeserted }) => {
    const place = pending
      ? `${group} gave it to ${pending.consumer}, ${ago(pending.idleSeconds)} ago`
      : `${group} has not read it, ${count(waiting, 'entry waits', 'entries wait')}`
    return isDeserted ? `${place}, and no consumer is heard of` : place
  })
  const what = `${entry.type}${entry.rev === undefined ? '' : ` of revision ${entry.rev}`}`
  return step(
    'stream',
    groups.length === 0 || groups.some(({ isDeserted }) => isDeserted) ? 'problem' : 'yes',
    `${stream}: entry ${entry.id}, ${what}; ${where.length === 0 ? 'no group reads it' : where.join('; ')}`,
  )
}

function letterSteps({ letters }: StoredFacts): TraceStep[] {
  if (letters.length === 0) return [step('dead-letters', 'no', 'no dead letter')]
  return letters
    .slice(0, 3)
    .map(({ id, stream, reason, state }) =>
      step(
        'dead-letters',
        state === 'kept' ? 'problem' : 'yes',
        `dead letter ${id} of ${stream}: ${reason} (${state})`,
      ),
    )
}

function storedSteps({ account, record, collections }: StoredFacts, { subject }: TraceFacts, now: number): TraceStep[] {
  const { actor, repo, dirty, run } = account
  const steps: TraceStep[] = []
  if (record && subject.record) {
    const { row, tombstone, typed, duplicateOf } = record
    if (row)
      steps.push(
        step('database', 'yes', `record: ${row.cid}, revision ${row.rev ?? 'unknown'}, indexed at ${row.indexedAt}`),
      )
    else steps.push(step('database', 'no', 'record: no row'))
    if (typed)
      steps.push(
        step('database', typed.isThere ? 'yes' : 'no', `${typed.table}: ${typed.isThere ? 'a row' : 'no row'}`),
      )
    if (duplicateOf !== undefined) steps.push(step('database', 'yes', `duplicate of ${duplicateOf}`))
    if (tombstone)
      steps.push(
        step(
          'database',
          'yes',
          `tombstone of revision ${tombstone.rev}${tombstone.invalid ? ', of a version that is no record of its collection' : ''}`,
        ),
      )
    if (collections !== null && !collections.includes(subject.record.collection))
      steps.push(step('database', 'no', `${subject.record.collection} is not indexed here`))
  }
  if (actor) {
    const seen = actor.takedownRef !== null ? 'taken down' : (actor.upstreamStatus ?? 'seen')
    steps.push(
      step('database', seen === 'seen' ? 'yes' : 'problem', `account: ${actor.handle ?? 'no handle'}, ${seen}`),
    )
  } else steps.push(step('database', 'no', 'account: no row'))
  steps.push(
    repo?.head == null
      ? step('database', 'no', 'repo: nothing applied')
      : step(
          'database',
          repo.broken === null ? 'yes' : 'problem',
          `repo: applied up to revision ${repo.head}${repo.broken === null ? '' : `, something before ${repo.broken} may be missing`}`,
        ),
  )
  if (dirty)
    steps.push(
      step(
        'database',
        'problem',
        `marked to be fetched: ${dirty.reason}, ${ago((now - dirty.since.getTime()) / 1_000)} ago, tried ${dirty.attempts} times`,
      ),
    )
  if (run) steps.push(step('database', 'yes', `a fetch of revision ${run.rev} is being applied`))
  const labels = [...account.labels, ...(record?.labels ?? [])]
  if (labels.length > 0)
    steps.push(step('database', 'yes', `labels: ${labels.map(({ src, val }) => `${val} by ${src}`).join(', ')}`))
  return steps
}

function gapSteps({ gaps }: StoredFacts): TraceStep[] {
  return gaps
    .slice(0, 3)
    .map(({ host, stream, reason, repair }) =>
      step(
        'gaps',
        'problem',
        `events of ${host === '' ? 'any host' : host} may be missing in ${stream}: ${reason}${repair === null ? '' : `, repair ${repair}`}`,
      ),
    )
}
