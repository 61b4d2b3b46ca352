import { diagnose, gatherFacts } from '@millrace/diagnosis'
import { defineMethod } from './method.ts'

export const getDoctorReport = defineMethod({
  name: 'getDoctorReport',
  role: 'viewer',
  run: async (_input, { sources, signal }) => {
    const { cursors = [], ...rest } = sources
    const { checkedAt, verdict, checks } = diagnose(await gatherFacts({ ...rest, upstreams: cursors }, signal))
    return { checkedAt: checkedAt.toISOString(), verdict, checks }
  },
})
