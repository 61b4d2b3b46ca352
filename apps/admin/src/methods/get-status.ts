import { collectStatus } from '../collect-status.ts'
import { defineMethod } from './method.ts'

export const getStatus = defineMethod({
  name: 'getStatus',
  role: 'viewer',
  run: async (_input, { sources }) => await collectStatus(sources),
})
