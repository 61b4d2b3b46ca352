import { InvalidEventError } from '@millrace/stream-protocol'
import { expect, test } from 'vitest'
import { classifyError, type ErrorClass } from './classify-error.ts'
import { DatabaseConnectionError } from './errors.ts'

const withCode = (code: string, options?: ErrorOptions) => Object.assign(new Error('what it says', options), { code })

const table: Record<ErrorClass, string> = {
  transient:
    '08000 08006 08P01 40001 40003 40P01 53000 53100 53200 53300 55P03 57014 57P01 57P02 57P03 57P05 25P03 25006 ' +
    'ECONNRESET ECONNREFUSED EPIPE ETIMEDOUT EAI_AGAIN ENOTFOUND EHOSTUNREACH',
  ours: '28000 28P01 3D000 3F000 42501 42601 42703 42P01 42804 58000 58P01 XX000',
  content: '22P02 22P05 22021 22003 22001 54000 54001 23502 23514',
  unknown: '23505 21000 22012 25P02 40002 57P04 55006 54011 P0001 ENOENT EPERM X',
}

test.each(Object.entries(table).flatMap(([expected, codes]) => codes.split(' ').map((code) => ({ code, expected }))))(
  '$code is $expected (G9)',
  ({ code, expected }) => expect(classifyError(withCode(code))).toBe(expected),
)

test.each([
  { name: 'an event that is none is content', error: new InvalidEventError('bad-json', 'no'), expected: 'content' },
  {
    name: 'an event that is none stays content, whatever caused it',
    error: new InvalidEventError('bad-json', 'no', { cause: withCode('ECONNRESET') }),
    expected: 'content',
  },
  {
    name: 'a connection that cannot be had is transient',
    error: new DatabaseConnectionError('x'),
    expected: 'transient',
  },
  { name: 'an error of our own code is unknown', error: new TypeError('x is not a function'), expected: 'unknown' },
  { name: 'a thrown string is unknown', error: 'ECONNRESET', expected: 'unknown' },
  { name: 'nothing is unknown', error: undefined, expected: 'unknown' },
  {
    name: 'a cause counts, however deep',
    error: new Error('a', { cause: new Error('b', { cause: withCode('53300') }) }),
    expected: 'transient',
  },
  {
    name: 'its own code comes before that of the cause',
    error: withCode('42P01', { cause: withCode('ECONNRESET') }),
    expected: 'ours',
  },
  {
    name: 'a code that says nothing leaves it to the cause',
    error: withCode('ERR_SOMETHING', { cause: withCode('22P02') }),
    expected: 'content',
  },
  {
    name: 'of several errors the one that loses least counts',
    error: new AggregateError([withCode('22P02'), new Error('?'), withCode('ECONNREFUSED')]),
    expected: 'transient',
  },
  { name: 'several unknown errors are unknown', error: new AggregateError([new Error('?')]), expected: 'unknown' },
  { name: 'a number as code is unknown', error: Object.assign(new Error('?'), { code: 42 }), expected: 'unknown' },
])('$name', ({ error, expected }) => expect(classifyError(error)).toBe(expected))

test('errors that cause each other come to an end', () => {
  const error = new Error('a')
  error.cause = new Error('b', { cause: error })
  expect(classifyError(error)).toBe('unknown')
})
