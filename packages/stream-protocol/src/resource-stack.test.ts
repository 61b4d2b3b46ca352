import { expect, test } from 'vitest'
import { ResourceStack } from './resource-stack.ts'

function stackOf(said: string[]): ResourceStack {
  const stack = new ResourceStack()
  stack.defer(() => void said.push('first'))
  stack.use({ [Symbol.dispose]: () => void said.push('second') })
  stack.use({
    [Symbol.asyncDispose]: async () => {
      await Promise.resolve()
      said.push('third')
    },
  })
  return stack
}

test('closes what it has, the last one first, each after the one before is closed', async () => {
  const said: string[] = []
  {
    await using stack = stackOf(said)
    stack.defer(() => void said.push('fourth'))
  }
  expect(said).toEqual(['fourth', 'third', 'second', 'first'])
})

test('closes once', async () => {
  const said: string[] = []
  const stack = stackOf(said)
  await stack[Symbol.asyncDispose]()
  await stack[Symbol.asyncDispose]()
  expect(said).toHaveLength(3)
})

test('closes the others also when one cannot be closed, and says which', async () => {
  const said: string[] = []
  const stack = stackOf(said)
  stack.defer(() => Promise.reject(new Error('stuck')))
  await expect(stack[Symbol.asyncDispose]()).rejects.toThrow('stuck')
  expect(said).toEqual(['third', 'second', 'first'])
})

test('what was moved is closed by its new owner alone', async () => {
  const said: string[] = []
  const stack = stackOf(said)
  const moved = stack.move()
  await stack[Symbol.asyncDispose]()
  expect(said).toEqual([])
  await moved[Symbol.asyncDispose]()
  expect(said).toHaveLength(3)
})

test('gives back what it was given', () => {
  const resource = { [Symbol.dispose]: () => undefined }
  expect(new ResourceStack().use(resource)).toBe(resource)
})
