import type { Silence, StoredAlarm } from '@millrace/database'

/** `open` when it has begun, `repeat` while it lasts, `resolve` when it is over. */
export type NoticeEvent = 'open' | 'repeat' | 'resolve'

/** Something that a receiver is to be told. */
export interface Notice {
  event: NoticeEvent
  alarm: StoredAlarm
}

export interface DueOptions {
  alarms: readonly StoredAlarm[]
  silences: readonly Pick<Silence, 'code' | 'subject' | 'expiresAt'>[]
  receiver: string
  now: number
  /** How long until a receiver is told again of what lasts. */
  repeatMs: number
}

/**
 * What a receiver has to be told now, by what it was told before: nothing twice, and of no end whose beginning it was
 * not told. A function of values.
 */
export function dueNotices({ alarms, silences, receiver, now, repeatMs }: DueOptions): Notice[] {
  return alarms.flatMap((alarm) => {
    const event = eventOf(alarm, alarm.told[receiver], now, repeatMs)
    return event !== undefined && !silenceOf(alarm, silences, now) ? [{ event, alarm }] : []
  })
}

function eventOf(
  { openedAt, endedAt }: StoredAlarm,
  toldAt: number | undefined,
  now: number,
  repeatMs: number,
): NoticeEvent | undefined {
  if (openedAt === null) return undefined
  if (endedAt !== null) return toldAt === undefined ? undefined : 'resolve'
  if (toldAt === undefined) return 'open'
  return now - toldAt >= repeatMs ? 'repeat' : undefined
}

/** The silence that an alarm is under: the one that ends last. */
export function silenceOf<S extends DueOptions['silences'][number]>(
  { code, subject }: Pick<StoredAlarm, 'code' | 'subject'>,
  silences: readonly S[],
  now: number,
): S | undefined {
  return silences
    .filter((silence) => silence.code === code && (silence.subject === null || silence.subject === subject))
    .filter(({ expiresAt }) => expiresAt.getTime() > now)
    .toSorted((a, b) => b.expiresAt.getTime() - a.expiresAt.getTime())[0]
}

/** What is so once a receiver was told. */
export function withTold(
  alarms: readonly StoredAlarm[],
  { receiver, notices, now }: { receiver: string; notices: readonly Notice[]; now: number },
): StoredAlarm[] {
  return alarms.map((alarm) => {
    const notice = notices.find(({ alarm: { code, subject } }) => code === alarm.code && subject === alarm.subject)
    if (!notice) return alarm
    const { [receiver]: _, ...others } = alarm.told
    return { ...alarm, told: notice.event === 'resolve' ? others : { ...others, [receiver]: now } }
  })
}
