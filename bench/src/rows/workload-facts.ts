import { recordUri, type RecordEvent, type StreamEvent } from '@millrace/stream-protocol'

interface RecordFacts {
  /** CID of the newest version; null once it is deleted. */
  cid: string | null
  /** Records of the same account, collection and subject, itself included, in the order they came. */
  rivals: string[]
}

/** What the events themselves say of each record, to judge rows by. */
export class WorkloadFacts {
  readonly #records = new Map<string, RecordFacts>()

  constructor(events: readonly StreamEvent[]) {
    const rivals = new Map<string, string[]>()
    for (const event of events) if ('rkey' in event) this.#add(event, rivals)
  }

  #add(event: RecordEvent, rivals: Map<string, string[]>): void {
    const uri = recordUri(event)
    const cid = event.type === 'delete' ? null : event.cid
    const known = this.#records.get(uri)
    if (known) {
      known.cid = cid
      return
    }
    const subject = event.type === 'delete' ? uri : (event.record['subject'] ?? uri)
    const about = `${event.did} ${event.collection} ${JSON.stringify(subject)}`
    const group = rivals.get(about) ?? []
    group.push(uri)
    rivals.set(about, group)
    this.#records.set(uri, { cid, rivals: group })
  }

  /** CID of the newest version of a record, unless it is deleted or never was. */
  cid(uri: string): string | null {
    return this.#records.get(uri)?.cid ?? null
  }

  /** The record that counts, of all that say the same: the first that is not deleted. */
  holder(uri: string): string | null {
    return this.rivals(uri).find((rival) => this.cid(rival) !== null) ?? null
  }

  rivals(uri: string): readonly string[] {
    return this.#records.get(uri)?.rivals ?? []
  }
}
