/** A definition of a lexicon, as much of it as ours use. */
export interface Definition {
  type: string
  description?: string
  knownValues?: string[]
  enum?: string[]
  default?: string | number | boolean
  minimum?: number
  maximum?: number
  minLength?: number
  maxLength?: number
  format?: string
  ref?: string
  items?: Definition
  required?: string[]
  properties?: Record<string, Definition>
  parameters?: Definition
  input?: { schema: Definition }
  output?: { schema: Definition }
  errors?: { name: string; description?: string }[]
}

export interface Lexicon {
  id: string
  defs: Record<string, Definition>
}

/** The last part of an NSID: the name of a method. */
export function nameOf(nsid: string): string {
  return nsid.slice(nsid.lastIndexOf('.') + 1)
}

/** The name of the type of a definition: of the method and of itself, or of itself alone where all share it. */
export function typeName(nsid: string, def: string): string {
  const method = nameOf(nsid)
  return method === 'defs' ? capital(def) : capital(method) + capital(def)
}

function capital(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1)
}
