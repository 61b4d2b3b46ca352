import type { BlobRef } from '@atproto/lexicon'
import { describe, expectTypeOf, test } from 'vitest'
import type { RecordOf, UnnamedType } from './record-of.ts'

const thing = {
  lexicon: 1,
  id: 'test.millrace.thing',
  defs: {
    main: {
      type: 'record',
      key: 'tid',
      record: {
        type: 'object',
        required: ['name', 'size', 'hidden', 'parts', 'either', 'only', 'gone', 'place', 'other'],
        nullable: ['gone', 'note'],
        properties: {
          name: { type: 'string', maxLength: 5 },
          size: { type: 'integer', minimum: 0 },
          hidden: { type: 'boolean' },
          free: { type: 'unknown' },
          link: { type: 'cid-link' },
          key: { type: 'bytes' },
          picture: { type: 'blob', accept: ['image/*'] },
          color: { type: 'string', enum: ['red', 'blue'] },
          kind: { type: 'string', knownValues: ['a', 'b'] },
          version: { type: 'integer', const: 2 },
          lang: { type: 'string', default: 'en' },
          gone: { type: 'string' },
          note: { type: 'string' },
          parts: { type: 'array', items: { type: 'ref', ref: '#part' } },
          either: { type: 'union', refs: ['#part', '#place', 'test.millrace.elsewhere#thing'] },
          only: { type: 'union', closed: true, refs: ['#part', '#place'] },
          place: { type: 'ref', ref: 'test.millrace.thing#place' },
          tag: { type: 'ref', ref: '#tag' },
          other: { type: 'ref', ref: 'test.millrace.ref' },
          foreign: { type: 'ref', ref: 'test.millrace.elsewhere#thing' },
          nested: { type: 'object', properties: { deep: { type: 'array', items: { type: 'integer' } } } },
        },
      },
    },
    part: {
      type: 'object',
      required: ['title'],
      properties: { title: { type: 'string' }, parts: { type: 'array', items: { type: 'ref', ref: '#part' } } },
    },
    place: { type: 'object', required: ['x'], properties: { x: { type: 'integer' } } },
    tag: { type: 'string' },
  },
} as const

const ref = {
  lexicon: 1,
  id: 'test.millrace.ref',
  defs: {
    main: {
      type: 'object',
      required: ['uri'],
      properties: { uri: { type: 'string' }, more: { type: 'ref', ref: '#more' } },
    },
    more: { type: 'object', properties: { n: { type: 'integer' } } },
  },
} as const

type Thing = RecordOf<typeof thing, [typeof ref]>

interface Part {
  title: string
  parts?: Part[]
}

describe('a lexicon says what TypeScript sees', () => {
  test('of each kind of field', () => {
    expectTypeOf<Thing['$type']>().toEqualTypeOf<'test.millrace.thing'>()
    expectTypeOf<Pick<Thing, 'name' | 'size' | 'hidden'>>().toEqualTypeOf<{
      name: string
      size: number
      hidden: boolean
    }>()
    expectTypeOf<Pick<Thing, 'link' | 'key' | 'picture' | 'free'>>().toEqualTypeOf<{
      link?: BlobRef['ref']
      key?: Uint8Array
      picture?: BlobRef
      free?: { [field: string]: unknown }
    }>()
    expectTypeOf<Thing['nested']>().toEqualTypeOf<{ deep?: number[] } | undefined>()
  })

  test('of values that are limited, of defaults and of nulls', () => {
    expectTypeOf<Pick<Thing, 'color' | 'kind' | 'version' | 'lang' | 'gone' | 'note'>>().toEqualTypeOf<{
      color?: 'red' | 'blue'
      kind?: string
      version?: 2
      lang: string
      gone: string | null
      note?: string | null
    }>()
  })

  test('of what it refers to, in itself, in another document that is given, and elsewhere', () => {
    expectTypeOf<Thing['parts']>().toEqualTypeOf<Part[]>()
    expectTypeOf<Thing['place']>().toEqualTypeOf<{ x: number }>()
    expectTypeOf<Thing['tag']>().toEqualTypeOf<string | undefined>()
    expectTypeOf<Thing['other']>().toEqualTypeOf<{ uri: string; more?: { n?: number } }>()
    expectTypeOf<Thing['foreign']>().toEqualTypeOf<{ [field: string]: unknown } | undefined>()
  })

  test('of unions, where $type tells the members apart, and apart from what nobody named', () => {
    type PartMember = { $type: 'test.millrace.thing#part'; title: string; parts?: Part[] }
    type PlaceMember = { $type: 'test.millrace.thing#place'; x: number }
    expectTypeOf<Thing['only']>().toEqualTypeOf<PartMember | PlaceMember>()
    expectTypeOf<UnnamedType['$type']>().toExtend<string>()
    expectTypeOf<UnnamedType>().toExtend<Thing['either']>()

    const narrow = (either: Thing['either']): void => {
      if (either.$type === 'test.millrace.thing#part') expectTypeOf(either).toEqualTypeOf<PartMember>()
      else if (either.$type === 'test.millrace.thing#place') expectTypeOf(either).toEqualTypeOf<PlaceMember>()
      else if (either.$type === 'test.millrace.elsewhere#thing') expectTypeOf(either['n']).toEqualTypeOf<unknown>()
      else expectTypeOf(either).toEqualTypeOf<UnnamedType>()
    }
    expectTypeOf(narrow).parameter(0).toEqualTypeOf<Thing['either']>()
  })

  test('and nothing that it does not say', () => {
    expectTypeOf<Thing>().not.toHaveProperty('names')
  })
})
