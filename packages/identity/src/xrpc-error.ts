import { isObject } from '@millrace/stream-protocol'

const MAX_ERROR_BYTES = 16 * 1024

/** Whether a status says nothing for good: the host is busy, or out of order. 501 is a host that will not do it, ever. */
export function isTemporaryStatus(status: number): boolean {
  return status === 408 || status === 425 || status === 429 || (status >= 500 && status !== 501)
}

/** The `error` of an XRPC answer; empty when it is none. The body is read or cancelled. */
export async function readXrpcError(response: Response): Promise<string> {
  if (Number(response.headers.get('content-length') ?? 0) > MAX_ERROR_BYTES) {
    await response.body?.cancel()
    return ''
  }
  let text = ''
  const decoder = new TextDecoder()
  for await (const part of response.body ?? []) {
    text += decoder.decode(part, { stream: true })
    if (text.length > MAX_ERROR_BYTES) break
  }
  try {
    const body: unknown = JSON.parse(text)
    return isObject(body) && typeof body['error'] === 'string' ? body['error'] : ''
  } catch {
    return ''
  }
}
