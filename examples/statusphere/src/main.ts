import { runAppView } from '@millrace/appview'
import { serve } from './serve.ts'
import { Simulation } from './simulation.ts'
import { statusphere } from './statusphere.ts'

process.exitCode = await runAppView({
  name: 'statusphere',
  description: 'An AppView for xyz.statusphere.status: who has which status now.',
  set: statusphere,
  serve,
  simulate: ({ ends }) =>
    Simulation.start({ accounts: 60, statuses: ends ? 40 : Infinity, everyMs: ends ? 10 : 1_000 }),
})
