import { defineMethod, storeOf } from './method.ts'
import { planTrim as plan, trimPlanOf } from './trim-plan.ts'

export const planTrim = defineMethod({
  name: 'planTrim',
  role: 'viewer',
  run: async ({ stream, group, to }, context) => trimPlanOf(await plan(storeOf(context), { stream, group, to })),
})
