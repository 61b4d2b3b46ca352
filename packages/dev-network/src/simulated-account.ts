import type {
  Account,
  AccountStatus,
  CommitFrame,
  NetworkRecord,
  RecordInput,
  RecordWrite,
  WrittenRecord,
} from './account.ts'

/** What an account needs of its network: one write at a time, and a memory of them. */
export interface AccountHost {
  serialize<T>(work: () => Promise<T> | T): Promise<T>
  write(account: Account, writes: readonly RecordWrite[], frame?: CommitFrame): Promise<WrittenRecord[]>
  rename(account: Account, handle: string): Promise<void>
  setStatus(account: Account, status: AccountStatus): void
}

/** An account to write with. Each call is one commit or one change, on the firehose once the promise resolves. */
export class SimulatedAccount {
  readonly #account: Account
  readonly #host: AccountHost

  constructor(account: Account, host: AccountHost) {
    this.#account = account
    this.#host = host
  }

  get did(): string {
    return this.#account.did
  }
  get handle(): string {
    return this.#account.handle
  }
  get pdsUrl(): string {
    return this.#account.pdsUrl
  }
  get status(): AccountStatus {
    return this.#account.status
  }
  /** The newest commit. */
  get head(): { cid: string; rev: string; data: string } {
    const { cid, rev, data } = this.#account.repo.head
    return { cid: cid.toString(), rev, data: data.toString() }
  }

  /**
   * Writes a record. It is not validated: what is no record of its collection is written all the same.
   * @param rkey a new TID when absent
   */
  create(collection: string, record: RecordInput, rkey?: string): Promise<{ uri: string; cid: string }> {
    return this.#one({ action: 'create', collection, record, ...(rkey !== undefined && { rkey }) })
  }

  /** One commit that replaces a record. */
  update(uri: string, record: RecordInput): Promise<{ uri: string; cid: string }> {
    return this.#one({ action: 'update', ...this.#pathOf(uri), record })
  }

  /** One commit that deletes a record. */
  async delete(uri: string): Promise<void> {
    await this.applyWrites([{ action: 'delete', ...this.#pathOf(uri) }])
  }

  /**
   * Several operations in one commit.
   * @param options.frame how the commit appears on the firehose, @default 'normal'
   */
  applyWrites(
    writes: readonly RecordWrite[],
    { frame = 'normal' }: { frame?: CommitFrame } = {},
  ): Promise<{ uri: string; cid?: string }[]> {
    return this.#host.serialize(async () => {
      const written = await this.#host.write(this.#account, writes, frame)
      return written.map(({ uri, cid }) => ({ uri, ...(cid && { cid: cid.toString() }) }))
    })
  }

  /** What the repo holds now. */
  records(): NetworkRecord[] {
    return this.#account.records()
  }

  /** The whole repo as a CAR. */
  car(): Promise<Uint8Array> {
    return this.#host.serialize(() => this.#account.repo.car())
  }

  /** Its owner leaves for a while: an `#account` event, and no repo for anybody. */
  deactivate(): Promise<void> {
    return this.#setStatus('deactivated')
  }

  /** It is back: an `#account` event, and its repo again. */
  reactivate(): Promise<void> {
    return this.#setStatus('active')
  }

  /** Its host takes it down: an `#account` event, and no repo for anybody. */
  takedown(): Promise<void> {
    return this.#setStatus('takendown')
  }

  /** Its host suspends it: an `#account` event, and no repo for anybody. */
  suspend(): Promise<void> {
    return this.#setStatus('suspended')
  }
  /** Deletes the account: an `#account` event, and `getRepo` finds nothing any more. */
  remove(): Promise<void> {
    return this.#setStatus('deleted')
  }

  /** @param handle `<old name>-<n>.test` when absent */
  changeHandle(handle?: string): Promise<string> {
    return this.#host.serialize(async () => {
      const next = handle ?? anotherName(this.handle)
      await this.#host.rename(this.#account, next)
      return next
    })
  }

  /** Declares the present state with a `#sync` event. */
  announceSync(): Promise<void> {
    return this.#host.serialize(() => this.#account.announceSync())
  }

  #setStatus(status: AccountStatus): Promise<void> {
    return this.#host.serialize(() => this.#host.setStatus(this.#account, status))
  }

  async #one(write: RecordWrite): Promise<{ uri: string; cid: string }> {
    const [written] = await this.applyWrites([write])
    return written as { uri: string; cid: string }
  }

  #pathOf(uri: string): { collection: string; rkey: string } {
    const [did, collection, rkey] = uri.slice('at://'.length).split('/')
    if (did !== this.did || !collection || !rkey) throw new Error(`${uri} is not a record of ${this.did}`)
    return { collection, rkey }
  }
}

function anotherName(handle: string): string {
  const [, name, number, domain] = /^(.*?)(?:-(\d+))?(\..*)$/.exec(handle) as unknown as string[]
  return `${name}-${Number(number ?? 1) + 1}${domain}`
}
