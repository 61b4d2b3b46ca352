import { ago } from '@millrace/diagnosis/words'
import { oneLine } from '@millrace/runtime/command'

/** Text of the network, as it may stand on a terminal: on one line, without control characters. */
export function shown(text: string | undefined): string {
  return text === undefined ? '-' : oneLine(text)
}

/** A moment as people write it, to the second. */
export function moment(text: string | undefined): string {
  return text === undefined ? '-' : new Date(text).toISOString().replace(/\.\d+Z$/, 'Z')
}

/** A span, or a dash for one that is not known. */
export function span(seconds: number | undefined): string {
  return seconds === undefined ? '-' : ago(seconds)
}

export function amount(value: number | undefined): string {
  return value === undefined ? '?' : number.format(value)
}

const number = new Intl.NumberFormat('en')
