import type { VNode } from 'preact'
import { useState } from 'preact/hooks'
import { openSession } from '../api/console-api.ts'

/** Asks for the password once; what is kept of it is a cookie that no script can read. */
export function LogIn({ onOpen }: { onOpen: () => void }): VNode {
  const [refusal, setRefusal] = useState<string>()
  const logIn = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault()
    const password = new FormData(event.currentTarget as HTMLFormElement).get('password')
    const why = await openSession(typeof password === 'string' ? password : '').catch(
      () => 'The admin server does not answer.',
    )
    setRefusal(why)
    if (why === undefined) onOpen()
  }
  return (
    <form class="log-in" onSubmit={(event) => void logIn(event)}>
      <h1>Millrace</h1>
      <input type="text" name="user" autocomplete="username" value="admin" hidden readOnly />
      <label>
        Password of the admin server
        <input type="password" name="password" autocomplete="current-password" required autofocus />
      </label>
      <p class="refusal" role="alert">
        {refusal}
      </p>
      <button type="submit" class="main">
        Log in
      </button>
    </form>
  )
}
