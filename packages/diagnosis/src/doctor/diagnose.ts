import type { CheckVerdict, Finding } from './check.ts'
import { checks } from './checks/index.ts'
import type { DoctorFacts } from './facts.ts'

/** What a check found. */
export interface CheckResult extends Finding {
  id: string
  title: string
}

/** What all checks found. */
export interface Diagnosis {
  checkedAt: Date
  /** The worst of all. */
  verdict: CheckVerdict
  checks: readonly CheckResult[]
}

const order: readonly CheckVerdict[] = ['ok', 'unknown', 'warn', 'fail']

/** Every check, of one set of facts. A check may find several things. */
export function diagnose(facts: DoctorFacts): Diagnosis {
  const results = checks.flatMap(({ id, title, look }) => {
    const found = look(facts)
    const findings =
      found === undefined ? [] : Array.isArray(found) ? (found as readonly Finding[]) : [found as Finding]
    return findings.map((finding) => ({ id, title, ...finding }))
  })
  const worst = Math.max(0, ...results.map(({ verdict }) => order.indexOf(verdict)))
  return { checkedAt: new Date(facts.now), verdict: order[worst]!, checks: results }
}
