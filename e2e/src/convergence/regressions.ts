import { inOrder, plainStep, type Scenario } from './scenario.ts'
import type { Step } from './step.ts'

export interface Regression {
  /** What went wrong once. */
  name: string
  scenario: Scenario
}

interface Case extends Pick<Scenario, 'delivery'> {
  name: string
  steps: readonly Partial<Step>[]
}

const cases: readonly Case[] = [
  {
    name: 'a repo that says twice where it is, and neither time what it holds, is fetched both times',
    steps: [
      { account: 3, kind: 'threadgate', missed: true },
      { account: 3, kind: 'snapshot' },
      { account: 3, kind: 'threadgate', other: 1, missed: true },
    ],
    delivery: inOrder,
  },
  {
    name: 'of a deleted account no revision is left',
    steps: [
      { account: 3, kind: 'like' },
      { account: 3, kind: 'account', variant: 2 },
    ],
    delivery: inOrder,
  },
  {
    name: 'who was told of a record is told of it still when they are deleted',
    steps: [
      { account: 0, kind: 'like', target: 3 },
      { account: 3, kind: 'account', variant: 2 },
    ],
    delivery: inOrder,
  },
  {
    name: 'nobody hears of a reply any longer when what it replies to goes with its account',
    steps: [
      { account: 0, kind: 'post' },
      { account: 3, kind: 'post', variant: 2 },
      { account: 1, kind: 'post', variant: 2, target: 3 },
      { account: 3, kind: 'account', variant: 2 },
    ],
    delivery: inOrder,
  },
  {
    name: 'what was removed before an account was deleted does not come back with it',
    steps: [
      { account: 3, kind: 'like' },
      { account: 3, kind: 'like', removes: true },
      { account: 3, kind: 'account', variant: 2 },
      { account: 3, kind: 'account', variant: 0 },
    ],
    delivery: { ...inOrder, late: [0] },
  },
  {
    name: 'what was removed while an account was deleted does not come back with it',
    steps: [
      { account: 3, kind: 'account', variant: 2 },
      { account: 3, kind: 'like' },
      { account: 3, kind: 'like', removes: true },
      { account: 3, kind: 'account', variant: 0 },
    ],
    delivery: { ...inOrder, late: [1] },
  },
  {
    name: 'an account that comes back as it was has all that it had',
    steps: [
      { account: 3, kind: 'like' },
      { account: 3, kind: 'account', variant: 2 },
      { account: 3, kind: 'account', variant: 0 },
    ],
    delivery: inOrder,
  },
  {
    name: 'a reply of the author that is written anew has the parent that it says now',
    steps: [
      { kind: 'post', slot: 1, variant: 2 },
      { kind: 'post', slot: 1, removes: true },
      { kind: 'post', slot: 1, target: 1, variant: 5 },
    ],
    delivery: inOrder,
  },
  {
    name: 'of a post that quotes what it names by a handle nothing is kept',
    steps: [{ other: 12, variant: 1 }, { account: 1 }],
    delivery: inOrder,
  },
]

/** Scenarios that failed once. */
export const regressions: readonly Regression[] = cases.map(({ name, steps, delivery }) => ({
  name,
  scenario: { steps: steps.map((step) => ({ ...plainStep, ...step })), delivery },
}))

/** A scenario as it is written above. */
export function renderRegression({ steps, delivery }: Scenario): string {
  const lines = steps.map((step) => `      ${literal(differences(step))},`)
  const ending = JSON.stringify(delivery) === JSON.stringify(inOrder) ? 'inOrder' : literal(delivery)
  return ['  {', `    name: '…',`, '    steps: [', ...lines, '    ],', `    delivery: ${ending},`, '  },'].join('\n')
}

/** What makes a step other than the plainest one. */
function differences(step: Step): Partial<Step> {
  return Object.fromEntries(
    Object.entries(step).filter(([key, value]) => value !== plainStep[key as keyof Step]),
  ) as Partial<Step>
}

function literal(value: object): string {
  const fields = Object.entries(value).map(
    ([key, item]) => `${key}: ${typeof item === 'string' ? `'${item}'` : JSON.stringify(item).replaceAll(',', ', ')}`,
  )
  return `{ ${fields.join(', ')} }`
}
