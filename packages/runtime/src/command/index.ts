/**
 * What a command of a moment needs, and nothing that takes long to load: somebody waits for its answer, and a log, metrics and
 * schemas take longer to load than most answers take to come.
 */
export { ConfigError } from '../config-error.ts'
export type { Environment } from '../config.ts'
export { packageVersion } from '../package-version.ts'
export { parseDuration } from '../parse-duration.ts'
export { describeError, oneLine } from '../redact.ts'
