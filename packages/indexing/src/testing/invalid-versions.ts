import type { RecordJson } from '@millrace/stream-protocol'
import { InvalidRecordError, type RecordType } from '../record-type.ts'

/**
 * Versions of a record that its collection refuses: of another type, or without a field that it has to have. There are
 * none where anything is a record.
 */
export function invalidVersions(type: RecordType<unknown>, record: RecordJson): RecordJson[] {
  const without = Object.keys(record).map((field) => {
    const { [field]: _, ...rest } = record
    return rest
  })
  return [{ ...record, $type: 'test.millrace.otherType' }, ...without].filter((version) => isRefused(type, version))
}

function isRefused(type: RecordType<unknown>, record: RecordJson): boolean {
  try {
    type.parse(record)
    return false
  } catch (error) {
    if (!(error instanceof InvalidRecordError)) throw error
    return true
  }
}
