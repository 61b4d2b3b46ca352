import type { AdminMethod, InputOf, OutputOf } from '@millrace/admin-api'
import { createContext } from 'preact'
import { useContext, useEffect, useReducer } from 'preact/hooks'
import type { Answer, Answers } from './answers.ts'

export const AnswersContext = createContext<Answers | undefined>(undefined)

export function useAnswers(): Answers {
  const answers = useContext(AnswersContext)
  if (!answers) throw new Error('nobody answers here')
  return answers
}

/** The newest answer of a method, as long as the component is shown. */
export function useAnswer<Name extends AdminMethod>(
  name: Name,
  input: InputOf<Name>,
  everyMs: number,
): Answer<OutputOf<Name>> {
  const answers = useAnswers()
  const [, drawAnew] = useReducer((count: number) => count + 1, 0)
  const key = JSON.stringify(input)
  useEffect(
    () => answers.watch(name, JSON.parse(key) as InputOf<Name>, everyMs, () => drawAnew(undefined)),
    [answers, name, key, everyMs],
  )
  return answers.peek(name, input)
}
