export { eventually, type EventuallyOptions } from './eventually.ts'
export { pgTest, redisTest, serviceTest } from './fixtures.ts'
export { createLogSpy, type LogEntry, type LogSpy } from './log-spy.ts'
export { serve, type LocalServer } from './serve.ts'
