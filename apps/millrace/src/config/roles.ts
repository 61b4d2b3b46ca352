import { adminConfig } from '@millrace/admin'
import { backfillerConfig } from '@millrace/backfiller'
import { indexerConfig } from '@millrace/indexer'
import { ingesterConfig } from '@millrace/ingester'
import type { Definition } from '@millrace/runtime'

/** The processes, in the order that an event meets them. */
export const roles = ['ingester', 'backfiller', 'indexer', 'admin'] as const
export type RoleName = (typeof roles)[number]

/** What each of them reads from its environment. */
export const roleDefinitions: Readonly<Record<RoleName, Definition>> = {
  ingester: ingesterConfig,
  backfiller: backfillerConfig,
  indexer: indexerConfig,
  admin: adminConfig,
}
