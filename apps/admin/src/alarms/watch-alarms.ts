import os from 'node:os'
import { AlarmStore } from '@millrace/database'
import { ProblemWatch } from '@millrace/diagnosis'
import { hastened } from '@millrace/failpoints'
import type { Logger, Loop, Meter } from '@millrace/stream-protocol'
import type { AdminSources } from '../admin-sources.ts'
import { LagHistory } from '../lag-history.ts'
import { doctorSources } from '../look.ts'
import { AlarmBook } from './alarm-book.ts'
import { DeadmanLoop } from './deadman-loop.ts'
import { WebhookLoop } from './webhook-loop.ts'
import { Webhook } from './webhook.ts'

export interface WatchAlarmsOptions {
  sources: AdminSources
  repeatMs?: number
  deadmanUrl?: string | undefined
  logger: Logger
  meter: Meter
}

/** What looks for problems and tells of them. */
export interface AlarmWatch {
  /** What methods work on, with what this has found. */
  sources: AdminSources
  problems: ProblemWatch
  loops: Loop[]
}

/** Joins the parts that look for problems, make alarms of them, and tell whoever wants to know. */
export function watchAlarms({ sources, repeatMs, deadmanUrl, logger, meter }: WatchAlarmsOptions): AlarmWatch {
  const { database, webhooks = [], declared } = sources
  const book = new AlarmBook({
    store: database && !('why' in database) ? new AlarmStore(database) : undefined,
    ...(repeatMs !== undefined && { repeatMs }),
    onLoad: (alarms) => problems.recall(alarms.filter(({ endedAt }) => endedAt === null)),
    logger,
  })
  const history = new LagHistory()
  const problems = new ProblemWatch({
    sources: { ...doctorSources(sources), logger },
    everyMs: hastened(15_000),
    probeEveryMs: hastened(300_000),
    onLook: (look) => {
      history.take(look.facts)
      return book.take(look.problems)
    },
    logger,
    meter,
  })
  const from = os.hostname()
  return {
    sources: { ...sources, problems, alarms: book, history },
    problems,
    loops: [
      problems,
      ...webhooks.map((webhook) => new WebhookLoop({ webhook, book, from, logger, meter })),
      ...(deadmanUrl === undefined
        ? []
        : [
            new DeadmanLoop({
              url: new Webhook(deadmanUrl),
              watch: problems,
              declared,
              everyMs: hastened(60_000),
              logger,
            }),
          ]),
    ],
  }
}
