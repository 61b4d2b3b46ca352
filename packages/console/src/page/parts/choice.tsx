import type { VNode } from 'preact'

export interface ChoiceProps<T extends string | number> {
  /** For who hears the page. */
  label: string
  options: readonly { label: string; value: T }[]
  value: T
  onChange: (value: T) => void
}

/** One of a few. */
export function Choice<T extends string | number>({ label, options, value, onChange }: ChoiceProps<T>): VNode {
  return (
    <div class="choice" role="group" aria-label={label}>
      {options.map((option) => (
        <button
          key={option.value}
          type="button"
          aria-pressed={option.value === value}
          onClick={() => onChange(option.value)}
        >
          {option.label}
        </button>
      ))}
    </div>
  )
}
