import { expect, test } from 'vitest'
import { BatchReads } from './batch-reads.ts'
import type { StoredEntry } from './make-batch.ts'

/** A store of entries with so many characters each; 0 is one that is gone. */
class Store {
  readonly #sizes: number[]
  /** Characters of the largest answer so far. */
  largest = 0
  reads = 0

  constructor(sizes: number[]) {
    this.#sizes = sizes
  }

  read(count: number): StoredEntry[] {
    const sizes = this.#sizes.splice(0, count)
    this.reads += 1
    this.largest = Math.max(
      this.largest,
      sizes.reduce((sum, size) => sum + size, 0),
    )
    return sizes.map((size, i) => ({ id: `1-${i}`, text: size === 0 ? null : 'x'.repeat(size) }))
  }

  batch(reads: BatchReads): number {
    const read = reads.begin()
    while (read.count > 0) read.add(this.read(read.count))
    return read.entries.length
  }
}

const MEGA = 1024 * 1024

test('a batch is full where the stream is long, and what there is where it is short', () => {
  const reads = new BatchReads(1_000)
  const store = new Store(Array.from({ length: 2_040 }, () => 500))
  expect([store.batch(reads), store.batch(reads), store.batch(reads), store.batch(reads)]).toEqual([
    1_000, 1_000, 40, 0,
  ])
})

test('large entries make short batches, and small answers', () => {
  const reads = new BatchReads(1_000)
  const store = new Store(Array.from({ length: 40 }, () => MEGA))
  expect(store.batch(reads)).toBe(16)
  expect(store.largest).toBe(16 * MEGA)
  store.largest = 0
  expect([store.batch(reads), store.batch(reads)]).toEqual([4, 4])
  expect(store.largest).toBe(4 * MEGA)
})

test('entries that are suddenly large come in one answer of bounded length', () => {
  const reads = new BatchReads(5_000)
  const store = new Store([...Array.from({ length: 2_000 }, () => 100), ...Array.from({ length: 3_000 }, () => 50_000)])
  expect(store.batch(reads)).toBeLessThan(2_300)
  expect(store.largest).toBeLessThanOrEqual(250 * 50_000)
})

test('one that is larger than a whole batch is a batch', () => {
  const reads = new BatchReads(10)
  const store = new Store([9 * MEGA, 9 * MEGA, 1])
  reads.saw([{ id: '0-1', text: 'x'.repeat(9 * MEGA) }])
  expect([store.batch(reads), store.batch(reads), store.batch(reads)]).toEqual([1, 1, 1])
})

test('small ones after large ones make long batches again', () => {
  const reads = new BatchReads(1_000)
  const store = new Store([...Array.from({ length: 4 }, () => MEGA), 0, ...Array.from({ length: 3_000 }, () => 100)])
  reads.saw([{ id: '0-1', text: 'x'.repeat(MEGA) }])
  expect([store.batch(reads), store.batch(reads), store.batch(reads)]).toEqual([4, 1_000, 1_000])
  expect(store.reads).toBeLessThan(15)
})

test('a small batch size is never exceeded', () => {
  const reads = new BatchReads(3)
  const store = new Store([1, 1, 1, 1])
  expect([store.batch(reads), store.batch(reads)]).toEqual([3, 1])
})
