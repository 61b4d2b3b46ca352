import { expect, test } from 'vitest'
import { compareAnswers } from './compare-answers.ts'

const post = (rkey: string, fields: object = {}) => ({ uri: `at://did:plc:a/app.bsky.feed.post/${rkey}`, ...fields })
const item = (rkey: string, fields: object = {}) => ({ post: post(rkey, fields) })
const feed = (...items: object[]) => ({ feed: items })

test.each([
  { name: 'equal answers', expected: feed(item('1')), actual: feed(item('1')), differences: [] },
  {
    name: 'another value, with what it is of',
    expected: feed(item('1', { likeCount: 1, viewer: { like: 'x' } })),
    actual: feed(item('1', { likeCount: 2, viewer: {} })),
    differences: [
      {
        at: '$.feed[0].post.likeCount',
        kind: 'changed',
        field: 'likeCount',
        subject: post('1').uri,
        expected: 1,
        actual: 2,
      },
      { at: '$.feed[0].post.viewer.like', kind: 'changed', subject: post('1').uri, expected: 'x', actual: undefined },
    ],
  },
  {
    name: 'an item that is not there, in the middle',
    expected: feed(item('1'), item('2'), item('3')),
    actual: feed(item('1'), item('3')),
    differences: [{ at: '$.feed[1]', kind: 'missing', field: 'feed', expected: item('2'), isAtEnd: false }],
  },
  {
    name: 'an item too many, at the end',
    expected: feed(item('1')),
    actual: feed(item('1'), item('2')),
    differences: [{ at: '$.feed[+1]', kind: 'extra', field: 'feed', actual: item('2'), isAtEnd: true }],
  },
  {
    name: 'the one item that is in another place',
    expected: feed(item('1'), item('2'), item('3'), item('4')),
    actual: feed(item('4'), item('1'), item('2'), item('3')),
    differences: [{ at: '$.feed[3]', kind: 'moved', expected: item('4') }],
  },
  {
    name: 'a repost beside the post itself',
    expected: feed(item('1'), { ...item('1'), reason: { uri: 'at://did:plc:b/app.bsky.feed.repost/1' } }),
    actual: feed(item('1')),
    differences: [{ at: '$.feed[1]', kind: 'missing' }],
  },
  {
    name: 'two notifications about one record',
    expected: { notifications: [post('1', { reason: 'reply' }), post('1', { reason: 'mention' })] },
    actual: { notifications: [post('1', { reason: 'reply' })] },
    differences: [{ at: '$.notifications[1]', kind: 'missing', expected: { reason: 'mention' } }],
  },
  {
    name: 'what nothing tells apart, place by place',
    expected: { facets: [{ index: 1 }, { index: 2 }] },
    actual: { facets: [{ index: 1 }] },
    differences: [{ at: '$.facets[1]', kind: 'changed', expected: { index: 2 }, actual: undefined }],
  },
  {
    name: 'a value of another type',
    expected: { cursor: null, list: [] },
    actual: { cursor: '1', list: {} },
    differences: [{ at: '$.cursor' }, { at: '$.list' }],
  },
])('$name', ({ expected, actual, differences }) => {
  expect(compareAnswers(expected, actual)).toMatchObject(differences)
  expect(compareAnswers(expected, actual)).toHaveLength(differences.length)
})
