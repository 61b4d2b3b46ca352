import type { AdminMethod, AdminMethods, Change, InputOf } from '@millrace/admin-api'
import type { VNode } from 'preact'
import { useRef, useState } from 'preact/hooks'
import { failureOf } from '../api/answers.ts'
import { useAnswers } from '../api/use-answer.ts'
import { Command } from './command.tsx'

/** The methods that change something, show what they would do, and note it. */
export type ChangeMethod = {
  [Name in AdminMethod]: AdminMethods[Name] extends { type: 'procedure'; output: { change: Change } } ? Name : never
}[AdminMethod]

export interface ChangeButtonProps<Name extends ChangeMethod> {
  label: string
  method: Name
  input: Omit<InputOf<Name>, 'dryRun' | 'reason'>
  /** What confirms it, once it is known what it would do. */
  confirm?: (plan: Change) => object
  isMain?: boolean
  /** It is not done without a reason. @default false */
  needsReason?: boolean
}

/** Shows first what would change, takes a reason, and then does it; what was done is said with what takes it back. */
export function ChangeButton<Name extends ChangeMethod>({
  label,
  method,
  input,
  confirm,
  isMain = false,
  needsReason = false,
}: ChangeButtonProps<Name>): VNode {
  const answers = useAnswers()
  const dialog = useRef<HTMLDialogElement>(null)
  const [plan, setPlan] = useState<Change>()
  const [done, setDone] = useState<Change>()
  const [refusal, setRefusal] = useState<string>()
  const [isBusy, setBusy] = useState(false)

  const call = async (extra: object): Promise<Change | undefined> => {
    setBusy(true)
    setRefusal(undefined)
    try {
      const { change } = (await answers.call(method, { ...input, ...extra })) as { change: Change }
      return change
    } catch (error) {
      setRefusal(failureOf(error).message)
      return undefined
    } finally {
      setBusy(false)
    }
  }
  const open = async (): Promise<void> => {
    setDone(undefined)
    setPlan(undefined)
    dialog.current?.showModal()
    setPlan(await call({ dryRun: true, ...(needsReason && { reason: 'a look at what would change' }) }))
  }
  const change = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault()
    if (!plan) return
    const reason = new FormData(event.currentTarget as HTMLFormElement).get('reason')
    const made = await call({ ...confirm?.(plan), ...(typeof reason === 'string' && reason !== '' && { reason }) })
    setDone(made)
    if (made) await answers.refresh()
  }
  const close = (): void => dialog.current?.close()

  return (
    <>
      <button type="button" class={isMain ? 'main' : undefined} onClick={() => void open()}>
        {label}
      </button>
      <dialog ref={dialog} aria-label={label}>
        <form onSubmit={(event) => void change(event)}>
          <h2>{label}</h2>
          {refusal !== undefined && (
            <p class="failure" role="alert">
              {refusal}
            </p>
          )}
          {done ? (
            <>
              <p role="status">{sentence(done.summary)}</p>
              {done.undo !== undefined && (
                <p class="note">
                  What takes it back: <Command text={done.undo} />
                </p>
              )}
              <div class="buttons">
                <button type="button" class="main" onClick={close}>
                  Close
                </button>
              </div>
            </>
          ) : (
            <>
              <p>
                {plan
                  ? plan.changed > 0
                    ? `This comes of it: ${sentence(plan.summary)}`
                    : `Nothing to do: ${sentence(plan.summary)}`
                  : refusal === undefined
                    ? 'Looking what that would do …'
                    : ''}
              </p>
              {plan && plan.changed > 0 && (
                <label>
                  Why, for those who read the audit log
                  <input name="reason" maxLength={300} autocomplete="off" required={needsReason} />
                </label>
              )}
              <div class="buttons">
                <button type="button" onClick={close}>
                  {plan && plan.changed === 0 ? 'Close' : 'Cancel'}
                </button>
                {plan && plan.changed > 0 && (
                  <button type="submit" class="main" disabled={isBusy}>
                    {label}
                  </button>
                )}
              </div>
            </>
          )}
        </form>
      </dialog>
    </>
  )
}

function sentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`
}
