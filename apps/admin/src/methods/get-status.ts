import { collectStatus } from '../collect-status.ts'
import { defineMethod } from './method.ts'

export const getStatus = defineMethod({
  name: 'getStatus',
  role: 'viewer',
  run: async (_input, { sources }) => {
    const { declared, ...rest } = sources
    return await collectStatus({ ...rest, streams: [...new Set(declared.map(({ stream }) => stream))] })
  },
})
