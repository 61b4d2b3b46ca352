import { writeBareRows } from './ceiling.ts'
import { systemNames, type System, type SystemName, type SystemOptions } from './measurement.ts'
import { indexWithMillrace } from './ours.ts'
import { indexWithReference } from './reference-indexer.ts'

// One system in a process of its own: `node child.ts NAME OPTIONS`, with the options as JSON. The last line that it
// prints is the measurement.

const systems: Record<SystemName, System> = {
  ours: indexWithMillrace,
  reference: indexWithReference,
  bare: writeBareRows,
}

const [, , name, options = '{}'] = process.argv
const system = systemNames.find((known) => known === name)
if (!system) throw new TypeError(`no system ${name}: there are ${systemNames.join(', ')}`)
console.log(JSON.stringify(await systems[system](JSON.parse(options) as SystemOptions)))
// The reference leaves timers behind.
process.exit(0)
