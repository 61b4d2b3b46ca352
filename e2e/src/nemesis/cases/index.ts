import type { NemesisCase } from '../nemesis-case.ts'
import { hostCases } from './hosts.ts'
import { postgresCases } from './postgres.ts'
import { processCases } from './processes.ts'
import { recordCases } from './records.ts'
import { redisCases } from './redis.ts'
import { relayCases } from './relay.ts'

/** Every fault that is tried. */
export const nemesisCases: readonly NemesisCase[] = [
  ...processCases,
  ...redisCases,
  ...postgresCases,
  ...relayCases,
  ...hostCases,
  ...recordCases,
]
