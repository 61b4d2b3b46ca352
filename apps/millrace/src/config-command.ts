import { adminConfig } from '@millrace/admin'
import { backfillerConfig } from '@millrace/backfiller'
import { indexerConfig } from '@millrace/indexer'
import { ingesterConfig } from '@millrace/ingester'
import { printConfigDocs } from '@millrace/runtime'
import { Command } from 'commander'

/** Every variable of every process, as Markdown: `docs/configuration.md`. */
export function configDocs(): string {
  const docs = printConfigDocs([
    { title: 'ingester', definition: ingesterConfig },
    { title: 'backfiller', definition: backfillerConfig },
    { title: 'indexer', definition: indexerConfig },
    { title: 'admin', definition: adminConfig },
  ])
  return `# Configuration\n\nEach process reads its environment once, when it starts, and ends with one line for each value that does not hold.\nThis page is made by \`millrace config docs\`.\n\n${docs.trim()}\n`
}

/** `millrace config`: what can be configured. */
export function configCommand(): Command {
  const config = new Command('config').description('Show what can be configured.')
  config
    .command('docs')
    .description('print every variable of every process as Markdown')
    .action(() => void process.stdout.write(configDocs()))
  return config
}
