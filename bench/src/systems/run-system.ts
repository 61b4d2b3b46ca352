import path from 'node:path'
import { runChild } from '../run-child.ts'
import type { Measurement, SystemName, SystemOptions } from './measurement.ts'

/** Measures a system in a process of its own. */
export async function runSystem(name: SystemName, options: SystemOptions): Promise<Measurement> {
  return await runChild(path.join(import.meta.dirname, `child${path.extname(import.meta.filename)}`), name, options)
}
