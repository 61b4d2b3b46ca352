import * as fc from 'fast-check'
import { TARGETS, WHENS } from './contents.ts'
import { slots } from './people.ts'
import { happenings, kinds, type Step } from './step.ts'

/** How what is said reaches the indexers. */
export interface Delivery {
  /** How far each thing is late, in places. */
  delays: readonly number[]
  /** Places of what comes twice. */
  repeats: readonly number[]
  /** Sizes of batches, one after the other, and which indexer takes each. */
  cuts: readonly number[]
  lanes: readonly number[]
  /** Places of what comes once more when all seems to be over. */
  late: readonly number[]
}

/** A history and a way in which it arrives. */
export interface Scenario {
  steps: readonly Step[]
  delivery: Delivery
}

export const LANES = 4

/** The plainest step; the others are smaller the more they have in common with it. */
export const plainStep: Step = {
  account: 0,
  kind: 'post',
  slot: 0,
  removes: false,
  target: 0,
  other: 0,
  variant: 0,
  when: 0,
  joins: false,
  missed: false,
}

const rarely = (times: number): fc.Arbitrary<boolean> =>
  fc.oneof({ weight: times, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) })

const step: fc.Arbitrary<Step> = fc.record({
  account: fc.nat(3),
  kind: fc.oneof(
    { weight: 8, arbitrary: fc.constant('post' as const) },
    { weight: 4, arbitrary: fc.constantFrom('threadgate' as const, 'postgate' as const) },
    { weight: 4, arbitrary: fc.constantFrom('like' as const, 'repost' as const, 'follow' as const) },
    { weight: 2, arbitrary: fc.constantFrom(...kinds) },
    { weight: 5, arbitrary: fc.constantFrom('snapshot' as const, 'account' as const, 'label' as const) },
    { weight: 2, arbitrary: fc.constantFrom(...happenings) },
  ),
  slot: fc.oneof({ weight: 2, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(slots.length - 1) }),
  removes: rarely(3),
  // Few, so that they meet.
  target: fc.oneof({ weight: 3, arbitrary: fc.nat(4) }, { weight: 1, arbitrary: fc.nat(TARGETS - 1) }),
  other: fc.oneof({ weight: 3, arbitrary: fc.nat(4) }, { weight: 1, arbitrary: fc.nat(TARGETS - 1) }),
  variant: fc.oneof({ weight: 2, arbitrary: fc.nat(5) }, { weight: 1, arbitrary: fc.nat(47) }),
  when: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(WHENS - 1) }),
  joins: rarely(4),
  missed: rarely(12),
})

/** One thing after the other, to one indexer. */
export const inOrder: Delivery = { delays: [0], repeats: [], cuts: [1], lanes: [0], late: [] }

const delivery: fc.Arbitrary<Delivery> = fc.oneof(
  { weight: 1, arbitrary: fc.constant(inOrder) },
  {
    weight: 4,
    arbitrary: fc.record({
      delays: fc.array(fc.oneof(fc.nat(4), fc.nat(60)), { minLength: 1, maxLength: 40 }),
      repeats: fc.array(fc.nat(60), { maxLength: 6 }),
      cuts: fc.array(fc.integer({ min: 1, max: 8 }), { minLength: 1, maxLength: 12 }),
      lanes: fc.array(fc.nat(LANES - 1), { minLength: 1, maxLength: 12 }),
      late: fc.array(fc.nat(60), { maxLength: 3 }),
    }),
  },
)

export const scenario: fc.Arbitrary<Scenario> = fc.record({
  steps: fc.array(step, { minLength: 1, maxLength: 40, size: 'max' }),
  delivery,
})
