import type { Count, Part, RecordPlugin } from './plugin.ts'
import type { TableShape, TableShapes } from './table-shape.ts'

/** @throws with all that is amiss when plugins and their tables do not fit, before a record meets it. */
export function checkPluginTables(plugins: readonly RecordPlugin[], shapes: TableShapes): void {
  const problems = plugins.flatMap((plugin) =>
    pluginProblems(plugin, shapes).map((problem) => `plugin of ${plugin.collection.collection}: ${problem}`),
  )
  if (problems.length > 0) throw new Error(problems.join('\n'))
}

function pluginProblems(plugin: RecordPlugin, shapes: TableShapes): string[] {
  const { table, uniqueBy, parts = [], counts = [] } = plugin
  const problems: string[] = []
  if (table !== undefined) problems.push(...rowProblems(table, uniqueBy, shapes.get(table)!))
  for (const part of parts) problems.push(...partProblems(part, shapes.get(part.table)!))
  for (const count of [...counts, ...parts.flatMap((part) => part.counts ?? [])])
    problems.push(...countProblems(count, shapes.get(count.table)!))
  return problems
}

function rowProblems(table: string, uniqueBy: readonly string[] | undefined, shape: TableShape): string[] {
  const problems = [...lacksText(table, ['uri'], shape), ...lacksUnique(table, ['uri'], shape)]
  if (uniqueBy) {
    // What is told of a row that has to wait for another one.
    problems.push(...lacksText(table, ['cid', 'indexedAt', ...uniqueBy], shape), ...lacksUnique(table, uniqueBy, shape))
  }
  // Two records that meet there would stop the indexer: nothing says which of them stays (hazard X8).
  const others = shape.unique.filter((index) => !hasAll(index, ['uri']) && !(uniqueBy && hasAll(index, uniqueBy)))
  return [
    ...problems,
    ...others.map((columns) => `${table} is unique by ${list(columns)}, which uniqueBy does not say`),
  ]
}

function partProblems({ table, owner, markDeleted }: Part<unknown>, shape: TableShape): string[] {
  const problems = lacksText(table, [owner], shape)
  if (!markDeleted) return problems
  const { column, key, locate } = markDeleted
  return [...problems, ...lacksText(table, [column, locate.column, ...key], shape), ...lacksUnique(table, key, shape)]
}

function countProblems({ table, key, column }: Count, shape: TableShape): string[] {
  return [
    ...lacksText(table, [key], shape),
    ...lacksUnique(table, [key], shape),
    ...lacks(table, [column], ['integer', 'bigint'], shape),
  ]
}

function lacksText(table: string, columns: readonly string[], shape: TableShape): string[] {
  return lacks(table, columns, ['text', 'character varying'], shape)
}

function lacks(table: string, columns: readonly string[], types: readonly string[], shape: TableShape): string[] {
  return columns
    .filter((column) => !types.includes(shape.types.get(column) ?? ''))
    .map((column) => {
      const type = shape.types.get(column)
      return `${table}.${column} has to be ${types[0]}, and is ${type === undefined ? 'not there' : type}`
    })
}

function lacksUnique(table: string, columns: readonly string[], shape: TableShape): string[] {
  return shape.unique.some((index) => index.length === columns.length && hasAll(index, columns))
    ? []
    : [`${table} needs a unique index on ${list(columns)}, and on nothing else`]
}

function hasAll(columns: readonly string[], wanted: readonly string[]): boolean {
  return wanted.every((column) => columns.includes(column))
}

function list(columns: readonly string[]): string {
  return `(${columns.join(', ')})`
}
