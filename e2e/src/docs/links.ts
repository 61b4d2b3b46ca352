/** A link of a page: its words, and where it leads to. */
export interface PageLink {
  text: string
  target: string
}

/** The links of a page in Markdown, pictures among them; what is code has none. */
export function linksOf(page: string): PageLink[] {
  const links = withoutCode(page).matchAll(/\[((?:[^[\]\\]|\\.)*)\]\(([^()\s]+)\)/g)
  return [...links].map(([, text, target]) => ({ text: text!, target: target! }))
}

/** The anchors of a page's headings, as a forge makes them: of two that are alike the second has a number. */
export function anchorsOf(page: string): Set<string> {
  const anchors = new Set<string>()
  for (const [, heading] of withoutBlocks(page).matchAll(/^#{1,6} (.+)$/gm)) {
    const anchor = heading!
      .toLowerCase()
      .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .trim()
      .replaceAll(' ', '-')
    let name = anchor
    for (let next = 1; anchors.has(name); next++) name = `${anchor}-${next}`
    anchors.add(name)
  }
  return anchors
}

function withoutCode(page: string): string {
  // A link's words may be code, and are kept: they stand within brackets.
  return withoutBlocks(page).replaceAll(/(?<!\[)`[^`\n]*`/g, '')
}

function withoutBlocks(page: string): string {
  return page.replaceAll(/^```[\s\S]*?^```/gm, '')
}
