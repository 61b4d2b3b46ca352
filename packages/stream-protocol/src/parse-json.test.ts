import { array, assert, dictionary, jsonValue, property, stringMatching } from 'fast-check'
import { expect, test } from 'vitest'
import { parseObject } from './check.ts'
import { parseJson } from './parse-json.ts'

test('keys that begin with an escape stay what they are after a key that is a backslash', () => {
  for (const text of [String.raw`{"\\":1}`, String.raw`{"k":1,"\\":2}`]) JSON.parse(text)
  expect(parseObject(String.raw`{"k":1,"\u0061":2}`)).toEqual({ k: 1, a: 2 })
  expect(parseObject(String.raw`{ "\n" : ["\n", "~", {"\"": "\n"}], "~k": "~\n" }`)).toEqual({
    '\n': ['\n', '~', { '"': '\n' }],
    '~k': '~\n',
  })
})

const texts = stringMatching(/^[~"\\,[{\n a]*$/)

test('what JSON.stringify writes is read as it was, whatever its keys begin with', () => {
  assert(
    property(jsonValue({ maxDepth: 3, stringUnit: 'grapheme' }), dictionary(texts, array(texts)), (value, keys) => {
      for (const spaces of [0, 2]) {
        const text = JSON.stringify([value, keys], null, spaces)
        expect(JSON.stringify(parseJson(text), null, spaces)).toBe(text)
      }
    }),
    { numRuns: 500 },
  )
})
