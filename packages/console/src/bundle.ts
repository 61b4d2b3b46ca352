// The last step of the build: one script of all modules of the page, and beside it what it is shown with.
import { copyFile, mkdir } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { build } from 'rolldown'

const fromHere = (path: string): string => fileURLToPath(new URL(path, import.meta.url))

await mkdir(fromHere('../dist/public'), { recursive: true })
await build({
  input: fromHere('../dist/page/main.js'),
  platform: 'browser',
  output: { file: fromHere('../dist/public/console.js'), format: 'esm', minify: true },
  logLevel: 'warn',
})
for (const name of ['index.html', 'console.css', 'console.svg'])
  await copyFile(fromHere(`../src/page/${name}`), fromHere(`../dist/public/${name}`))
