import { Lexicons, ValidationError } from '@atproto/lexicon'
import { AdminError, type AdminApi, type AdminMethod, type InputOf, type OutputOf } from '@millrace/admin-api'
import { readAdminLexicons } from '@millrace/admin-api/documents'
import type { AdminSources } from './admin-sources.ts'
import { methods } from './methods/index.ts'
import { MethodError, type Caller } from './methods/method.ts'

/** The admin methods without a server: they work on the stores themselves. */
export class LocalApi implements AdminApi {
  readonly #sources: AdminSources
  readonly #caller: Caller
  readonly #lexicons = new Lexicons(readAdminLexicons())

  constructor(sources: AdminSources, caller: Caller) {
    this.#sources = sources
    this.#caller = caller
  }

  async call<Name extends AdminMethod>(
    name: Name,
    input: InputOf<Name>,
    signal?: AbortSignal,
  ): Promise<OutputOf<Name>> {
    const method = methods.find((each) => each.name === name)
    if (!method) throw new AdminError(501, 'MethodNotImplemented', `there is no method ${name}`)
    try {
      const answer: unknown = await method.run(this.#checked(name, input) as never, {
        sources: this.#sources,
        caller: this.#caller,
        signal,
      })
      return answer as OutputOf<Name>
    } catch (error) {
      if (error instanceof MethodError) throw new AdminError(error.status, error.error, error.message)
      throw error
    }
  }

  /** As a server would. */
  #checked(name: string, input: object): unknown {
    const nsid = `dev.millrace.admin.${name}`
    const given = Object.fromEntries(Object.entries(input).filter(([, value]) => value !== undefined))
    try {
      return this.#lexicons.getDefOrThrow(nsid, ['query', 'procedure']).type === 'query'
        ? this.#lexicons.assertValidXrpcParams(nsid, given)
        : this.#lexicons.assertValidXrpcInput(nsid, given)
    } catch (error) {
      if (error instanceof ValidationError) throw new AdminError(400, 'InvalidRequest', error.message)
      throw error
    }
  }
}
