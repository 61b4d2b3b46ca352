import { Pauses } from '@millrace/database'
import { databaseOf, defineMethod } from './method.ts'
import { withAccounts } from './pauses.ts'

export const listPauses = defineMethod({
  name: 'listPauses',
  role: 'viewer',
  run: async (_input, context) => {
    const database = databaseOf(context)
    return { pauses: await withAccounts(database, await new Pauses(database).list()) }
  },
})
