import { RepairStore } from '@millrace/repair'
import { databaseOf, defineMethod, MethodError } from './method.ts'
import { repairOf } from './repairs.ts'

export const getRepair = defineMethod({
  name: 'getRepair',
  role: 'viewer',
  run: async ({ id }, context) => {
    const store = new RepairStore(databaseOf(context))
    const repair = await store.get(id)
    if (!repair) throw new MethodError('NotFound', `there is no repair ${id}`)
    return { repair: repairOf(repair), counts: await store.counts(id) }
  },
})
