import { TID } from '@atproto/common-web'

/**
 * The time of a network, in microseconds, that never gives one moment twice. By itself it stands still; it moves when
 * told to, so that one seed gives the same revisions on every day and every machine.
 */
export class VirtualClock {
  #micros: number
  /** Set: never behind the real time. */
  live = false

  constructor(startAt: Date) {
    this.#micros = startAt.getTime() * 1000
  }

  /** A moment later than all before. */
  next(): number {
    this.#micros = Math.max(this.#micros + 1, this.live ? Date.now() * 1000 : 0)
    return this.#micros
  }

  advance(ms: number): void {
    this.#micros += Math.round(ms * 1000)
  }

  /** Goes forward to a time; stays where it is when that is past. */
  advanceTo(time: Date): void {
    this.#micros = Math.max(this.#micros, time.getTime() * 1000)
  }

  /** A TID later than all before. */
  tid(clockId: number): string {
    return TID.fromTime(this.next(), clockId).toString()
  }

  /** The time now, RFC 3339 in UTC with milliseconds. */
  iso(): string {
    return new Date(Math.floor(this.next() / 1000)).toISOString()
  }
}
