import { RepairStore } from '@millrace/repair'
import { databaseOf, defineMethod } from './method.ts'
import { repairOf } from './repairs.ts'

export const listRepairs = defineMethod({
  name: 'listRepairs',
  role: 'viewer',
  run: async ({ limit = 50 }, context) => {
    const repairs = await new RepairStore(databaseOf(context)).list(limit)
    return { repairs: repairs.map(repairOf) }
  },
})
