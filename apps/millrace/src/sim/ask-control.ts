import { readFile } from 'node:fs/promises'
import path from 'node:path'
import type { FaultList, FaultRequest } from '@millrace/dev-network'
import { ConfigError } from '@millrace/runtime/command'

/** Where `millrace up` says how its simulated network is reached. */
export function controlFile(data: string): string {
  return path.join(data, 'simulated-network.json')
}

/** What is asked of the simulated network of a `millrace up`. */
export type ControlQuestion =
  | { method: 'GET' }
  | { method: 'POST'; fault: FaultRequest }
  | { method: 'DELETE'; target: string | undefined }

/**
 * Asks, and gives the faults that are on then.
 * @throws {ConfigError} when what was asked for does not hold
 */
export async function askControl(data: string, question: ControlQuestion, signal: AbortSignal): Promise<FaultList> {
  const { url, token } = await readControl(data)
  const { method } = question
  const where = new URL('/faults', url)
  if (method === 'DELETE' && question.target !== undefined) where.searchParams.set('target', question.target)
  const body = method === 'POST' ? { body: JSON.stringify(question.fault) } : {}
  const headers = { authorization: `Bearer ${token}` }
  let response: Response
  try {
    // oxlint-disable-next-line no-restricted-globals -- it is on this machine, where `millrace up` says
    response = await fetch(where, { method, headers, signal, ...body })
  } catch (error) {
    throw new Error(nobody(data), { cause: error })
  }
  const answer = (await response.json()) as FaultList & { message?: string }
  if (response.status === 400) throw new ConfigError([answer.message ?? 'it was refused'])
  if (!response.ok) throw new Error(`${nobody(data)} (status ${response.status})`)
  return answer
}

async function readControl(data: string): Promise<{ url: string; token: string }> {
  try {
    return JSON.parse(await readFile(controlFile(data), 'utf8')) as { url: string; token: string }
  } catch (error) {
    throw new Error(nobody(data), { cause: error })
  }
}

function nobody(data: string): string {
  return `no \`millrace up\` with a simulated network runs in ${data}`
}
