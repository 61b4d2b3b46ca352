import { ProblemWatch, type DoctorSources, type Look } from '@millrace/diagnosis'
import type { AdminSources } from './admin-sources.ts'

/** What a doctor looks at, of what admin methods work on. */
export function doctorSources({ cursors = [], ...rest }: AdminSources): DoctorSources {
  return { ...rest, upstreams: cursors }
}

/** Looks for problems now. Where nobody watches, one look has to do, and hosts are asked for it. */
export async function lookNow(
  sources: AdminSources,
  options: { probe?: boolean; signal?: AbortSignal | undefined } = {},
): Promise<Look> {
  const watch = sources.problems ?? new ProblemWatch({ sources: doctorSources(sources) })
  return await watch.look(options)
}
