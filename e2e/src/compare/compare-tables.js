/** Compares the rows of one table. A function of values. */
export function compareTable(table, { key, clock = [], isEmpty }, expected, actual) {
  const byKey = (rows) =>
    new Map(rows.filter((row) => !isEmpty?.(row)).map((row) => [key.map((column) => row[column] ?? '').join(' '), row]))
  const wanted = byKey(expected)
  const found = byKey(actual)
  const differences = []
  for (const [id, row] of wanted) {
    const other = found.get(id)
    if (!other) {
      differences.push({ table, key: id, kind: 'missing', columns: [], expected: row })
      continue
    }
    // The expectation names the columns: others are ours, and its readers pass over them.
    const columns = Object.keys(row)
      .filter((column) => !same(row, other, column, clock))
      .map((name) => ({ name, expected: row[name], actual: other[name] }))
    if (columns.length > 0) differences.push({ table, key: id, kind: 'changed', columns, expected: row, actual: other })
  }
  for (const [id, row] of found)
    if (!wanted.has(id)) differences.push({ table, key: id, kind: 'extra', columns: [], actual: row })
  return { table, expected: wanted.size, actual: found.size, differences }
}
function same(expected, actual, column, clock) {
  if (clock.includes(column)) return (expected[column] === null) === (actual[column] === null)
  if (column === 'sortAt' || column === 'sortedAt') {
    // The earlier of two times, of which one is a clock.
    const claimed = expected['createdAt'] ?? expected[column]
    if (expected[column] !== claimed || actual[column] === actual['indexedAt']) return true
  }
  return JSON.stringify(expected[column]) === JSON.stringify(actual[column])
}
//# sourceMappingURL=compare-tables.js.map
