import { expect, test } from 'vitest'
import { createLogSpy } from './log-spy.ts'

test('children write into the same entries, with their bindings', () => {
  const log = createLogSpy()
  log.child({ component: 'reader' }).child({ host: 'a' }).warn({ seq: 1 }, 'gap')
  log.info({}, 'started')
  expect(log.entries).toEqual([
    { level: 'warn', fields: { component: 'reader', host: 'a', seq: 1 }, message: 'gap' },
    { level: 'info', fields: {}, message: 'started' },
  ])
  expect(log.messages('warn')).toEqual(['gap'])
})
