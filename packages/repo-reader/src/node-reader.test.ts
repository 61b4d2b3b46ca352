import { describe, expect, test } from 'vitest'
import { NodeReader } from './node-reader.ts'

const ruleOf = (hex: string): string => {
  const bytes = Buffer.from(hex.replaceAll(' ', ''), 'hex')
  try {
    const node = new NodeReader().open(bytes, 0, bytes.length)
    while (node.left > 0) node.next()
    return 'none'
  } catch (error) {
    return (error as { rule: string }).rule
  }
}
const link = `d82a 5825 00 01711220 ${'11'.repeat(32)}`
const key = '6b 41 61 61 70 00'

describe('NodeReader', () => {
  test.each([
    { name: 'a node without entries', hex: 'a2 6165 80 616c f6', rule: 'none' },
    { name: 'a node with a subtree alone', hex: `a2 6165 80 616c ${link}`, rule: 'none' },
    { name: 'an entry', hex: `a2 6165 81 a4 61${key} 6174 f6 6176 ${link} 616c f6`, rule: 'none' },
    { name: 'a subtree that is null in two ways', hex: 'a2 6165 80 616c f6f6', rule: 'cbor-trailing' },
    { name: 'a subtree that is text', hex: 'a2 6165 80 616c 6161', rule: 'tree-node' },
    {
      name: 'a subtree of another hash',
      hex: `a2 6165 80 616c d82a 5825 00 01711320 ${'11'.repeat(32)}`,
      rule: 'tree-node',
    },
    { name: 'a record that is null', hex: `a2 6165 81 a4 61${key} 6174 f6 6176 f6 616c f6`, rule: 'tree-node' },
    { name: 'fewer entries than it says', hex: 'a2 6165 81 616c f6', rule: 'cbor-keys' },
    { name: 'the end of a node alone', hex: '616c f6', rule: 'cbor-trailing' },
    { name: 'nothing', hex: '', rule: 'cbor-end' },
  ])('$name: $rule', ({ hex, rule }) => expect(ruleOf(hex)).toBe(rule))

  test('where the first subtree is said to be is looked at before anybody goes there', () => {
    const bytes = Buffer.from(`a2616581616cd82a582500017112ff${'11'.repeat(32)}`, 'hex')
    expect(() => new NodeReader().open(bytes, 0, bytes.length)).toThrow('not DAG-CBOR')
  })
})
