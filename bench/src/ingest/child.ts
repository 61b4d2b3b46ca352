import { availableParallelism } from 'node:os'
import { ingestSystemNames, type IngestOptions, type IngestSystem, type IngestSystemName } from './measurement.ts'
import { ingestWithMillrace } from './our-ingester.ts'
import { ingestWithReference } from './reference-ingester.ts'

// One system in a process of its own: `node child.ts NAME OPTIONS`, with the options as JSON. The last line that it
// prints is the measurement.

const systems: Record<IngestSystemName, IngestSystem> = {
  reference: ingestWithReference,
  unverified: ingestWithMillrace('off'),
  integrity: ingestWithMillrace('integrity'),
  signatures: ingestWithMillrace('signatures'),
  threads: ingestWithMillrace('signatures', availableParallelism()),
}

const [, , name, options = '{}'] = process.argv
const system = ingestSystemNames.find((known) => known === name)
if (!system) throw new TypeError(`no system ${name}: there are ${ingestSystemNames.join(', ')}`)
console.log(JSON.stringify(await systems[system](JSON.parse(options) as IngestOptions)))
// The reference leaves timers behind.
process.exit(0)
