import type { RepoFault } from '@millrace/dev-network'
import { sleep } from '@millrace/stream-protocol'
import { repoRequests } from '../../pipeline/repo-requests.ts'
import { comesTo, type NemesisCase } from '../nemesis-case.ts'

/** The PDSs answer wrongly, while repos are fetched. */
function pdsFault(name: string, summary: string, hazards: string, fault: RepoFault): NemesisCase {
  return {
    name: `pds-${name}`,
    summary,
    hazards,
    async inject(stage) {
      const before = repoRequests(stage.network)
      for (const url of stage.network.pdsUrls) stage.network.faults.getRepo(url, fault, { times: 4 })
      await stage.fetchAgain(12)
      await comesTo(() => repoRequests(stage.network) - before >= 8)
      return Math.min(8, repoRequests(stage.network) - before)
    },
  }
}

/** What PDSs and the directory answer. */
export const hostCases: readonly NemesisCase[] = [
  pdsFault('throttled', 'PDSs answer 429', 'B4', { type: 'throttled', retryAfterSeconds: 1 }),
  pdsFault('errors', 'PDSs answer 500', 'B4', { type: 'error' }),
  pdsFault('cut', 'repos end in the middle', 'B6', { type: 'cut', afterBytes: 900 }),
  pdsFault('corrupt', 'a block is not what its CID says', 'B7', { type: 'corrupt-block' }),
  pdsFault('forged', 'repos are signed by another key', 'B7', { type: 'other-key' }),
  pdsFault('other-did', 'repos are those of another account', 'B7', { type: 'other-did' }),
  {
    name: 'plc-errors',
    summary: 'the directory answers 500 for some accounts, while handles change and repos are fetched',
    hazards: 'D1, D6',
    async inject(stage) {
      const { network } = stage
      for (const { did } of network.accounts.slice(0, 8)) network.faults.identity(did, { type: 'error' }, { times: 2 })
      for (let account = 0; account < 8; account++) await network.account(account).changeHandle()
      await stage.fetchAgain(8)
      await sleep(2_000)
      return 8
    },
  },
]
