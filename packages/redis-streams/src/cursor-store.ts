import type { CursorStore } from '@millrace/stream-protocol'
import type { RedisConnection } from './connect.ts'
import { UnexpectedReplyError } from './errors.ts'

/** Cursors as plain strings under their keys. To move one together with an append, give it to `StreamWriter.append`. */
export class RedisCursorStore implements CursorStore {
  readonly #redis: RedisConnection

  constructor({ redis }: { redis: RedisConnection }) {
    this.#redis = redis
  }

  /** @throws {UnexpectedReplyError} when something else than text is there. */
  async get(key: string): Promise<string | null> {
    const reply = await this.#redis.command(['GET', key])
    if (typeof reply === 'string' || reply === null) return reply
    throw new UnexpectedReplyError(`cursor ${key} is not text`)
  }

  /** Overwrites whatever is there: for one that others may move as well, give it to an append. */
  async set(key: string, value: string): Promise<void> {
    const reply = await this.#redis.command(['SET', key, value])
    if (reply !== 'OK') throw new UnexpectedReplyError(`SET ${key} answered ${String(reply)}`)
  }

  async delete(key: string): Promise<void> {
    await this.#redis.command(['DEL', key])
  }
}
