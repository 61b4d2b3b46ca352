import {
  recordUri,
  type CreateEvent,
  type RecordEvent,
  type RecordJson,
  type UpdateEvent,
} from '@millrace/stream-protocol'
import type { RecordPlugin } from '../plugin.ts'
import { deleteEvent, snapshotEvents, updateEvent } from './events.ts'
import { explainDifferences } from './explain.ts'
import { invalidVersions } from './invalid-versions.ts'
import { ordersOf } from './orders.ts'
import type { PluginBench } from './plugin-bench.ts'
import type { TableRows } from './tables.ts'

/** Something that happened, and the rows that have to follow. `describePlugin` makes several tests of it: repeated, reordered, cut into batches. */
export interface PluginCase {
  /** What happened, in order. Of the plugin's own records the last one is what `update` changes. */
  events: readonly RecordEvent[]
  /** The rows that follow, by table: these and no others, each with at least these columns. */
  rows: TableRows
  /** Another version of the record, and the rows that follow then. */
  update?: { record: RecordJson; rows: TableRows }
}

/** What has to hold for a case, by name: each starts on empty tables, and rejects where it does not hold. */
export type PluginChecks = Record<string, (bench: PluginBench) => Promise<void>>

/** What a case asks for, and what holds whatever the case is. `orders` is how many orders of arrival to try. */
export function pluginChecks(plugin: RecordPlugin, each: PluginCase, orders: number): PluginChecks {
  const subject = each.events.findLast((event) => isVersionOf(event, plugin))
  return {
    'gives its rows': async (bench) => {
      await bench.one(each.events)
      await expectRows(bench, each.rows)
    },
    ...repetitionChecks(each),
    ...deletionChecks(each),
    ...(orders > 0 && orderChecks(each, orders)),
    ...(each.update && updateChecks(each, each.update, demandSubject(subject, plugin))),
    ...(subject && invalidChecks(plugin, each, subject)),
    ...((each.rows['notification'] ?? []).length > 0 && horizonChecks(each)),
  }
}

function repetitionChecks({ events }: PluginCase): PluginChecks {
  return {
    'twice is once': async (bench) => {
      await bench.one(events)
      const before = await bench.rows()
      await bench.one(events)
      await bench.batch([...events, ...events])
      await expectSame(bench, before)
    },
    'a batch gives the rows that its events give one by one': async (bench) => {
      await bench.one(events)
      const before = await bench.rows()
      await bench.clear()
      await bench.batch(events)
      await expectSame(bench, before)
    },
    'a whole repo gives the rows that its events gave': async (bench) => {
      await bench.one(events)
      const before = await bench.lastingRows()
      await bench.clear()
      await bench.one(snapshotEvents(lastVersions(events)))
      expectAlike(bench, await bench.lastingRows(), before)
    },
  }
}

function deletionChecks({ events }: PluginCase): PluginChecks {
  return {
    'a deletion leaves nothing, whether it comes last or first': async (bench) => {
      const deletions = [...new Map(events.map((event) => [recordUri(event), event])).values()].map((event) =>
        deleteEvent(event),
      )
      for (const deliver of [
        () => bench.one([...events, ...deletions]),
        () => bench.one([...deletions, ...events]),
        () => bench.batch([...events, ...deletions]),
      ]) {
        await bench.clear()
        await deliver()
        const rows = await bench.lastingRows()
        expectAlike(bench, rows, Object.fromEntries(Object.keys(rows).map((table) => [table, []])))
      }
    },
  }
}

function orderChecks({ events }: PluginCase, most: number): PluginChecks {
  return {
    'every order of arrival ends in the same rows': async (bench) => {
      await bench.one(events)
      const rows = await bench.rows()
      for (const [index, order] of ordersOf(events, most).entries()) {
        await bench.clear()
        await (index % 2 === 0 ? bench.one(order) : bench.batch(order))
        const arrived = order.map((event) => `${event.type} ${recordUri(event)}`)
        await expectSame(bench, rows, `when they arrive as ${arrived.join(', ')}`)
      }
    },
  }
}

function updateChecks(
  { events }: PluginCase,
  { record, rows }: NonNullable<PluginCase['update']>,
  subject: CreateEvent | UpdateEvent,
): PluginChecks {
  return {
    'an update leaves nothing of what was before': async (bench) => {
      const newer = updateEvent(subject, record)
      await bench.one([...events, newer])
      await expectRows(bench, rows)
      const replaced = await bench.rows()
      await bench.clear()
      await bench.one([...events.filter((event) => recordUri(event) !== recordUri(subject)), newer])
      const asIfItWereTheOnlyVersion = await bench.rows()
      expectAlike(bench, replaced, asIfItWereTheOnlyVersion)
    },
  }
}

function invalidChecks(plugin: RecordPlugin, { events }: PluginCase, subject: CreateEvent | UpdateEvent): PluginChecks {
  const versions = invalidVersions(plugin.collection, subject.record)
  if (versions.length === 0) return {}
  return {
    'a newer version that is no record takes the one before with it (X9)': async (bench) => {
      await bench.batch(events)
      await bench.batch([deleteEvent(subject)])
      const deleted = await bench.lastingRows()
      for (const version of versions) {
        const invalid = [updateEvent(subject, version)]
        for (const batches of [
          [events, invalid],
          [invalid, events],
        ]) {
          await bench.clear()
          for (const batch of batches) await bench.batch(batch)
          expectAlike(bench, await bench.lastingRows(), deleted, `when it becomes ${JSON.stringify(version)}`)
        }
      }
    },
  }
}

function horizonChecks({ events }: PluginCase): PluginChecks {
  return {
    'what is no longer news tells nobody, and changes nothing else (X14)': async (bench) => {
      await bench.one(events)
      const rows = await bench.rows()
      await bench.clear()
      for (const event of events) await bench.quietBatch([event])
      await expectSame(bench, { ...rows, notification: [] })
    },
  }
}

function isVersionOf(event: RecordEvent, plugin: RecordPlugin): event is CreateEvent | UpdateEvent {
  return event.collection === plugin.collection.collection && event.type !== 'delete'
}

function demandSubject<T>(subject: T | undefined, plugin: RecordPlugin): T {
  if (!subject)
    throw new Error(`no event of the case is a record of ${plugin.collection.collection}, yet it has an update`)
  return subject
}

/** The records that are there in the end. */
function lastVersions(events: readonly RecordEvent[]): (CreateEvent | UpdateEvent)[] {
  const newest = new Map<string, RecordEvent>()
  for (const event of events) {
    const before = newest.get(recordUri(event))
    if (!before || before.rev < event.rev) newest.set(recordUri(event), event)
  }
  return [...newest.values()].filter((event) => event.type !== 'delete')
}

async function expectRows(bench: PluginBench, expected: TableRows): Promise<void> {
  expectAlike(bench, await bench.read(Object.keys(expected)), expected)
}

async function expectSame(bench: PluginBench, expected: TableRows, when = ''): Promise<void> {
  expectAlike(bench, await bench.rows(), expected, when)
}

function expectAlike(bench: PluginBench, actual: TableRows, expected: TableRows, when = ''): void {
  const differences = explainDifferences(actual, expected)
  if (differences === undefined) return
  const refused = [...bench.refused].map((line) => `  ${line}`)
  throw new Error(
    [
      `not the rows that there should be${when && ` ${when}`}:`,
      differences,
      ...(refused.length > 0 ? ['what was refused:', ...refused] : []),
    ].join('\n'),
  )
}
