import { InvalidEventError } from '@millrace/stream-protocol'

/** What bytes of strangers are held to, each by the reason that breaking it is counted as. */
const reasons = {
  'car-header': 'bad-car',
  'car-length': 'bad-car',
  'car-section-size': 'bad-car',
  'car-cid': 'bad-car',
  'car-hash': 'bad-car',
  'car-end': 'bad-car',
  'car-size': 'bad-car',
  'block-hash': 'bad-block',
  'block-missing': 'missing-blocks',
  'cbor-end': 'bad-cbor',
  'cbor-trailing': 'bad-cbor',
  'cbor-definite': 'bad-cbor',
  'cbor-shortest': 'bad-cbor',
  'cbor-keys': 'bad-cbor',
  'cbor-key-order': 'bad-cbor',
  'cbor-tag': 'bad-cbor',
  'cbor-link': 'bad-cbor',
  'cbor-simple': 'bad-cbor',
  'cbor-utf8': 'bad-utf8',
  'cbor-fraction': 'bad-number',
  'cbor-integer': 'bad-number',
  'cbor-depth': 'too-deep',
  'commit-fields': 'bad-commit',
  'commit-version': 'bad-commit',
  'record-size': 'too-large',
  'tree-node': 'bad-mst',
  'tree-entries': 'bad-mst',
  'tree-prefix': 'bad-mst',
  'tree-key': 'bad-mst',
  'tree-order': 'bad-mst',
  'tree-layer': 'bad-mst',
  'tree-depth': 'bad-mst',
  'tree-empty-node': 'bad-mst',
  'tree-operation': 'bad-mst',
} as const

const intros = {
  'bad-car': 'not a CAR file: ',
  'bad-block': '',
  'missing-blocks': '',
  'bad-cbor': 'not DAG-CBOR of the data model: ',
  'bad-utf8': 'not DAG-CBOR of the data model: ',
  'bad-number': 'not DAG-CBOR of the data model: ',
  'too-deep': 'not DAG-CBOR of the data model: ',
  'bad-commit': 'the commit does not hold: ',
  'too-large': '',
  'bad-mst': 'the tree does not hold: ',
} as const satisfies Record<(typeof reasons)[Rule], string>

/** Name of a rule that bytes have broken. */
export type Rule = keyof typeof reasons

/** Bytes of strangers that do not hold, with the rule that they break. */
export class BrokenRuleError extends InvalidEventError {
  readonly rule: Rule
  /** What is wrong, without saying of what. */
  readonly detail: string

  constructor(rule: Rule, message: string, options?: { cause?: unknown }) {
    const reason = reasons[rule]
    super(reason, `${intros[reason]}${message}`, options)
    this.rule = rule
    this.detail = message
  }
}

export function breakRule(rule: Rule, message: string, options?: { cause?: unknown }): never {
  throw new BrokenRuleError(rule, message, options)
}
