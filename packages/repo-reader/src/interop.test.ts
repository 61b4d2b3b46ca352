import { decode, encode } from '@atproto/lex-cbor'
import { cidForCbor, parseCid, type Cid, type LexValue } from '@atproto/lex-data'
import { MemoryBlockstore, MST, mstUtil } from '@atproto/repo'
import { describe, expect, test } from 'vitest'
import { decodeCbor } from './cbor.ts'
import { Link } from './link.ts'
import { PartialTree } from './partial-tree.ts'
import { splitPath } from './path.ts'
import { readRecord } from './record.ts'
import { layerOf } from './tree-node.ts'

// Values that are published for all who implement the protocol: those of the specification of repositories
// (https://atproto.com/specs/repository), and of `interop-test-files` in https://github.com/bluesky-social/atproto and the
// tests beside them. What @atproto/repo itself says of each is asked as well, so that none is a slip of the pen.

const linkOf = (cid: Cid) => Link.read(Buffer.from(cid.bytes))!
const textOf = (tree: PartialTree) => Link.ofKey(tree.rootKey()).toString()

describe('the layer of a key that is published', () => {
  test.each([
    { key: '', layer: 0 },
    { key: 'asdf', layer: 0 },
    { key: '2653ae71', layer: 0 },
    { key: 'blue', layer: 1 },
    { key: '88bfafc7', layer: 2 },
    { key: '2a92d355', layer: 4 },
    { key: '884976f5', layer: 6 },
    { key: 'app.bsky.feed.post/454397e440ec', layer: 4 },
    { key: 'app.bsky.feed.post/9adeb165882c', layer: 8 },
  ])('$key lies on layer $layer', async ({ key, layer }) => {
    expect(layerOf(key)).toBe(layer)
    expect(await mstUtil.leadingZerosOnHash(key)).toBe(layer)
  })
})

/** The record of all keys of the published trees. */
const record = parseCid('bafyreie5cvv4h45feadgeuwhbcutmh6t2ceseocckahdoe6uat64zmz454')
const EMPTY = 'bafyreie5737gdxlw5i64vzichcalba3z2v5n6icifvx5xytvske7mr3hpm'

/** The tree of a repo without records, as it is sent. */
async function emptyTree(): Promise<PartialTree> {
  const bytes = Buffer.from(encode({ e: [], l: null }))
  const root = linkOf(await cidForCbor(bytes))
  return new PartialTree(new Map([[root.key, bytes]]), root)
}

async function referenceTree(keys: readonly string[]): Promise<MST> {
  let tree = await MST.create(new MemoryBlockstore())
  for (const key of keys) tree = await tree.add(key, record)
  return tree
}

test('the tree without records has the root that is published', async () => {
  expect(textOf(await emptyTree())).toBe(EMPTY)
  expect(String(await (await referenceTree([])).getPointer())).toBe(EMPTY)
})

interface Change {
  name: string
  keys: string[]
  before: string
  adds?: string[]
  removes?: string[]
  after?: string
}

const recordKeys = (...ends: string[]) => ends.map((end) => `com.example.record/3jqfcqzm${end}2j`)
const changes: Change[] = [
  {
    name: 'a single key',
    keys: recordKeys('3fo'),
    before: 'bafyreibj4lsc3aqnrvphp5xmrnfoorvru4wynt6lwidqbm2623a6tatzdu',
  },
  {
    name: 'a single key on layer 2',
    keys: recordKeys('3fx'),
    before: 'bafyreih7wfei65pxzhauoibu3ls7jgmkju4bspy4t2ha2qdjnzqvoy33ai',
  },
  {
    name: 'five keys on two layers',
    keys: recordKeys('3fp', '3fr', '3fs', '3ft', '4fc'),
    before: 'bafyreicmahysq4n6wfuxo522m6dpiy7z7qzym3dzs756t5n7nfdgccwq7m',
  },
  {
    name: 'a removal that takes the top of the tree with it',
    keys: recordKeys('3fn', '3fo', '3fp', '3fs', '3ft', '3fu'),
    before: 'bafyreifnqrwbk6ffmyaz5qtujqrzf5qmxf7cbxvgzktl4e3gabuxbtatv4',
    removes: recordKeys('3fs'),
    after: 'bafyreie4kjuxbwkhzg2i5dljaswcroeih4dgiqq6pazcmunwt2byd725vi',
  },
  {
    name: 'a key that splits two layers below it',
    keys: recordKeys('3fo', '3fp', '3fr', '3fs', '3ft', '3fz', '4fc', '4fd', '4ff', '4fg', '4fh'),
    before: 'bafyreiettyludka6fpgp33stwxfuwhkzlur6chs4d2v4nkmq2j3ogpdjem',
    adds: recordKeys('3fx'),
    after: 'bafyreid2x5eqs4w4qxvc5jiwda4cien3gw2q6cshofxwnvv7iucrmfohpm',
  },
  {
    name: 'a key two layers above all others',
    keys: recordKeys('3ft', '3fz'),
    before: 'bafyreidfcktqnfmykz2ps3dbul35pepleq7kvv526g47xahuz3rqtptmky',
    adds: recordKeys('3fx'),
    after: 'bafyreiavxaxdz7o7rbvr3zg2liox2yww46t7g6hkehx4i4h3lwudly7dhy',
  },
  {
    name: 'keys one and two layers above all others',
    keys: recordKeys('3ft', '3fz'),
    before: 'bafyreidfcktqnfmykz2ps3dbul35pepleq7kvv526g47xahuz3rqtptmky',
    adds: recordKeys('3fx', '4fd'),
    after: 'bafyreig4jv3vuajbsybhyvb7gggvpwh2zszwfyttjrj6qwvcsp24h6popu',
  },
  {
    name: 'two deep split',
    keys: ['A0/374913', 'B1/986427', 'C0/451630', 'E0/670489', 'F1/085263', 'G0/765327'],
    before: 'bafyreicraprx2xwnico4tuqir3ozsxpz46qkcpox3obf5bagicqwurghpy',
    adds: ['D2/269196'],
    after: 'bafyreihvay6pazw3dfa47u5d2tn3rd6pa57sr37bo5bqyvjuqc73ib65my',
  },
  {
    name: 'two deep leafless split',
    keys: ['A0/374913', 'B0/601692', 'D0/952776', 'E0/670489'],
    before: 'bafyreialm5sgf7pijawbschsjpdevid5rss5ip3d4n4w6cc4mhu53sfl4i',
    adds: ['C2/014073'],
    after: 'bafyreibxh4iztp5l2yshz3ectg2qjpeyprpw2gogao3pvceowpq3k3thya',
  },
  {
    name: 'add on edge with neighbor two layers down',
    keys: ['A0/374913', 'B2/827649', 'C0/451630'],
    before: 'bafyreigc6ay2qwfk7kuevvrczummpd64nknfo4yxpaooknfymzyb7u3ntq',
    adds: ['D2/269196'],
    after: 'bafyreign6kxoll35r5f2ske6hjx7vg56aw3jn6r5hcopgrepzafpvohr2a',
  },
  {
    name: 'merge and split in multi-op commit',
    keys: ['A0/374913', 'B2/827649', 'D2/269196', 'E0/670489'],
    before: 'bafyreiceld4icym4qjmdcn3dfgtxt7t66hdgyhvigessgmkvb56dx6amgi',
    adds: ['C2/014073'],
    removes: ['B2/827649', 'D2/269196'],
    after: 'bafyreigkalika3taqauapfha556lo36zzcjoiifny5xeru6yis3nxw5ruq',
  },
  {
    name: 'complex multi-op commit',
    keys: ['B0/601692', 'C2/014073', 'D0/952776', 'E2/819540', 'F0/697858', 'H0/131238'],
    before: 'bafyreigr3plnts7dax6yokvinbhcqpyicdfgg6npvvyx6okc5jo55slfqi',
    adds: ['A2/827942', 'G2/611528'],
    removes: ['C2/014073'],
    after: 'bafyreiftrcrbhrwmi37u4egedlg56gk3jeh3tvmqvwgowoifuklfysyx54',
  },
  {
    name: 'split with earlier leaves on same layer',
    keys: [
      'app.bsky.feed.post/3lo3kqqljmfe2',
      'app.bsky.feed.post/3log4547dm6h2',
      'app.bsky.feed.post/3log45inogon2',
      'app.bsky.feed.post/3logaodrh74d2',
      'app.bsky.feed.post/3logteazog2n2',
      'app.bsky.feed.post/3lon5cqsbwrj2',
      'app.bsky.feed.repost/3l6sjhvqonco2',
    ],
    before: 'bafyreigfcsro2up7qi7l3rxdpg7n6gjtteotkmgrrqztl5oy2tf4ncl4ji',
    adds: ['app.bsky.feed.post/3lon5dzeaihj2'],
    after: 'bafyreig33hsjiplaixvmccy65n7rn3in5nsbtcittzx6k3w5wjfhk2sg3a',
  },
]

describe('a change of a tree that is published', () => {
  const all = changes.map((change) => ({ adds: [], removes: [], after: change.before, ...change }))

  test.each(all)('$name', async ({ keys, before, adds, removes, after }) => {
    const tree = await emptyTree()
    const value = linkOf(record).key
    for (const key of keys) tree.insert(key, value)
    expect(textOf(tree)).toBe(before)
    for (const key of adds) tree.insert(key, value)
    for (const key of removes) tree.remove(key)
    expect(textOf(tree)).toBe(after)
    // As a commit is judged: its operations are taken back.
    for (const key of removes) tree.insert(key, value)
    for (const key of adds) tree.remove(key)
    expect(textOf(tree)).toBe(before)
    for (const key of keys) tree.remove(key)
    expect(textOf(tree)).toBe(EMPTY)

    let reference = await referenceTree(keys)
    expect(String(await reference.getPointer())).toBe(before)
    for (const key of adds) reference = await reference.add(key, record)
    for (const key of removes) reference = await reference.delete(key)
    expect(String(await reference.getPointer())).toBe(after)
  })

  // The short keys of the others are no paths of records, which is for a tree that is sent to tell.
  const sent = all.filter(({ keys }) => keys.every((key) => splitPath(key)))

  test.each(sent)('$name, with no more than the blocks that prove it', async ({ keys, before, adds, removes }) => {
    let reference = await referenceTree(keys)
    for (const key of adds) reference = await reference.add(key, record)
    for (const key of removes) reference = await reference.delete(key)
    const proofs = await Promise.all([...adds, ...removes].map((key) => reference.getCoveringProof(key)))
    const { root, blocks } = await reference.getUnstoredBlocks()
    const proof = proofs.length > 0 ? proofs.flatMap((map) => map.entries()) : blocks.entries()
    const tree = new PartialTree(
      new Map(proof.map(({ cid, bytes }) => [linkOf(cid).key, Buffer.from(bytes)])),
      linkOf(root),
    )
    for (const key of adds) expect(tree.get(key)).toBe(linkOf(record).key)
    for (const key of removes) expect(tree.get(key)).toBe(null)
    for (const key of removes) tree.insert(key, linkOf(record).key)
    for (const key of adds) tree.remove(key)
    expect(textOf(tree)).toBe(before)
  })
})

describe('a record that is published', () => {
  const link = { $link: 'bafyreidfayvfuwqa7qlnopdjiqrxzs6blmoeu4rujcjtnci5beludirz2a' }
  const bytes = { $bytes: 'nFERjvLLiw9qm45JrqH9QTzyC2Lu1Xb4ne6+sBrCzI0' }

  test.each([
    {
      name: 'with text, numbers, lists and maps',
      cid: 'bafyreiclp443lavogvhj3d2ob2cxbfuscni2k5jk7bebjzg7khl3esabwq',
      cbor:
        'p2Rib29s9WRudWxs9mVhcnJheYNjYWJjY2RlZmNnaGlmb2JqZWN0pGNhcnKDY2FiY2NkZWZjZ2hpZGJvb2z1Zm51bWJlchh7ZnN0cmlu' +
        'Z2NhYmNmc3RyaW5nY2FiY2dpbnRlZ2VyGHtndW5pY29kZXgvYX7DtsOxwqnivZjimI7wk4uT8J+YgPCfkajigI3wn5Gp4oCN8J+Rp+KA' +
        'jfCfkac',
      json: {
        string: 'abc',
        unicode: 'a~öñ©⽘☎𓋓😀👨\u200d👩\u200d👧\u200d👧',
        integer: 123,
        bool: true,
        null: null,
        array: ['abc', 'def', 'ghi'],
        object: { string: 'abc', number: 123, bool: true, arr: ['abc', 'def', 'ghi'] },
      },
    },
    {
      name: 'with a link, bytes and a blob',
      cid: 'bafyreihldkhcwijkde7gx4rpkkuw7pl6lbyu5gieunyc7ihactn5bkd2nm',
      cbor:
        'o2Fh2CpYJQABcRIgZQYqWloA/BbXPGlEI3zLwVscSnI0SJM2iR0JF0GiOdBhYlggnFERjvLLiw9qm45JrqH9QTzyC2Lu1Xb4ne6+sBrC' +
        'zI1hY6RjcmVm2CpYJQABVRIgQljP/3j2E2l2l1Y/kmyR5dNXTS6iWuftktbr/COjiJ5kc2l6ZRknEGUkdHlwZWRibG9iaG1pbWVUeXBl' +
        'amltYWdlL2pwZWc',
      json: {
        a: link,
        b: bytes,
        c: {
          $type: 'blob',
          ref: { $link: 'bafkreiccldh766hwcnuxnf2wh6jgzepf2nlu2lvcllt63eww5p6chi4ity' },
          mimeType: 'image/jpeg',
          size: 10_000,
        },
      },
    },
    {
      name: 'with links and bytes in lists',
      cid: 'bafyreid3imdulnhgeytpf6uk7zahjvrsqlofkmm5b5ub2maw4kqus6jp4i',
      cbor:
        'oWFhoWFigaJhZILYKlglAAFxEiBlBipaWgD8Ftc8aUQjfMvBWxxKcjRIkzaJHQkXQaI50NgqWCUAAXESIGUGKlpaAPwW1zxpRCN8y8Fb' +
        'HEpyNEiTNokdCRdBojnQYWWCWCCcURGO8suLD2qbjkmuof1BPPILYu7Vdvid7r6wGsLMjVggiE+sPoHobU9tSIqGI+309LLCcWQIRmEX' +
        'wxcoDt19tas',
      json: { a: { b: [{ d: [link, link], e: [bytes, { $bytes: 'iE+sPoHobU9tSIqGI+309LLCcWQIRmEXwxcoDt19tas' }] }] } },
    },
  ])('$name is read as it is meant, under its CID', async ({ cid, cbor, json }) => {
    const block = Buffer.from(cbor, 'base64')
    expect(readRecord(block)).toEqual(json)
    expect(String(await cidForCbor(block))).toBe(cid)
    expect(Buffer.from(encode(decode(block)))).toEqual(block)
  })

  test.each<{ name: string; record: LexValue; reason: string }>([
    { name: 'top-level not an object', record: 'blah', reason: 'unrepresentable-record' },
    { name: 'bytes with wrong field type', record: { lnk: { $bytes: [1, 2, 3] } }, reason: 'unrepresentable-record' },
    { name: 'link with wrong field type', record: { lnk: { $link: 1234 } }, reason: 'unrepresentable-record' },
    { name: 'link with bogus CID', record: { lnk: { $link: '.' } }, reason: 'unrepresentable-record' },
  ])('that is no record is refused: $name', ({ record, reason }) => {
    expect(() => readRecord(encode(record))).toThrow(expect.objectContaining({ reason }))
  })

  test('a float is refused', () => {
    // {"rcrd":{"a":123.456,"b":"blah"}}
    const block = Buffer.from('a16472637264a26161fb405edd2f1a9fbe77616264626c6168', 'hex')
    expect(() => decodeCbor(block)).toThrow(expect.objectContaining({ reason: 'bad-number' }))
  })
})

describe('the path of a record', () => {
  test.each([
    'com.example.fooBar',
    'com.example.fooBarV2',
    'net.users.bob.ping',
    'a.b.c',
    'm.xn--masekowski-d0b.pl',
    'one.two.three.four-and.FiVe',
    'one.2.three',
    'a-0.b-1.c',
    'a0.b1.cc',
    'cn.8.lex.stuff',
    'test.12345.record',
    'a.0.c',
    'xn--fiqs8s.xn--fiqa61au8b7zsevnm8ak20mc4a87e.record.two',
    'com.example.f00',
    'onion.2gzyxa5ihm7nsggfxnu52rck2vv4rvmdlkiu3zzui5du4xyclen53wid.lex.deleteThing',
    `com.${'o'.repeat(63)}.foo`,
    `com.example.${'o'.repeat(63)}`,
    `com.${'middle.'.repeat(40)}foo`,
  ])('has a collection such as %s', (collection) =>
    expect(splitPath(`${collection}/self`)).toEqual({ collection, rkey: 'self' }),
  )

  test.each([
    `com.${'o'.repeat(64)}.foo`,
    `com.example.${'o'.repeat(64)}`,
    `com.${'middle.'.repeat(50)}foo`,
    'com.example.foo.*',
    'com.example.foo.blah*',
    'com.exa💩ple.thing',
    'a-0.b-1.c-3',
    '1.0.0.127.record',
    '0two.example.foo',
    'example.com',
    'a.',
    '.one.two.three',
    'one.two.three ',
    'one.two..three',
    ' one.two.three',
    'com.atproto.feed.p@st',
    'com.atproto.feed.p_st',
    'com.atproto.feed.po#t',
    'com.example-.foo',
    'com.example.fooBar.2',
  ])('has no collection such as %s', (collection) => expect(splitPath(`${collection}/self`)).toBeUndefined())

  test.each(['self', 'example.com', '~1.2-3_', 'dHJ1ZQ', 'o'.repeat(512)])('has a record key such as %s', (rkey) =>
    expect(splitPath(`a.b.c/${rkey}`)).toEqual({ collection: 'a.b.c', rkey }),
  )

  test.each([
    'alpha/beta',
    '.',
    '..',
    '#extra',
    '@handle',
    'any space',
    'any+space',
    'number[3]',
    'number(3)',
    '"quote"',
    'dHJ1ZQ==',
    'o'.repeat(513),
  ])('has no record key such as %s', (rkey) => expect(splitPath(`a.b.c/${rkey}`)).toBeUndefined())
})
