import { access, readdir, readFile } from 'node:fs/promises'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { anchorsOf, linksOf } from './links.ts'

const root = path.resolve(import.meta.dirname, '../../..')
const pages = ['README.md', ...(await readdir(path.join(root, 'docs'))).map((name) => `docs/${name}`)].filter((name) =>
  name.endsWith('.md'),
)
const read = async (page: string): Promise<string> => await readFile(path.join(root, page), 'utf8')

describe('documentation', () => {
  test.for(pages)('%s: its links lead somewhere, and the tests that it names are there', async (page) => {
    const wrong: string[] = []
    for (const { text, target } of linksOf(await read(page))) {
      if (/^[a-z]+:/.test(target)) continue
      const [file = '', anchor] = target.split('#')
      const to = file === '' ? page : path.join(path.dirname(page), file)
      const isThere = await access(path.join(root, to)).then(
        () => true,
        () => false,
      )
      if (!isThere) wrong.push(`${target} is not there`)
      else if (anchor !== undefined && to.endsWith('.md') && !anchorsOf(await read(to)).has(anchor))
        wrong.push(`${target}: there is no such section`)
      // Names of the page of guards are those of single cases, and are checked where guards are left out.
      else if (page !== 'docs/invariants.md' && isTestName(text, to) && !(await read(to)).includes(unescaped(text)))
        wrong.push(`${to} has no test "${text}"`)
    }
    expect(wrong).toEqual([])
  })

  test('has no page that README does not lead to', async () => {
    const readme = new Set(linksOf(await read('README.md')).map(({ target }) => target.split('#')[0]))
    expect(pages.filter((page) => page !== 'README.md' && !readme.has(page))).toEqual([])
  })
})

test('a link and a heading are read as a forge reads them', () => {
  const text =
    '# A `b` c: d!\n\n```sh\n# no heading [no](link)\n```\n\n[x](y.md#z) and `[a](b)`, ![i](p.png)\n\n## A `b` c: d!\n'
  expect(linksOf(text)).toEqual([
    { text: 'x', target: 'y.md#z' },
    { text: 'i', target: 'p.png' },
  ])
  expect([...anchorsOf(text)]).toEqual(['a-b-c-d', 'a-b-c-d-1'])
})

/** A link to a file of tests with one word leads to the file, and with a sentence to the test. */
function isTestName(text: string, to: string): boolean {
  return to.endsWith('.test.ts') && text.includes(' ')
}

const unescaped = (text: string): string => text.replaceAll('\\', '')
