import { traceSubject as trace, UnknownSubjectError } from '@millrace/diagnosis'
import { defineMethod, MethodError } from './method.ts'

export const traceSubject = defineMethod({
  name: 'traceSubject',
  role: 'viewer',
  run: async ({ subject: text }, { sources, signal }) => {
    const { store, database, declared, tables, resolver, handles, fetch, logger } = sources
    try {
      const { subject, verdict, steps } = await trace(
        text,
        {
          store: 'why' in store ? undefined : store,
          database: database === undefined || 'why' in database ? undefined : database,
          streams: [...new Set(declared.map(({ stream }) => stream))],
          tables,
          resolver,
          handles,
          fetch,
          ...(logger && { logger }),
        },
        signal,
      )
      const { did, handle, record } = subject
      return { did, handle, uri: record?.uri, verdict, steps }
    } catch (error) {
      if (error instanceof UnknownSubjectError) throw new MethodError('UnknownSubject', error.message, { cause: error })
      throw error
    }
  },
})
