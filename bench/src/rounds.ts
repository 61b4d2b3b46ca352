import { median } from '@millrace/testing/results'
import type { Measurement, SystemName } from './systems/measurement.ts'

export type Round = Partial<Record<SystemName, Measurement>>

/** Measurements of systems that took turns. */
export class Rounds {
  readonly #rounds: readonly Round[]

  constructor(rounds: readonly Round[]) {
    this.#rounds = rounds
  }

  all(): Measurement[] {
    return this.#rounds.flatMap((round) => Object.values(round))
  }

  /** The median of all rounds. */
  median(system: SystemName, value: (measurement: Measurement) => number): number {
    return median(this.#rounds.map((round) => value(measured(round, system))))
  }

  /** How often one system's value is another's: taken within each round, then the median. */
  ratio(system: SystemName, to: SystemName, value: (measurement: Measurement) => number): number {
    return median(this.#rounds.map((round) => value(measured(round, system)) / value(measured(round, to))))
  }
}

function measured(round: Round, system: SystemName): Measurement {
  const measurement = round[system]
  if (!measurement) throw new RangeError(`${system} took no part`)
  return measurement
}

/** Each comes first in turn: what the one before left in caches helps nobody more often. */
export function rotated<T>(values: readonly T[], by: number): T[] {
  const start = by % values.length
  return [...values.slice(start), ...values.slice(0, start)]
}
