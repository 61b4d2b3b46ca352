import type { SimulatedNetwork } from '@millrace/dev-network'

/** Requests for whole repos that a network has had so far. */
export function repoRequests({ requests }: SimulatedNetwork): number {
  return requests['com.atproto.sync.getRepo'] ?? 0
}
