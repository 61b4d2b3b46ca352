import type { ProblemWatch } from '@millrace/diagnosis'

/**
 * The check of a server that tells of a pipeline: with a problem it is degraded, and serves, since that is when it is
 * needed. The codes of what is wrong come first (hazard O5).
 */
export function pipelineCheck(watch: ProblemWatch): () => string | undefined {
  return () => {
    const problems = watch.last?.problems.filter(({ severity }) => severity !== 'advice') ?? []
    if (problems.length === 0) return undefined
    return problems.map(({ code, subject }) => (subject === '' ? code : `${code} (${subject})`)).join(', ')
  }
}
