import { replayable, type Replayable } from '@millrace/admin'
import { DeadLetters, DISCARDABLE, openDatabase, type DeadLetterFilter } from '@millrace/database'
import { indexerConfig } from '@millrace/indexer'
import { ConfigError, readConfig } from '@millrace/runtime'
import { InvalidEventError } from '@millrace/stream-protocol'
import { explainFailure, type CommandHost } from '../command-host.ts'
import type { DatabaseOptions } from '../database-options.ts'
import { findDatabase } from '../find-database.ts'
import type { DlqRequest } from './options.ts'
import { renderDiscard, renderGroups, renderLetter, renderList, renderRetry } from './render.ts'

/** What is printed, and the exit code. */
interface Answer {
  /** For programs. */
  value: unknown
  /** For people. */
  lines: string[]
  code?: 0 | 1
}

/** Millions of letters may have to be counted. */
const PATIENCE_MS = 600_000

/**
 * Shows dead letters, and has done with them what an operator decides.
 * @returns the exit code.
 */
export async function runDlq(
  request: DlqRequest,
  target: DatabaseOptions,
  host: Omit<CommandHost, 'signal'>,
): Promise<number> {
  try {
    checkRequest(request)
    const { INDEXER_STREAMS, INDEXER_LABEL_STREAM } = indexerConfig
    const config = readConfig({ INDEXER_STREAMS, INDEXER_LABEL_STREAM }, host.env)
    const replays = replayable({ eventStreams: config.INDEXER_STREAMS, labelStream: config.INDEXER_LABEL_STREAM })
    const { url, schema } = await findDatabase({ url: target.database, env: host.env, data: target.data })
    await using database = await openDatabase({
      url,
      schema,
      poolSize: 1,
      statementTimeoutMs: PATIENCE_MS,
      applicationName: 'millrace-dlq',
    })
    const { value, lines, code = 0 } = await answer(request, new DeadLetters(database), replays)
    host.stdout.write(target.json ? `${JSON.stringify(value, undefined, 2)}\n` : `${lines.join('\n')}\n`)
    return code
  } catch (error) {
    return explainFailure(error, host.stderr)
  }
}

/** All letters are meant only when that is said. */
function checkRequest(request: DlqRequest): void {
  if (request.command !== 'retry' && request.command !== 'discard') return
  if (Object.values(request.filter).every((trait) => trait === undefined))
    throw new ConfigError([`say which letters to ${request.command}: by their numbers, a filter, or --all`])
}

async function answer(request: DlqRequest, letters: DeadLetters, replays: Replayable): Promise<Answer> {
  switch (request.command) {
    case 'summary': {
      const groups = await letters.groups({ states: ['kept'], ...request.filter })
      return { value: { groups }, lines: renderGroups(groups) }
    }
    case 'list': {
      const found = await letters.list(request.filter, request.limit)
      return { value: { letters: found }, lines: renderList(found, request.limit) }
    }
    case 'show':
      return await show(request.id, request.payload, letters)
    case 'retry': {
      const report = await letters.retry({
        filter: undecided(request.filter),
        refuses: (letter) => replays.refuses(letter),
        dryRun: request.dryRun,
      })
      return {
        value: { dryRun: request.dryRun, ...report },
        lines: renderRetry(report, request.dryRun),
        code: report.refused.length > 0 ? 1 : 0,
      }
    }
    case 'edit':
      return await edit(request.id, request.payload, letters, replays)
    case 'discard':
      break
  }
  const { filter, yes } = request
  const count = yes ? await letters.discard(filter) : await letters.count({ states: DISCARDABLE, ...filter })
  return { value: { discarded: yes, count }, lines: [renderDiscard(count, yes)], code: yes || count === 0 ? 0 : 1 }
}

/** A filter means what nobody has decided about yet. What is named by its number is meant whatever it is. */
function undecided(filter: DeadLetterFilter): DeadLetterFilter {
  return filter.ids ? filter : { states: ['kept'], ...filter }
}

async function show(id: number, payload: boolean, letters: DeadLetters): Promise<Answer> {
  const letter = await letters.find(id)
  if (!letter) return { value: null, lines: [`There is no letter ${id}.`], code: 1 }
  return { value: letter, lines: payload ? [letter.payload] : renderLetter(letter) }
}

async function edit(id: number, payload: string, letters: DeadLetters, replays: Replayable): Promise<Answer> {
  const letter = await letters.find(id)
  if (!letter) return { value: { edited: false }, lines: [`There is no letter ${id}.`], code: 1 }
  const text = payload.trim()
  const subject = subjectOf(letter.stream, text, replays)
  if (!(await letters.edit(id, text, subject)))
    return { value: { edited: false }, lines: [`The record of letter ${id} is deleted.`], code: 1 }
  return { value: { edited: true }, lines: [`Letter ${id} edited and put back: an indexer takes it within seconds.`] }
}

function subjectOf(stream: string, payload: string, replays: Replayable): ReturnType<Replayable['subjectOf']> {
  try {
    return replays.subjectOf(stream, payload)
  } catch (error) {
    if (error instanceof InvalidEventError) throw new ConfigError([`the payload does not hold: ${error.message}`])
    throw error
  }
}
