/** Something that a package exports, or that what it exports is made of. */
export interface PublicName {
  name: string
  kind: 'class' | 'function' | 'interface' | 'type' | 'value'
  /** As declared, without comments. */
  bare: string
  /** As declared, with the comments of its members. */
  commented: string
  /** What its docstring says; empty when it has none. */
  doc: string
  tags: { name: string; text: string }[]
  /** Relative to the repository. */
  source: string
  /** Of a class: its methods that neither have a docstring nor take one from what they implement. */
  undocumentedMethods: string[]
}

/** What can be imported by one name, such as `@millrace/indexing/testing`. */
export interface PublicEntry {
  entry: string
  exported: PublicName[]
  /** Names of other packages that it passes on. */
  passedOn: { name: string; from: string }[]
  /** Not exported, yet seen in what is: a change of these changes the public surface as well. */
  within: PublicName[]
}
