import { describe, expect, test } from 'vitest'
import { CollectionFilter } from './collection-filter.ts'

const filter = (text: string): CollectionFilter => new CollectionFilter(text.split(','))

describe('a filter of collections', () => {
  test.each([
    { patterns: '*', takes: ['app.bsky.feed.post', 'x.y.z'], leaves: [] },
    {
      patterns: 'app.bsky.*',
      takes: ['app.bsky.feed.post', 'app.bsky.labeler.service'],
      leaves: ['app.bskyx.feed.post'],
    },
    {
      patterns: 'app.bsky.feed.post',
      takes: ['app.bsky.feed.post'],
      leaves: ['app.bsky.feed.postgate', 'app.bsky.feed'],
    },
    {
      patterns: 'app.bsky.graph.*,xyz.statusphere.*',
      takes: ['app.bsky.graph.follow', 'xyz.statusphere.status'],
      leaves: ['app.bsky.feed.like', 'App.bsky.graph.follow', '__proto__', ''],
    },
  ])('$patterns takes $takes and leaves $leaves', ({ patterns, takes, leaves }) => {
    for (const collection of takes) expect(filter(patterns).has(collection)).toBe(true)
    for (const collection of leaves) expect(filter(patterns).has(collection)).toBe(false)
  })

  test.each(['', 'app.bsky.**', 'app.*.post', '*.bsky', 'app', 'app bsky.feed.post', 'app.bsky.*.post', '.*'])(
    '%j is no pattern',
    (text) => expect(() => filter(text)).toThrow(TypeError),
  )

  test('is one value for what takes the same', () => {
    const text = 'xyz.statusphere.*,app.bsky.feed.post,app.bsky.*,app.bsky.*,app.bsky.feed.*'
    expect(String(filter(text))).toBe('app.bsky.*,xyz.statusphere.*')
    expect(String(filter('app.bsky.*,*'))).toBe('*')
  })

  test.each([
    { wide: '*', narrow: 'app.bsky.*', covers: true },
    { wide: 'app.bsky.*', narrow: '*', covers: false },
    { wide: 'app.bsky.*', narrow: 'app.bsky.feed.*,app.bsky.graph.follow', covers: true },
    { wide: 'app.bsky.feed.*', narrow: 'app.bsky.*', covers: false },
    { wide: 'app.bsky.*', narrow: 'app.bsky.feed.post,xyz.statusphere.status', covers: false },
  ])('$wide covers $narrow: $covers', ({ wide, narrow, covers }) => {
    expect(filter(wide).covers(filter(narrow))).toBe(covers)
  })
})
