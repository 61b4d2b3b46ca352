/** Keys of accounts that were looked up. The longest unused go first. */
export class KeyBook {
  readonly #keys = new Map<string, string>()
  readonly #maxKeys: number

  constructor(maxKeys: number) {
    this.#maxKeys = maxKeys
  }

  get(did: string): string | undefined {
    const key = this.#keys.get(did)
    if (key === undefined) return undefined
    // A map keeps the order of insertion.
    this.#keys.delete(did)
    this.#keys.set(did, key)
    return key
  }

  set(did: string, key: string): void {
    this.#keys.delete(did)
    this.#keys.set(did, key)
    const oldest = this.#keys.keys().next().value
    if (this.#keys.size > this.#maxKeys && oldest !== undefined) this.#keys.delete(oldest)
  }

  delete(did: string): void {
    this.#keys.delete(did)
  }
}
