import type pg from 'pg'
import { type Row } from './tables.ts'
/** All rows of the compared tables, as JSON has them. A row without content is a tombstone of an older pipeline. */
export declare function readDatabase(pool: pg.Pool, schema: string): Promise<Map<string, Row[]>>
/** The rows that the reference made of a recording; a table without any has no file. */
export declare function readExpected(folder: string, which: 'db-replay' | 'db-backfill'): Promise<Map<string, Row[]>>
//# sourceMappingURL=read-rows.d.ts.map
