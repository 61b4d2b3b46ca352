import { lookNow } from '../look.ts'
import { defineMethod } from './method.ts'

export const getDoctorReport = defineMethod({
  name: 'getDoctorReport',
  role: 'viewer',
  run: async (_input, { sources, signal }) => {
    const { checkedAt, verdict, checks } = (await lookNow(sources, { probe: true, signal })).diagnosis
    return { checkedAt: checkedAt.toISOString(), verdict, checks }
  },
})
