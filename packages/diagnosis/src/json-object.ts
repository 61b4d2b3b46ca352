import { isObject } from '@millrace/stream-protocol'

/** The object that a JSON text is, as far as it is one: what is in a stream may be anything. */
export function jsonObject(text: string): { [key: string]: unknown } | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return isObject(value) ? value : undefined
  } catch {
    return undefined
  }
}
