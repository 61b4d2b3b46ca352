import type { FinalAccount } from '@millrace/oracle'
import { isBackfillSeq, type AccountEvent } from '@millrace/stream-protocol'

/** What each host said last of an account. */
export class AccountStatuses {
  readonly #byAccount = new Map<string, Map<string, AccountEvent>>()

  has(did: string): boolean {
    return this.#byAccount.has(did)
  }

  /** To be told in the order in which it is said. */
  note(event: AccountEvent): void {
    const byHost = this.#byAccount.get(event.did) ?? new Map<string, AccountEvent>()
    this.#byAccount.set(event.did, byHost.set(event.host ?? '', event))
  }

  /** Whether it is there, and inactive. */
  isHeld(did: string): boolean {
    const { status, deleted } = this.of(did)
    return status !== null && !deleted
  }

  /** One host is enough to hide an account, and only a firehose can have it deleted (hazards I22, I23). */
  of(did: string): Omit<FinalAccount, 'did'> {
    const hiding = [...(this.#byAccount.get(did)?.values() ?? [])].filter(({ active }) => !active)
    return {
      status: hiding.map(({ status = 'inactive' }) => status).sort()[0] ?? null,
      deleted: hiding.some(({ status, seq }) => status === 'deleted' && !isBackfillSeq(seq)),
    }
  }
}
