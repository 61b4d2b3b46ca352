import type { ComponentChildren, VNode } from 'preact'

export interface CardProps {
  title?: string
  /** Beside the title. */
  aside?: ComponentChildren
  /** In a sentence, below the title. */
  note?: ComponentChildren
  children: ComponentChildren
}

/** A part of a page. */
export function Card({ title, aside, note, children }: CardProps): VNode {
  return (
    <section class="card">
      {(title !== undefined || aside !== undefined) && (
        <div class="card-head">
          {title !== undefined && <h2>{title}</h2>}
          {aside !== undefined && <div class="aside">{aside}</div>}
        </div>
      )}
      {note !== undefined && <p class="note">{note}</p>}
      {children}
    </section>
  )
}
