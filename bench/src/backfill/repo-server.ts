import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { readRepos } from './repo-files.ts'

// A host that has its repos in memory, in a process of its own: `node repo-server.ts FOLDER`. Prints its address once it
// is ready. Ends when its input does.

const { small } = await readRepos(process.argv[2]!)
const cars = new Map<string | null, Buffer>()
for (const { did, file } of small) cars.set(did, await readFile(file))

const server = createServer((request, response) => {
  const car = cars.get(new URL(request.url ?? '', 'http://localhost').searchParams.get('did'))
  response.writeHead(car ? 200 : 404, { 'content-type': 'application/vnd.ipld.car' })
  response.end(car)
})
server.listen(0, '127.0.0.1')
await once(server, 'listening')
console.log(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
process.stdin.resume().on('end', () => process.exit(0))
