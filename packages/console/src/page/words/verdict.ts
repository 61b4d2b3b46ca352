import type { GetStatusOutput } from '@millrace/admin-api'
import type { Answer } from '../api/answers.ts'
import { counted } from './amount.ts'
import { duration } from './duration.ts'
import { worst, type Level } from './level.ts'
import { problemsOf } from './problems.ts'

/** How the pipeline stands, in one sentence. */
export interface PipelineVerdict {
  level: Level
  sentence: string
  detail: string
}

/** The title of the console: what somebody who was just woken has to read first. */
export function verdictOf({ value: status, at, failure }: Answer<GetStatusOutput>, now: number): PipelineVerdict {
  if (failure) {
    const detail = at === undefined ? failure.message : `What is shown is ${duration((now - at) / 1_000)} old.`
    return { level: 'unknown', sentence: 'The admin server does not answer.', detail }
  }
  if (!status) return { level: 'unknown', sentence: 'Looking …', detail: '' }
  const problems = problemsOf(status, now)
  const [first] = problems
  if (!first)
    // A part that did not answer is among the problems, as a rule.
    return status.status === 'failing'
      ? { level: 'unknown', sentence: 'Not all parts answer.', detail: '' }
      : { level: 'ok', sentence: 'All is well.', detail: freshness(status) }
  const others = problems.length - 1
  return {
    level: worst(problems.map(({ level }) => level)),
    sentence: `${first.message}.`,
    detail:
      others > 0
        ? `${first.meaning} There ${others === 1 ? 'is' : 'are'} ${counted(others, 'other problem')}.`
        : first.meaning,
  }
}

function freshness({ streams }: GetStatusOutput): string {
  const behind = Math.max(0, ...streams.map(({ lagSeconds }) => lagSeconds))
  return behind < 2
    ? 'Everything that has arrived is in the rows.'
    : `The oldest event that waits came ${duration(behind)} ago.`
}
