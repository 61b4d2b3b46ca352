import type { PauseWatch } from '@millrace/database'
import { HostBusyError, HostPacer, type HostPacerOptions } from '@millrace/repo-backfill'
import { hostWithoutScheme } from '@millrace/stream-protocol'

/** How soon a host is looked at again. Repos that wait for so long make room for others where there is little. */
const LOOK_MS = 20_000

/** Leaves alone, beside those that are to be left alone anyway, hosts that operators have paused. */
export class PausablePacer extends HostPacer {
  readonly #pauses: Pick<PauseWatch, 'leftMs'>

  constructor({ pauses, ...options }: HostPacerOptions & { pauses: Pick<PauseWatch, 'leftMs'> }) {
    super(options)
    this.#pauses = pauses
  }

  override async take(host: string, priority?: number): Promise<void> {
    const waitMs = this.#pausedMs(host)
    if (waitMs > 0) throw new HostBusyError(host, waitMs)
    await super.take(host, priority)
  }

  override waitMs(host: string): number {
    return Math.max(super.waitMs(host), this.#pausedMs(host))
  }

  #pausedMs(host: string): number {
    return Math.ceil(Math.min(LOOK_MS, this.#pauses.leftMs('host', hostWithoutScheme(host))))
  }
}
