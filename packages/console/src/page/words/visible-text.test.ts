import { describe, expect, test } from 'vitest'
import { visibleText, withVisibleTexts } from './visible-text.ts'

describe('visibleText (M3)', () => {
  test.each([
    ['a plain text, an é, 漢字 and a 👩‍💻', 'a plain text, an é, 漢字 and a 👩⟨200D⟩💻'],
    ['a right-to-left word, עברית', 'a right-to-left word, עברית'],
    ['exe.\u202Etxt', 'exe.⟨202E⟩txt'],
    ['\u2066isolated\u2069', '⟨2066⟩isolated⟨2069⟩'],
    ['zero\u200Bwidth', 'zero⟨200B⟩width'],
    ['\uFEFFmark', '⟨FEFF⟩mark'],
    ['soft\u00ADhyphen', 'soft⟨00AD⟩hyphen'],
    ['nul\u0000 and escape\u001B[31m', 'nul⟨0000⟩ and escape⟨001B⟩[31m'],
    ['c1\u0085', 'c1⟨0085⟩'],
    ['a half \uD83D of a pair', 'a half ⟨D83D⟩ of a pair'],
    ['tag\u{E0041}s', 'tag⟨E0041⟩s'],
    ['two\nlines\tand a tab', 'two\nlines\tand a tab'],
    ['<script>alert(1)</script>', '<script>alert(1)</script>'],
  ])('%j is seen as %j', (text, seen) => {
    expect(visibleText(text)).toBe(seen)
  })
})

test('every text of an answer is made visible, and nothing else is changed', () => {
  expect(withVisibleTexts({ n: 1, yes: true, none: null, list: ['\u202E', { deep: 'a\u200Bb' }] })).toEqual({
    n: 1,
    yes: true,
    none: null,
    list: ['⟨202E⟩', { deep: 'a⟨200B⟩b' }],
  })
})
