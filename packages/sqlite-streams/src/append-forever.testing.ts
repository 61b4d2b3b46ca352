import { openSqliteStreams } from './open-sqlite-streams.ts'

// A process of its own: appends pairs with their cursor until it is killed, and prints each cursor once it is stored.
const store = await openSqliteStreams({ file: process.argv[2] ?? '' })
const codec = { field: 'event', encode: String, decode: Number }
const writer = store.writer({ stream: 's', codec })
for (let i = 1; ; i++) {
  const cursor = { key: 'cursor', from: i === 1 ? null : String(i - 1), to: String(i) }
  await writer.append([i, i], { cursor })
  console.log(i)
}
