import { describe, expect, test } from 'vitest'
import { postNotifications } from './notify.ts'
import type { PostNode, Verdict } from './post-node.ts'

const uri = (name: string, rkey = '1'): string => `at://did:plc:${name}/app.bsky.feed.post/${rkey}`
const allowed: Verdict = { invalidReplyRoot: null, violatesThreadGate: null, violatesEmbeddingRules: null }
const post: PostNode = {
  uri: uri('me'),
  cid: 'c',
  creator: 'did:plc:me',
  root: uri('a'),
  parent: uri('d'),
  quoted: uri('q'),
  sortAt: '2026',
  stored: allowed,
  isNew: true,
}
const above = ['d', 'c', 'b', 'a', 'z'].map((name) => uri(name))

function told(
  verdict: Partial<Verdict> = {},
  {
    mentioned = [],
    ancestors = above,
    hidden = [],
  }: { mentioned?: string[]; ancestors?: string[]; hidden?: string[] } = {},
): string[] {
  return postNotifications(post, { ...allowed, ...verdict }, mentioned, ancestors, new Set(hidden)).map(
    ({ did, reason }) => `${reason} ${did.slice('did:plc:'.length)}`,
  )
}

describe('who hears of a post', () => {
  test('the quoted, and four authors up the thread', () => {
    expect(told()).toEqual(['quote q', 'reply d', 'reply c', 'reply b', 'reply a'])
  })
  test('everyone once, the mentioned first, and never the author', () => {
    expect(told({}, { mentioned: ['did:plc:q', 'did:plc:c', 'did:plc:me', 'did:plc:q'] })).toEqual([
      'mention q',
      'mention c',
      'reply d',
      'reply b',
      'reply a',
    ])
    expect(told({}, { ancestors: [uri('d'), uri('me', '2'), uri('d', '2')] })).toEqual(['quote q', 'reply d'])
  })
  test('not the quoted when they forbid quotes', () => {
    expect(told({ violatesEmbeddingRules: true })).toEqual(['reply d', 'reply c', 'reply b', 'reply a'])
  })
  test('nobody of a thread whose gate forbids the reply', () => {
    expect(told({ invalidReplyRoot: false, violatesThreadGate: true }, { mentioned: ['did:plc:m'] })).toEqual([
      'mention m',
      'quote q',
    ])
  })
  test('nobody above a reply that is hidden', () => {
    expect(told({}, { hidden: [uri('c')] })).toEqual(['quote q', 'reply d', 'reply c'])
  })
  test('each with what it is about', () => {
    expect(postNotifications(post, allowed, ['did:plc:m'], [uri('d')], new Set())).toEqual([
      { did: 'did:plc:m', reason: 'mention', reasonSubject: null, sortAt: '2026' },
      { did: 'did:plc:q', reason: 'quote', reasonSubject: uri('q'), sortAt: '2026' },
      { did: 'did:plc:d', reason: 'reply', reasonSubject: uri('d'), sortAt: '2026' },
    ])
  })
})
