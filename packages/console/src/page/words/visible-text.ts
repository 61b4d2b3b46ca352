/**
 * Characters that would make a text look like another: controls, invisible ones, and those that turn the direction of
 * what follows. Line breaks and tabs are left.
 */
const HIDDEN =
  // oxlint-disable-next-line no-control-regex -- they are what is looked for
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u115f\u1160\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\ufff9-\ufffb]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]|\udb40[\udc00-\udc7f]/g

/** A text of strangers, with what is not seen in it spelled out: `\u202e` becomes `⟨202E⟩` (hazard M3). */
export function visibleText(text: string): string {
  return text.replace(
    HIDDEN,
    (character) => `⟨${character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')}⟩`,
  )
}

/** Every text of an answer so, however deep it lies. What is not a text stays as it is. */
export function withVisibleTexts<T>(answer: T): T {
  if (typeof answer === 'string') return visibleText(answer) as T
  if (Array.isArray(answer)) return answer.map(withVisibleTexts) as T
  if (typeof answer !== 'object' || answer === null) return answer
  return Object.fromEntries(Object.entries(answer).map(([name, value]) => [name, withVisibleTexts(value)])) as T
}
