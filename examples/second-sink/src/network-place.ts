/** Where a network is. */
export interface NetworkPlace {
  readonly relayUrl: string
  readonly plcUrl: string
  readonly handleResolverUrl: string
}
