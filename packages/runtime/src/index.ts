export { chooseStreams, type StreamsChoice, type StreamsConfig } from './choose-streams.ts'
export { helpText, printConfigDocs } from './config-docs.ts'
export {
  commaList,
  duration,
  durationOr,
  flag,
  hostList,
  integer,
  oneOf,
  port,
  text,
  url,
  urlList,
  value,
  type ValueSchema,
} from './config-values.ts'
export { ConfigError } from './config-error.ts'
export { defineConfig, readConfig, type ConfigOf, type Definition, type Environment, type Variable } from './config.ts'
export { describeConfig, problemsOf, type Setting } from './describe-config.ts'
export { ConsumerJanitor, type ConsumerJanitorOptions } from './consumer-janitor.ts'
export { PortError, startHealthServer, type HealthServer, type HealthServerOptions } from './health-server.ts'
export { Health, type Check, type CheckResult, type HealthReport } from './health.ts'
export { createLogger, type LoggerOptions, type LogLevel } from './logger.ts'
export { createMeter, createRegistry, type Registry } from './meter.ts'
export { PausableLoop, type PausableLoopOptions } from './pausable-loop.ts'
export { describeError, oneLine, redact } from './redact.ts'
export { readDidLines } from './read-did-lines.ts'
export { LoopError, runAll, type RunAllOptions } from './run-all.ts'
export { packageVersion } from './package-version.ts'
export { parseDuration } from './parse-duration.ts'
export { runProcess } from './run-process.ts'
export { ageSeconds, StreamGauges, type StreamGaugesOptions } from './stream-gauges.ts'
export {
  exitCodes,
  supervise,
  type Host,
  type Main,
  type ProcessContext,
  type ProcessDefinition,
  type SuperviseOptions,
} from './supervise.ts'
export { unknownVariables } from './unknown-variables.ts'
export {
  databaseVariables,
  identityVariables,
  optionalDatabaseVariables,
  processVariables,
  sharedVariableNames,
  streamVariables,
} from './variables.ts'
