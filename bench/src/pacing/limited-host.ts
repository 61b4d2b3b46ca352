import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { TokenBucket } from '@millrace/stream-protocol'

// A host that takes so many requests a second and says nothing of it: `node limited-host.ts PER_SECOND`. Prints its
// address once it is ready. Ends when its input does.

const ANSWER_MS = 40

const bucket = new TokenBucket({ perSecond: Number(process.argv[2]) })
const server = createServer((_, response) => {
  const isTaken = bucket.available >= 1
  if (isTaken) bucket.take()
  setTimeout(() => response.writeHead(isTaken ? 200 : 429).end(), ANSWER_MS)
})
server.listen(0, '127.0.0.1')
await once(server, 'listening')
console.log(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
process.stdin.resume().on('end', () => process.exit(0))
