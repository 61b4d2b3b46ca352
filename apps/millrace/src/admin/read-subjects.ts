import type { AdminApi } from '@millrace/admin-api'
import { readSubject } from '@millrace/diagnosis/subject'
import { ConfigError } from '@millrace/runtime/command'

/** The DIDs of what people type: DIDs, handles, and URIs of records. @throws {ConfigError} for what is neither. */
export async function didsOf(texts: readonly string[], api: AdminApi): Promise<string[]> {
  const found = await readAll(texts, api)
  return [...new Set(found.map(({ did }) => did))]
}

/** Likewise, but of a record its URI, which names the account by its DID. @throws {ConfigError} for what is neither. */
export async function didsAndUrisOf(texts: readonly string[], api: AdminApi): Promise<string[]> {
  const found = await readAll(texts, api)
  return [...new Set(found.map(({ did, path }) => (path === undefined ? did : `at://${did}/${path}`)))]
}

/** What names no account is said before anybody is asked. */
async function readAll(texts: readonly string[], api: AdminApi): Promise<{ did: string; path?: string }[]> {
  const subjects = texts.map((text) => {
    const subject = readSubject(text)
    if (!subject) throw new ConfigError([`${JSON.stringify(text)} is no DID, handle or AT-URI`])
    return subject
  })
  return await Promise.all(
    subjects.map(async (subject) =>
      subject.kind === 'did'
        ? subject
        : { ...subject, did: (await api.call('traceSubject', { subject: subject.handle })).did },
    ),
  )
}
