import type { AdminApi } from '@millrace/admin-api'
import { readSubject } from '@millrace/diagnosis/subject'
import { ConfigError } from '@millrace/runtime/command'

/** The DIDs of what people type: DIDs, handles, and URIs of records. @throws {ConfigError} for what is neither. */
export async function didsOf(subjects: readonly string[], api: AdminApi): Promise<string[]> {
  const dids = await Promise.all(
    subjects.map(async (text) => {
      const subject = readSubject(text)
      if (!subject) throw new ConfigError([`${JSON.stringify(text)} is no DID, handle or AT-URI`])
      return subject.kind === 'did' ? subject.did : (await api.call('traceSubject', { subject: subject.handle })).did
    }),
  )
  return [...new Set(dids)]
}
