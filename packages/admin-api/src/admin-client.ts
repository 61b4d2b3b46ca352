import { queries, type AdminMethods } from './generated.ts'

/** Name of a method, without `dev.millrace.admin.`. */
export type AdminMethod = keyof AdminMethods

/** What a method is asked with. */
export type InputOf<Name extends AdminMethod> = AdminMethods[Name]['input']

/** What a method answers. */
export type OutputOf<Name extends AdminMethod> = AdminMethods[Name]['output']

/** Whoever answers admin methods: a server at the other end of a connection, or the stores themselves. */
export interface AdminApi {
  /**
   * @throws {AdminError} with what was refused, and why.
   * @throws {AdminAwayError} when nobody answers.
   */
  call<Name extends AdminMethod>(name: Name, input: InputOf<Name>, signal?: AbortSignal): Promise<OutputOf<Name>>
}

/** A method refused, or failed. */
export class AdminError extends Error {
  override readonly name = 'AdminError'
  /** As in the lexicon, such as `NotConfirmed`. */
  readonly error: string
  readonly status: number

  constructor(status: number, error: string, message: string) {
    super(message)
    this.status = status
    this.error = error
  }
}

/** No admin server answers. */
export class AdminAwayError extends Error {
  override readonly name = 'AdminAwayError'
}

export interface AdminClientOptions {
  /** Of the server, such as `http://127.0.0.1:4030`. */
  url: string
  /** Of the user `admin`; none for a server on this machine that asks for none. */
  password?: string | undefined
  /** Longest wait for an answer, in milliseconds. @default 60_000 */
  timeoutMs?: number
  /** @default the global one */
  fetch?: typeof globalThis.fetch
}

/** Calls the methods of an admin server. */
export class AdminClient implements AdminApi {
  readonly #options: Required<Omit<AdminClientOptions, 'password'>>
  readonly #authorization: string | undefined

  constructor({ url, password, timeoutMs = 60_000, fetch = globalThis.fetch }: AdminClientOptions) {
    this.#options = { url, timeoutMs, fetch }
    this.#authorization =
      password === undefined ? undefined : `Basic ${Buffer.from(`admin:${password}`).toString('base64')}`
  }

  async call<Name extends AdminMethod>(
    name: Name,
    input: InputOf<Name>,
    signal?: AbortSignal,
  ): Promise<OutputOf<Name>> {
    const url = new URL(`/xrpc/dev.millrace.admin.${name}`, this.#options.url)
    const isQuery = queries.includes(name)
    if (isQuery) addParams(url, input)
    const response = await this.#send(url, {
      method: isQuery ? 'GET' : 'POST',
      headers: {
        accept: 'application/json',
        ...(this.#authorization !== undefined && { authorization: this.#authorization }),
        ...(!isQuery && { 'content-type': 'application/json' }),
      },
      ...(!isQuery && { body: JSON.stringify(input) }),
      signal: AbortSignal.any([AbortSignal.timeout(this.#options.timeoutMs), ...(signal ? [signal] : [])]),
    })
    const body = await readJson(response)
    if (response.ok) return body as OutputOf<Name>
    const { error, message } = (body ?? {}) as { error?: string; message?: string }
    throw new AdminError(response.status, error ?? 'Unknown', message ?? `the server answers ${response.status}`)
  }

  async #send(url: URL, init: RequestInit): Promise<Response> {
    try {
      return await this.#options.fetch(url, init)
    } catch (error) {
      const { code } = ((error as Error).cause ?? {}) as { code?: string }
      throw new AdminAwayError(`no admin server answers at ${url.origin}${code === undefined ? '' : ` (${code})`}`, {
        cause: error,
      })
    }
  }
}

function addParams(url: URL, input: object): void {
  for (const [name, value] of Object.entries(input) as [string, unknown][]) {
    for (const each of Array.isArray(value) ? value : [value])
      if (each !== undefined) url.searchParams.append(name, String(each))
  }
}

async function readJson(response: Response): Promise<unknown> {
  try {
    return await response.json()
  } catch {
    return undefined
  }
}
