import { Secp256k1Keypair } from '@atproto/crypto'
import { createServiceJwt } from '@atproto/xrpc-server'
import type { Answer, Recorded, RecordedCall } from './recorded-calls.ts'

export interface GivenAnswer extends Answer {
  /** Epoch milliseconds. */
  at: number
}

/** Requests under way at a time. */
const PARALLEL = 8

/** Asks an AppView everything that was asked when it was recorded, and returns its answers in the same order. */
export async function askRecordedCalls(appViewUrl: string, recorded: Recorded): Promise<GivenAnswer[]> {
  const keys = new Map<string, Secp256k1Keypair>()
  for (const [did, key] of Object.entries(recorded.viewerKeys)) keys.set(did, await Secp256k1Keypair.import(key))

  const ask = async ({ nsid, params, viewer }: RecordedCall): Promise<GivenAnswer> => {
    const headers: Record<string, string> = {
      'atproto-accept-labelers': recorded.labelers.join(','),
      'accept-encoding': 'identity',
    }
    if (viewer !== null) headers['authorization'] = `Bearer ${await token(viewer, nsid)}`
    const response = await fetch(`${appViewUrl}/xrpc/${nsid}?${queryOf(params)}`, { headers })
    return { status: response.status, body: await response.json(), at: Date.now() }
  }
  const token = async (viewer: string, nsid: string): Promise<string> => {
    const keypair = keys.get(viewer)
    if (!keypair) throw new Error(`the recording has no key of ${viewer}`)
    return await createServiceJwt({ iss: viewer, aud: recorded.serverDid, lxm: nsid, keypair })
  }

  const answers: GivenAnswer[] = []
  const todo = recorded.calls.entries()
  const work = async (): Promise<void> => {
    for (const [index, call] of todo) answers[index] = await ask(call)
  }
  await Promise.all(Array.from({ length: PARALLEL }, work))
  return answers
}

function queryOf(params: RecordedCall['params']): URLSearchParams {
  const query = new URLSearchParams()
  for (const [name, value] of Object.entries(params))
    for (const one of Array.isArray(value) ? value : [value]) query.append(name, String(one))
  return query
}
