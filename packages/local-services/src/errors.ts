/** A service cannot be started here. The message says what is missing and how to get it. */
export class LocalServiceError extends Error {
  override readonly name = 'LocalServiceError'
  readonly service: 'Postgres' | 'Redis'
  /** The last lines that the program wrote, oldest first; empty when it never ran. */
  readonly output: readonly string[]

  constructor(
    service: 'Postgres' | 'Redis',
    message: string,
    options: { output?: readonly string[]; cause?: unknown } = {},
  ) {
    const output = options.output ?? []
    super([message, ...output.map((line) => `  ${line}`)].join('\n'), { cause: options.cause })
    this.service = service
    this.output = output
  }
}

/** The code of a system error such as `ENOENT`. */
export function errorCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
}
