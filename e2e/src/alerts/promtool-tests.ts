import { runbookUrl } from '@millrace/diagnosis'
import type { AlertRule } from '@millrace/diagnosis/prometheus'

/** When a series that is bad from some minute on has been looked at for long enough, in minutes. */
const SETTLED_MINUTES = 25

/**
 * What promtool plays against a file of rules: each alarm with series of which it has to be raised, with the same while
 * they have not lasted long enough, and with series of which it must not be. As JSON, which is YAML.
 */
export function promtoolTests(rulesFile: string, rules: readonly AlertRule[]): object {
  return {
    rule_files: [rulesFile],
    evaluation_interval: '1m',
    tests: rules.flatMap((rule) => {
      const { alert, code, severity, title, description, holdSeconds } = rule
      const raised = (labels: Readonly<Record<string, string>>) => ({
        exp_labels: { ...labels, code, severity },
        exp_annotations: {
          summary: title,
          description,
          runbook_url: runbookUrl(code),
        },
      })
      if (rule.series.every(({ bad }) => bad.length === 0))
        return [
          {
            interval: '1m',
            input_series: [],
            alert_rule_test: [{ eval_time: '1m', alertname: alert, exp_alerts: [raised({})] }],
          },
        ]
      const late = Math.ceil(holdSeconds / 60) + SETTLED_MINUTES
      const alarms = rule.series.map(({ bad, labels }, index) => ({
        interval: '1m',
        // What else would raise it is well.
        input_series: [...bad, ...rule.series.flatMap((other, place) => (place === index ? [] : other.good))],
        alert_rule_test: [
          ...(holdSeconds > 60 ? [{ eval_time: '1m', alertname: alert, exp_alerts: [] }] : []),
          { eval_time: `${late}m`, alertname: alert, exp_alerts: [raised(labels)] },
        ],
      }))
      const well = {
        interval: '1m',
        input_series: rule.series.flatMap(({ good }) => good),
        alert_rule_test: [1, SETTLED_MINUTES, late].map((minute) => ({
          eval_time: `${minute}m`,
          alertname: alert,
          exp_alerts: [],
        })),
      }
      return [...alarms, well]
    }),
  }
}
