import { escapeControls, redact } from './redact.ts'

const maxText = 2_000
const maxStack = 4_000
const maxItems = 20
const maxKeys = 50
const maxDepth = 5
/** Characters of all fields of a line together. */
const maxLine = 12_000

/**
 * Makes fields fit to be written: bounded in every direction, without control characters and secrets (hazards O4, M9).
 * Errors become plain objects with their causes. Never throws, whatever it is given.
 */
export function cleanFields(fields: object): Record<string, unknown> {
  const budget = { left: maxLine }
  const cleaned = fields instanceof Error ? { err: cleanError(fields, budget, 0) } : cleanObject(fields, budget, 0)
  return cleaned
}

type Budget = { left: number }

function clean(value: unknown, budget: Budget, depth: number): unknown {
  switch (typeof value) {
    case 'string':
      return cleanText(value, budget, maxText)
    case 'bigint':
      return value.toString()
    case 'number':
    case 'boolean':
    case 'undefined':
      return value
    case 'symbol':
    case 'function':
      return `[${typeof value}]`
    case 'object':
      break
  }
  if (value === null) return null
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'invalid date' : value.toISOString()
  if (value instanceof URL) return cleanText(value.href, budget, maxText)
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`
  if (depth >= maxDepth || budget.left <= 0) return '[…]'
  if (value instanceof Error) return cleanError(value, budget, depth)
  if (Array.isArray(value)) {
    const items = value.slice(0, maxItems).map((item) => clean(item, budget, depth + 1))
    return value.length > maxItems ? [...items, `… ${value.length - maxItems} more`] : items
  }
  if (value instanceof Map || value instanceof Set) return clean([...value], budget, depth)
  return cleanObject(value, budget, depth)
}

function cleanObject(value: object, budget: Budget, depth: number): Record<string, unknown> {
  const cleaned: Record<string, unknown> = {}
  const keys = Object.keys(value)
  for (const key of keys.slice(0, maxKeys)) {
    if (budget.left <= 0) {
      cleaned['…'] = 'cut'
      break
    }
    // A key named `__proto__` would set a prototype here, and is nothing that we log ourselves (J4).
    if (key === '__proto__') continue
    cleaned[cleanText(key, budget, 100)] = clean((value as Record<string, unknown>)[key], budget, depth + 1)
  }
  if (keys.length > maxKeys) cleaned['…'] = `${keys.length - maxKeys} more`
  return cleaned
}

function cleanError(error: Error, budget: Budget, depth: number): Record<string, unknown> {
  const cleaned: Record<string, unknown> = {
    type: cleanText(error.name, budget, 100),
    message: cleanText(error.message, budget, maxText),
  }
  if (error.stack) {
    const stack = redact(error.stack.slice(0, maxStack))
    budget.left -= stack.length
    cleaned['stack'] = escapeControls(stack, { keepLineFeeds: true })
  }
  // Codes, SQLSTATEs and what our own classes carry.
  const { name: _name, message: _message, stack: _stack, ...own } = Object.fromEntries(Object.entries(error))
  Object.assign(cleaned, cleanObject(own, budget, depth + 1))
  if (error.cause !== undefined && depth < maxDepth) cleaned['cause'] = clean(error.cause, budget, depth + 1)
  if (error instanceof AggregateError) cleaned['errors'] = clean(error.errors, budget, depth + 1)
  return cleaned
}

function cleanText(text: string, budget: Budget, max: number): string {
  const limit = Math.max(0, Math.min(max, budget.left))
  const cut = text.length > limit ? `${text.slice(0, limit)}…` : text
  budget.left -= cut.length
  return escapeControls(redact(cut))
}
