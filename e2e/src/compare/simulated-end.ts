import type { SimulatedNetwork } from '@millrace/dev-network'
import type { FinalNetwork } from '@millrace/oracle'

/** Where a simulated network is now: what its rows must be once everything is indexed. */
export function endOfSimulation(network: SimulatedNetwork): FinalNetwork {
  return {
    repos: network.accounts.map((account) => ({
      did: account.did,
      rev: account.head.rev,
      commit: account.head.cid,
      // A block that nothing can read is a record of nothing.
      records: account.records().map(({ record, ...place }) => ({ ...place, record: record ?? {} })),
    })),
    accounts: network.accounts.map(({ did, status }) => ({
      did,
      status: status === 'active' ? null : status,
      deleted: status === 'deleted',
    })),
    labels: network.labels(),
  }
}
