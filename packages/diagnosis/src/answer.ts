/** What somebody was asked, and whether they answered: what is away is a fact, too. */
export type Answer<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly why: string }

/** Asks, and keeps a failure as an answer. `explain` says what of it people may see (hazard M8). */
export async function answerOf<T>(ask: () => Promise<T>, explain: (error: unknown) => string): Promise<Answer<T>> {
  try {
    return { ok: true, value: await ask() }
  } catch (error) {
    return { ok: false, why: explain(error) }
  }
}

/** The value, or undefined for one that was not to be had. */
export function valueOf<T>(answer: Answer<T> | undefined): T | undefined {
  return answer?.ok === true ? answer.value : undefined
}
