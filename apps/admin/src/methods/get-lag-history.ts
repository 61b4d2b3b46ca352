import { defineMethod, MethodError } from './method.ts'

export const getLagHistory = defineMethod({
  name: 'getLagHistory',
  role: 'viewer',
  run: async ({ seconds = 1_800 }, { sources: { history } }) => {
    if (!history)
      throw new MethodError('Unavailable', 'only a running admin server keeps what it has seen', { status: 503 })
    return history.since(Date.now() - seconds * 1_000)
  },
})
