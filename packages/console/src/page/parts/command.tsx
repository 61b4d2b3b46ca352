import type { VNode } from 'preact'
import { useState } from 'preact/hooks'

/** A command for a terminal, to be copied with a click. */
export function Command({ text }: { text: string }): VNode {
  const [isCopied, setCopied] = useState(false)
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(text)
      setCopied(true)
      setTimeout(() => setCopied(false), 1_500)
    } catch {
      // Browsers refuse it on http; the text can be selected.
    }
  }
  return (
    <span class="command">
      <code>{text}</code>
      <button type="button" class="quiet" aria-label={`Copy ${text}`} onClick={() => void copy()}>
        {isCopied ? 'Copied' : 'Copy'}
      </button>
    </span>
  )
}
