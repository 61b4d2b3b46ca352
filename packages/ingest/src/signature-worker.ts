import { parentPort } from 'node:worker_threads'
import type { PackedChecks } from './signature-check.ts'
import { verifyPacked } from './verify-packed.ts'

// One thread of a `SignaturePool`.

parentPort?.on('message', (packed: PackedChecks) => {
  const holds = verifyPacked(packed)
  parentPort?.postMessage(holds, [holds.buffer])
})
