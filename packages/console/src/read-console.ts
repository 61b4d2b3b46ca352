import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'

/** One file of the page, as it is sent. */
export interface ConsoleFile {
  /** In the URL. */
  path: string
  contentType: string
  body: Buffer
  etag: string
}

const files = [
  ['/', 'index.html', 'text/html; charset=utf-8'],
  ['/console.js', 'console.js', 'text/javascript; charset=utf-8'],
  ['/console.css', 'console.css', 'text/css; charset=utf-8'],
  ['/console.svg', 'console.svg', 'image/svg+xml'],
] as const

/** The whole page, as the build has made it: it asks for nothing else but the admin methods. */
export async function readConsole(): Promise<ConsoleFile[]> {
  return await Promise.all(
    files.map(async ([path, name, contentType]) => {
      const body = await readFile(new URL(`../dist/public/${name}`, import.meta.url))
      return {
        path,
        contentType,
        body,
        etag: `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`,
      }
    }),
  )
}
