import { expect, test } from 'vitest'
import { ordersOf } from './orders.ts'

test('few values are tried in all orders', () => {
  const orders = ordersOf([1, 2, 3, 4], 24).map((order) => order.join(''))
  expect(new Set(orders).size).toBe(24)
  expect(orders.map((order) => order.split('').sort().join(''))).toEqual(orders.map(() => '1234'))
})

test('many are tried in some, the reversed one among them, and every time in the same', () => {
  const orders = ordersOf([1, 2, 3, 4, 5], 24)
  expect(orders).toHaveLength(24)
  expect(orders[0]).toEqual([5, 4, 3, 2, 1])
  expect(new Set(orders.map((order) => order.join(''))).size).toBeGreaterThan(12)
  expect(ordersOf([1, 2, 3, 4, 5], 24)).toEqual(orders)
})
