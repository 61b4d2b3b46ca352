import { describe, expect, test } from 'vitest'
import type { ThreadGate } from './gates.ts'
import { judgePosts, type ParentFacts, type ThreadFacts } from './judge.ts'
import type { PostNode, Verdict } from './post-node.ts'

const author = 'did:plc:author'
const replier = 'did:plc:replier'
const at = (did: string, rkey: string, collection = 'app.bsky.feed.post'): string => `at://${did}/${collection}/${rkey}`
const root = at(author, 'root')

const node = (uri: string, fields: Partial<PostNode> = {}): PostNode => ({
  uri,
  cid: 'c',
  creator: replier,
  root: null,
  parent: null,
  quoted: null,
  sortAt: '',
  stored: { invalidReplyRoot: null, violatesThreadGate: null, violatesEmbeddingRules: null },
  isNew: true,
  ...fields,
})
const facts = (fields: Partial<ThreadFacts> = {}): ThreadFacts => ({
  parents: new Map(),
  threadGates: new Map(),
  quotesForbidden: new Set(),
  mentions: new Map(),
  follows: new Set(),
  members: new Set(),
  ...fields,
})
const parents = (...entries: [string, ParentFacts][]): Pick<ThreadFacts, 'parents'> => ({ parents: new Map(entries) })
const top: ParentFacts = { root: null, invalidReplyRoot: null }
const verdict = (invalid: boolean | null, gate: boolean | null, embed: boolean | null = null): Verdict => ({
  invalidReplyRoot: invalid,
  violatesThreadGate: gate,
  violatesEmbeddingRules: embed,
})
const valid = verdict(null, null)
const invalid = verdict(true, false)

describe('a reply is valid when its parent is there and says the same root', () => {
  const reply = at(replier, 'reply')
  const parent = at('did:plc:third', 'parent')
  const other = at(author, 'other')
  test.each<[string, Partial<PostNode>, Partial<ThreadFacts>, Verdict]>([
    ['a post is no reply', {}, {}, valid],
    ['to the root', { root, parent: root }, parents([root, top]), valid],
    ['to a reply of the same root', { root, parent }, parents([parent, { root, invalidReplyRoot: null }]), valid],
    ['to nothing', { root, parent: root }, {}, invalid],
    [
      'to a root that is a reply',
      { root, parent: root },
      parents([root, { root: other, invalidReplyRoot: null }]),
      invalid,
    ],
    [
      'to a reply of another root',
      { root, parent },
      parents([parent, { root: other, invalidReplyRoot: null }]),
      invalid,
    ],
    ['to a post that is no reply, and not the root', { root, parent }, parents([parent, top]), invalid],
    ['to an invalid reply', { root, parent }, parents([parent, { root, invalidReplyRoot: true }]), invalid],
  ])('%s', (_name, fields, known, expected) => {
    expect(judgePosts([node(reply, fields)], facts(known)).get(reply)).toEqual(expected)
  })
})

describe('replies of one batch are judged after those above them, whatever order they are in', () => {
  const uris = ['1', '2', '3', '4'].map((rkey) => at(replier, rkey))
  const chain = uris.map((uri, index) => node(uri, { root, parent: index === 0 ? root : uris[index - 1]! }))
  const known: [string, ParentFacts][] = uris.map((uri) => [uri, { root, invalidReplyRoot: null }])

  test.each([
    ['a chain from the root is valid', [[root, top], ...known] as [string, ParentFacts][], valid],
    ['one from nowhere is invalid to its end', known, invalid],
  ])('%s', (_name, entries, expected) => {
    for (const order of [chain, [...chain].reverse(), [2, 0, 3, 1].map((index) => chain[index]!)])
      expect([...judgePosts(order, facts(parents(...entries))).values()]).toEqual(uris.map(() => expected))
  })

  test('replies in a circle are invalid, whichever is looked at first', () => {
    const [a, b, c] = uris as [string, string, string]
    const circle = [
      node(a, { root, parent: b }),
      node(b, { root, parent: a }),
      node(c, { root, parent: a }),
      node(root, { root, parent: root }),
    ]
    const entries = circle.map((post): [string, ParentFacts] => [post.uri, { root, invalidReplyRoot: null }])
    for (const order of [circle, [...circle].reverse()]) {
      const verdicts = judgePosts(order, facts(parents(...entries)))
      expect([a, b, c, root].map((uri) => verdicts.get(uri))).toEqual([invalid, invalid, invalid, invalid])
    }
  })

  test('a thread may be longer than any stack', () => {
    const many = Array.from({ length: 20_000 }, (_, index) => at(replier, String(index)))
    const posts = many.map((uri, index) => node(uri, { root, parent: many[index - 1] ?? root }))
    const entries = many.map((uri): [string, ParentFacts] => [uri, { root, invalidReplyRoot: null }])
    const verdicts = judgePosts(posts.reverse(), facts(parents([root, top], ...entries)))
    expect([...verdicts.values()].every((each) => each.invalidReplyRoot === null)).toBe(true)
  })
})

describe('a gate lets in whom its rules name', () => {
  const reply = at(replier, 'reply')
  const list = at('did:plc:anyone', 'list', 'app.bsky.graph.list')
  const closed: ThreadGate = {
    mentioned: false,
    following: false,
    follower: false,
    lists: [],
    hiddenReplies: [],
    open: false,
  }
  const forbidden = verdict(false, true)
  test.each<[string, Partial<ThreadGate> | undefined, Partial<ThreadFacts>, Verdict]>([
    ['no gate', undefined, {}, valid],
    ['a gate without rules', { open: true }, {}, valid],
    ['a gate that lets nobody in', {}, {}, forbidden],
    ['the mentioned', { mentioned: true }, { mentions: new Map([[root, [replier]]]) }, valid],
    ['the mentioned only', { mentioned: true }, { mentions: new Map([[root, [author]]]) }, forbidden],
    ['whom the author follows', { following: true }, { follows: new Set([`${author} ${replier}`]) }, valid],
    [
      'not whom the author does not follow',
      { following: true },
      { follows: new Set([`${replier} ${author}`]) },
      forbidden,
    ],
    ['who follows the author', { follower: true }, { follows: new Set([`${replier} ${author}`]) }, valid],
    ['members of a list', { lists: [list] }, { members: new Set([`${list} ${replier}`]) }, valid],
    ['not members of another list', { lists: [list] }, { members: new Set([`${root} ${replier}`]) }, forbidden],
    [
      'one rule is enough',
      { mentioned: true, following: true, lists: [list] },
      { members: new Set([`${list} ${replier}`]) },
      valid,
    ],
  ])('%s', (_name, gate, known, expected) => {
    const threadGates = new Map(gate && [[at(author, 'root', 'app.bsky.feed.threadgate'), { ...closed, ...gate }]])
    const post = node(reply, { root, parent: root })
    expect(judgePosts([post], facts({ ...parents([root, top]), threadGates, ...known })).get(reply)).toEqual(expected)
  })

  test('the author may always reply', () => {
    const own = node(at(author, 'own'), { creator: author, root, parent: root })
    const threadGates = new Map([[at(author, 'root', 'app.bsky.feed.threadgate'), closed]])
    expect(judgePosts([own], facts({ ...parents([root, top]), threadGates })).get(own.uri)).toEqual(valid)
  })
})

describe('a post may forbid to be quoted', () => {
  const quoted = at(author, 'quoted')
  const quotesForbidden = new Set([at(author, 'quoted', 'app.bsky.feed.postgate')])
  test.each([
    ['others', replier, true],
    ['not its author', author, null],
  ])('to %s', (_name, creator, expected) => {
    const quote = node(at(creator, 'quote'), { creator, quoted })
    expect(judgePosts([quote], facts({ quotesForbidden })).get(quote.uri)).toEqual(verdict(null, null, expected))
    expect(judgePosts([quote], facts()).get(quote.uri)).toEqual(valid)
  })
})
