import type { ComponentChildren, VNode } from 'preact'
import type { Answer } from '../api/answers.ts'

/** What is made of an answer; or that it is awaited, or why there is none. An old answer stays, and is called old. */
export function Answered<T>({
  answer,
  children,
}: {
  answer: Answer<T>
  children: (value: T) => ComponentChildren
}): VNode {
  const { value, failure } = answer
  return (
    <>
      {failure && (
        <p class="failure" role="alert">
          {failure.message}
          {value !== undefined && ' What is shown is older.'}
        </p>
      )}
      {value !== undefined ? children(value) : !failure && <p class="empty">Looking …</p>}
    </>
  )
}
