import { parseDuration } from '@millrace/runtime/command'
import { InvalidArgumentError } from 'commander'

export function wholeNumber(text: string): number {
  const value = Number(text)
  if (text.trim() === '' || !Number.isSafeInteger(value) || value < 0)
    throw new InvalidArgumentError('not a whole number')
  return value
}

export function positive(text: string): number {
  const value = wholeNumber(text)
  if (value === 0) throw new InvalidArgumentError('has to be at least 1')
  return value
}

/** A time span, in whole seconds. */
export function timeSpan(text: string): number {
  const ms = parseDuration(text.trim())
  if (ms === undefined || ms < 1_000) throw new InvalidArgumentError('a time span such as 90s, 15m, 12h or 3d')
  return Math.ceil(ms / 1_000)
}
