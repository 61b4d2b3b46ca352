interface Silenced {
  code: string
  subject: string | null
}

/** What is silenced, for people. */
export function alertName({ code, subject }: Silenced): string {
  return subject === null ? code : `${code} (${subject})`
}

/** What is silenced, as `millrace alerts` takes it. */
export function silenceArguments({ code, subject }: Silenced): string {
  return subject === null ? code : `${code} --subject ${quoted(subject)}`
}

/** A text as a shell takes it for one word. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`
}
