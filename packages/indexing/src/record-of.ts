import type { BlobRef } from '@atproto/lexicon'

/** A lexicon document, as its JSON says it. */
export interface LexiconDocument {
  readonly lexicon: 1
  /** Such as `xyz.statusphere.status`. */
  readonly id: string
  readonly defs: { readonly [name: string]: { readonly type: string } }
}

/** A lexicon document that defines the records of a collection. */
export interface RecordLexicon extends LexiconDocument {
  readonly defs: {
    readonly main: { readonly type: 'record'; readonly record: { readonly type: 'object' } }
    readonly [name: string]: { readonly type: string }
  }
}

/**
 * The records that a lexicon document allows, as TypeScript sees them after `parse`. The document has to be given `as
 * const`. What it refers to in `Others` is known too; what is in none of the documents is an object of unknown fields.
 *
 * @example
 * type Status = RecordOf<typeof statusLexicon> // { $type: 'xyz.statusphere.status'; status: string; createdAt: string }
 */
export type RecordOf<D extends RecordLexicon, Others extends readonly LexiconDocument[] = readonly []> = Flat<
  { $type: D['id'] } & ObjectOf<D['defs']['main']['record'], D['id'], D | Others[number]>
>

/** A value of a type that an open union does not name. */
export interface UnnamedType {
  $type: SomeType.unnamed
}

/** Any text. A member of an enum is one that TypeScript tells apart from the literals beside it, as `string` is not. */
declare enum SomeType {
  unnamed = 'a type that the union does not name',
}

interface UnknownFields {
  [field: string]: unknown
}

type Flat<T> = { [K in keyof T]: T[K] }

/** A value of a definition that stands in the document `Id`. */
type ValueOf<Def, Id extends string, Docs> = Def extends { readonly type: infer Type }
  ? Type extends 'string'
    ? OneOf<Def, string>
    : Type extends 'integer'
      ? OneOf<Def, number>
      : Type extends 'boolean'
        ? OneOf<Def, boolean>
        : Type extends 'token'
          ? string
          : Type extends 'bytes'
            ? Uint8Array
            : Type extends 'cid-link'
              ? BlobRef['ref']
              : Type extends 'blob'
                ? BlobRef
                : Type extends 'array'
                  ? ItemsOf<Def, Id, Docs>
                  : Type extends 'object'
                    ? ObjectOf<Def, Id, Docs>
                    : Type extends 'ref'
                      ? RefOf<Def, Id, Docs>
                      : Type extends 'union'
                        ? UnionOf<Def, Id, Docs>
                        : UnknownFields
  : UnknownFields

/** What `enum` or `const` leave of a primitive; `knownValues` leave all of it. */
type OneOf<Def, Primitive> = Def extends { readonly const: infer Only extends Primitive }
  ? Only
  : Def extends { readonly enum: readonly (infer Each extends Primitive)[] }
    ? Each
    : Primitive

type ItemsOf<Def, Id extends string, Docs> = Def extends { readonly items: infer Items }
  ? ValueOf<Items, Id, Docs>[]
  : unknown[]

type ObjectOf<Def, Id extends string, Docs> = Def extends { readonly properties: infer Fields }
  ? Flat<
      {
        -readonly [K in keyof Fields as K extends Present<Def, Fields> ? K : never]: Field<Def, Fields, K, Id, Docs>
      } & {
        -readonly [K in keyof Fields as K extends Present<Def, Fields> ? never : K]?: Field<Def, Fields, K, Id, Docs>
      }
    >
  : UnknownFields

type Field<Def, Fields, K extends keyof Fields, Id extends string, Docs> =
  | ValueOf<Fields[K], Id, Docs>
  | (Def extends { readonly nullable: readonly (infer Nullable)[] } ? (K extends Nullable ? null : never) : never)

/** Fields that a checked object always has: those that it has to have, and those that a default stands in for. */
type Present<Def, Fields> =
  | (Def extends { readonly required: readonly (infer Required)[] } ? Required : never)
  | { [K in keyof Fields]: Fields[K] extends { readonly default: unknown } ? K : never }[keyof Fields]

type RefOf<Def, Id extends string, Docs> = Def extends { readonly ref: infer Ref extends string }
  ? Referred<Ref, Id, Docs>
  : UnknownFields

type UnionOf<Def, Id extends string, Docs> = Def extends { readonly refs: readonly (infer Ref extends string)[] }
  ? Member<Ref, Id, Docs> | (Def extends { readonly closed: true } ? never : UnnamedType)
  : UnknownFields

type Member<Ref extends string, Id extends string, Docs> = Ref extends string
  ? Flat<{ $type: Ref extends `#${string}` ? `${Id}${Ref}` : Ref } & Referred<Ref, Id, Docs>>
  : never

/** The value that `#name`, `id#name` or `id` stands for. */
type Referred<Ref extends string, Id extends string, Docs> = Ref extends `#${infer Name}`
  ? Defined<Id, Name, Docs>
  : Ref extends `${infer Other}#${infer Name}`
    ? Defined<Other, Name, Docs>
    : Defined<Ref, 'main', Docs>

type Defined<Id extends string, Name extends string, Docs> =
  Extract<Docs, { readonly id: Id }> extends { readonly defs: { readonly [K in Name]: infer Def } }
    ? Def extends { readonly type: 'record'; readonly record: infer Record }
      ? ObjectOf<Record, Id, Docs>
      : ValueOf<Def, Id, Docs>
    : UnknownFields
