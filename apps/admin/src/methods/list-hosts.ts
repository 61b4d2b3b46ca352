import type { Host } from '@millrace/admin-api'
import { readHosts } from './hosts.ts'
import { databaseOf, defineMethod, numberCursor } from './method.ts'

export const listHosts = defineMethod({
  name: 'listHosts',
  role: 'viewer',
  run: async ({ sort = 'name', limit = 50, cursor }, context) => {
    const hosts = await readHosts(databaseOf(context))
    if (sort === 'failing') hosts.sort(worse)
    // How bad hosts are changes between two pages: one may be missed then, or seen twice.
    const from = numberCursor(cursor) ?? 0
    const end = from + limit
    return { hosts: hosts.slice(from, end), ...(end < hosts.length && { cursor: String(end) }) }
  },
})

function worse(a: Host, b: Host): number {
  return b.failedRepos - a.failedRepos || b.failures - a.failures || (a.host < b.host ? -1 : 1)
}
