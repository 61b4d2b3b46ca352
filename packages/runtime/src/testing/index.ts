export { startProcess, type StartedProcess, type StartProcessOptions } from './start-process.ts'
