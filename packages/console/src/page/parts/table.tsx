import type { ComponentChildren, VNode } from 'preact'

interface Column<Row> {
  title: string
  /** Numbers stand to the right, under each other. */
  isNumber?: boolean
  cell: (row: Row) => ComponentChildren
}

export interface TableProps<Row> {
  /** For who hears the page. */
  caption: string
  columns: readonly Column<Row>[]
  rows: readonly Row[]
  keyOf: (row: Row) => string | number
  /** Said when there are none. */
  empty: string
}

export function Table<Row>({ caption, columns, rows, keyOf, empty }: TableProps<Row>): VNode {
  if (rows.length === 0) return <p class="empty">{empty}</p>
  return (
    <div class="scroll">
      <table>
        <caption class="unseen">{caption}</caption>
        <thead>
          <tr>
            {columns.map(({ title, isNumber }) => (
              <th key={title} scope="col" class={isNumber ? 'number' : undefined}>
                {title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={keyOf(row)}>
              {columns.map(({ title, isNumber, cell }) => (
                <td key={title} class={isNumber ? 'number' : undefined} data-title={title}>
                  <div class="cell">{cell(row)}</div>
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}
