/** User and password of a URL, both: some services put their token in place of the user. */
const credentials = /\b([a-z][a-z0-9+.-]{1,20}:\/\/)[^\s/@'"]+@/gi
const secretParameters = /([?&](?:password|sslpassword|token|secret)=)[^&\s'"]+/gi
/** Also the separators and direction marks that make one line look like two, or like another. */
const controls = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu

/** Takes passwords out of connection strings, wherever they stand in a text (hazard M9). */
export function redact(text: string): string {
  return text.replace(credentials, '$1***@').replace(secretParameters, '$1***')
}

/** Writes control characters as `\u001b`, so that text from the network cannot steer a terminal or forge lines (O4). */
export function escapeControls(text: string, options: { keepLineFeeds?: boolean } = {}): string {
  return text.replace(controls, (character) => {
    if (character === '\n') return options.keepLineFeeds ? character : String.raw`\n`
    return String.raw`\u` + character.charCodeAt(0).toString(16).padStart(4, '0')
  })
}

/** Any text as one bounded line without secrets. */
export function oneLine(text: string, maxLength = 1_000): string {
  const line = escapeControls(redact(text.slice(0, maxLength * 2)))
  return line.length > maxLength ? `${line.slice(0, maxLength)}…` : line
}

/** The message of anything that was thrown, with its causes, as one line without secrets. */
export function describeError(error: unknown): string {
  const messages: string[] = []
  for (let current = error, depth = 0; current !== undefined && depth < 5; depth++) {
    messages.push(messageOf(current))
    current = current instanceof Error ? current.cause : undefined
  }
  // Many errors repeat the message of their cause.
  const told = messages.filter(
    (message, index) => !messages.slice(0, index).some((earlier) => earlier.includes(message)),
  )
  return oneLine(told.join(': '))
}

function messageOf(error: unknown): string {
  if (error instanceof AggregateError && error.message === '') return error.errors.map(messageOf).join(', ')
  if (!(error instanceof Error)) return String(error)
  // Errors of connections may have nothing but a code.
  const code = 'code' in error && typeof error.code === 'string' ? error.code : error.name
  return error.message || code
}
