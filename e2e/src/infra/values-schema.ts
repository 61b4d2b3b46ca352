import { roleDefinitions, roles, type RoleName } from '@millrace/millrace'
import type { Definition, Variable } from '@millrace/runtime'
import { allVariables } from './variables.ts'

/** What the chart sets by itself, so that ports, probes and consumers fit each other. */
const ofChart = new Set(['METRICS_PORT', 'METRICS_HOST', 'ADMIN_PORT', 'MILLRACE_DATA_DIR', 'MILLRACE_STREAMS'])
const consumer = /^(BACKFILLER|INDEXER)_CONSUMER$/

const strings = { type: 'object', additionalProperties: { type: 'string' } }
const object = (properties: object, required: readonly string[] = []) => ({
  type: 'object',
  additionalProperties: false,
  ...(required.length > 0 && { required }),
  properties,
})

/** The schema of the chart's values: `env` knows each variable that is not secret, with its sentence of help. */
export function valuesSchema(): object {
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'Values of the Millrace chart. Made by `npm run check:infra -- --write`.',
    ...object(
      {
        global: { type: 'object' },
        image: object({
          repository: { type: 'string', minLength: 1 },
          tag: { type: 'string' },
          pullPolicy: { enum: ['Always', 'IfNotPresent', 'Never'] },
        }),
        imagePullSecrets: { type: 'array', items: object({ name: { type: 'string' } }, ['name']) },
        existingSecret: { type: 'string' },
        env: variables(allVariables),
        migrate: object({ enabled: { type: 'boolean' } }),
        ...Object.fromEntries(roles.map((role) => [role, roleValues(role)])),
        monitoring: object({
          labels: strings,
          podMonitor: object({ enabled: { type: 'boolean' }, interval: { type: 'string' } }),
          prometheusRule: object({ enabled: { type: 'boolean' } }),
        }),
      },
      ['image', 'env', ...roles],
    ),
  }
}

function roleValues(role: RoleName): object {
  return object({
    ...((role === 'backfiller' || role === 'indexer') && { replicas: { type: 'integer', minimum: 0 } }),
    env: variables(roleDefinitions[role]),
    ...(role === 'admin' && { existingSecret: { type: 'string' } }),
    resources: { type: 'object' },
    nodeSelector: strings,
    tolerations: { type: 'array', items: { type: 'object' } },
    affinity: { type: 'object' },
  })
}

function variables(definition: Definition): object {
  const names = Object.keys(definition).filter(
    (name) => !ofChart.has(name) && !consumer.test(name) && definition[name]?.secret !== true,
  )
  return object(Object.fromEntries(names.map((name) => [name, variable(definition[name]!)])))
}

function variable({ help, default: byDefault }: Variable): object {
  return {
    type: ['string', 'integer', 'boolean'],
    description: help,
    ...(byDefault !== undefined && { default: byDefault }),
  }
}
