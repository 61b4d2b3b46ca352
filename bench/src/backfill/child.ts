import { backfillParts, backfillSystemNames, type BackfillOptions } from './measurement.ts'
import { ourBackfill } from './our-backfill.ts'
import { referenceBackfill } from './reference-backfill.ts'

// One system at one part, in a process of its own: `node child.ts PART/SYSTEM OPTIONS`, with the options as JSON. The
// last line that it prints is the measurement.

const systems = { ours: ourBackfill, reference: referenceBackfill }

const [, , argument = '', options = '{}'] = process.argv
const [wantedPart, wantedSystem] = argument.split('/')
const part = backfillParts.find((known) => known === wantedPart)
const name = backfillSystemNames.find((known) => known === wantedSystem)
if (!part || !name) throw new TypeError(`no ${argument}: there are ${backfillParts.join(', ')} of each system`)
console.log(JSON.stringify(await systems[name][part](JSON.parse(options) as BackfillOptions)))
process.exit(0)
