/** What `millrace up` was asked for. */
export interface UpOptions {
  network: 'sim' | 'live'
  /** Of `live`. */
  relay: string
  labelers: readonly string[]
  /** Repos that are listed, at most. */
  repos: number | undefined
  /** Of `sim`. */
  accounts: number
  recordsPerAccount: number
  seed: number
  /** Operations that are written while it runs: a second, and altogether. */
  rate: number
  events: number | undefined
  streams: 'redis' | 'sqlite' | undefined
  /** Folder of everything that is kept in files. */
  data: string
  reset: boolean
  exitWhenIdle: boolean
  json: boolean
  adminPort: number
}
