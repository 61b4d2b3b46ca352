/**
 * The names that a variable of the environment chooses, said aloud: nobody runs so by accident.
 * @throws {TypeError} for a name that there is not.
 */
export function chosen<T extends string>(
  variable: string,
  names: readonly string[],
  known: Readonly<Record<T, string>>,
): T[] {
  for (const name of names) {
    if (!Object.hasOwn(known, name))
      throw new TypeError(`${variable}: there is no ${name}; there are ${Object.keys(known).join(', ')}`)
    process.stderr.write(`millrace: ${variable} is set: ${name}. This is for tests alone.\n`)
  }
  return names as T[]
}
