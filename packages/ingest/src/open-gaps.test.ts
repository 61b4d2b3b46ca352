import { expect, test } from 'vitest'
import { OpenGaps } from './open-gaps.ts'

const of = { host: 'relay.test', stream: 'firehose_live' }

test('a hole goes up to the next number, and is there once however often it is met (I8)', () => {
  const gaps = new OpenGaps(of)
  gaps.open('outdated-cursor', '3')
  gaps.open('outdated-cursor', '3')
  gaps.open('undecodable', '3')
  expect(gaps.closeAt(9)).toEqual([
    { ...of, reason: 'outdated-cursor', fromSeq: '3', toSeq: '9' },
    { ...of, reason: 'undecodable', fromSeq: '3', toSeq: '9' },
  ])
  expect(gaps.closeAt(10)).toEqual([])
})
