import path from 'node:path'
import ts from 'typescript-js'
import { inRepository, type ExportTarget, type WorkspacePackage } from '../workspace-packages.ts'
import type { PublicEntry, PublicName } from './public-name.ts'

const kinds = new Map<ts.SyntaxKind, PublicName['kind']>([
  [ts.SyntaxKind.ClassDeclaration, 'class'],
  [ts.SyntaxKind.FunctionDeclaration, 'function'],
  [ts.SyntaxKind.InterfaceDeclaration, 'interface'],
  [ts.SyntaxKind.TypeAliasDeclaration, 'type'],
  [ts.SyntaxKind.VariableDeclaration, 'value'],
])

/** Reads the declarations that the build has made of packages, by the TypeScript that can be asked about them. */
export function readEntries(packages: readonly WorkspacePackage[]): Map<WorkspacePackage, PublicEntry[]> {
  const entries = packages.flatMap((subject) => entriesOf(subject))
  const program = ts.createProgram({
    rootNames: entries.map(({ file }) => file),
    options: {
      module: ts.ModuleKind.NodeNext,
      target: ts.ScriptTarget.ES2023,
      lib: ['lib.es2024.d.ts', 'lib.esnext.d.ts'],
      types: ['node'],
      typeRoots: [inRepository('node_modules/@types')],
      skipLibCheck: true,
      noEmit: true,
    },
  })
  const readers = new Map(packages.map((subject) => [subject, new EntryReader(program, subject)]))
  // All that a package exports, before what is seen in it: one entry may show what another exports.
  for (const { subject, entry, file } of entries) readers.get(subject)?.readExports(entry, file)
  return new Map([...readers].map(([subject, reader]) => [subject, reader.entries()]))
}

function entriesOf(subject: WorkspacePackage): { subject: WorkspacePackage; entry: string; file: string }[] {
  const { folder, manifest } = subject
  return Object.entries(manifest.exports ?? {}).flatMap(([name, target]) => {
    const file = typesOf(target)
    return file === undefined
      ? []
      : [{ subject, entry: path.posix.join(manifest.name, name), file: inRepository(folder, file) }]
  })
}

/** The declarations that users get. */
function typesOf(target: ExportTarget): string | undefined {
  if (typeof target === 'string') return undefined
  const { types } = target
  return typeof types === 'object' && typeof types['default'] === 'string' ? types['default'] : undefined
}

const byName = (a: { name: string }, b: { name: string }): number => (a.name < b.name ? -1 : 1)

/** Reads the entries of one package. */
class EntryReader {
  readonly #checker: ts.TypeChecker
  readonly #program: ts.Program
  readonly #folder: string
  readonly #read: { entry: string; own: Map<ts.Symbol, string>; passedOn: PublicEntry['passedOn'] }[] = []

  constructor(program: ts.Program, { folder }: WorkspacePackage) {
    this.#program = program
    this.#checker = program.getTypeChecker()
    this.#folder = folder
  }

  readExports(entry: string, file: string): void {
    const source = this.#program.getSourceFile(file)
    const module = source && this.#checker.getSymbolAtLocation(source)
    if (!module) throw new Error(`${entry}: ${file} is not built`)
    const own = new Map<ts.Symbol, string>()
    const passedOn: PublicEntry['passedOn'] = []
    for (const alias of this.#checker.getExportsOfModule(module)) {
      const symbol = this.#target(alias)
      const declaredIn = symbol.declarations?.[0]?.getSourceFile().fileName ?? ''
      if (this.#isOwn(declaredIn)) own.set(symbol, alias.name)
      else passedOn.push({ name: alias.name, from: packageOf(declaredIn) })
    }
    this.#read.push({ entry, own, passedOn: passedOn.toSorted(byName) })
  }

  entries(): PublicEntry[] {
    const exported = new Set(this.#read.flatMap(({ own }) => [...own.keys()]))
    const seen = new Set<ts.Symbol>()
    return this.#read.map(({ entry, own, passedOn }) => ({
      entry,
      exported: [...own].map(([symbol, name]) => this.#describe(name, symbol)).toSorted(byName),
      passedOn,
      within: [...this.#within([...own.keys()], exported, seen)]
        .map((symbol) => this.#describe(symbol.name, symbol))
        .toSorted(byName),
    }))
  }

  #target(symbol: ts.Symbol): ts.Symbol {
    return symbol.flags & ts.SymbolFlags.Alias ? this.#checker.getAliasedSymbol(symbol) : symbol
  }

  #isOwn(file: string): boolean {
    return file.startsWith(`${inRepository(this.#folder, 'dist')}/`)
  }

  /** Types of this package that are named by what is exported, and by these again; each under the first entry that shows it. */
  #within(own: readonly ts.Symbol[], exported: ReadonlySet<ts.Symbol>, seen: Set<ts.Symbol>): Set<ts.Symbol> {
    const found = new Set<ts.Symbol>()
    const visit = (node: ts.Node): void => {
      const name = ts.isTypeReferenceNode(node)
        ? node.typeName
        : ts.isExpressionWithTypeArguments(node)
          ? node.expression
          : ts.isTypeQueryNode(node)
            ? node.exprName
            : ts.isImportTypeNode(node)
              ? node.qualifier
              : undefined
      const symbol = name && this.#checker.getSymbolAtLocation(name)
      if (symbol) add(this.#target(symbol))
      ts.forEachChild(node, visit)
    }
    const add = (symbol: ts.Symbol): void => {
      const [declaration] = symbol.declarations ?? []
      if (!declaration || exported.has(symbol) || seen.has(symbol)) return
      if (!kinds.has(declaration.kind) || !this.#isOwn(declaration.getSourceFile().fileName)) return
      found.add(symbol)
      seen.add(symbol)
      for (const one of symbol.declarations ?? []) visit(one)
    }
    for (const symbol of own) for (const declaration of symbol.declarations ?? []) visit(declaration)
    return found
  }

  #describe(name: string, symbol: ts.Symbol): PublicName {
    const declarations = symbol.declarations ?? []
    const [first] = declarations
    const kind = first && kinds.get(first.kind)
    if (!first || !kind) throw new Error(`${name} is declared as nothing that is known here`)
    const statements = declarations.map((declaration) =>
      ts.isVariableDeclaration(declaration) ? declaration.parent.parent : declaration,
    )
    const file = path.relative(inRepository(this.#folder, 'dist'), first.getSourceFile().fileName)
    return {
      name,
      kind,
      bare: statements.map(bareText).join('\n'),
      commented: statements.map((statement) => tidy(statement.getText())).join('\n'),
      doc: ts.displayPartsToString(symbol.getDocumentationComment(this.#checker)),
      tags: symbol
        .getJsDocTags(this.#checker)
        .map((tag) => ({ name: tag.name, text: ts.displayPartsToString(tag.text) })),
      source: `${this.#folder}/src/${file.replace(/\.d\.ts$/, '.ts')}`,
      undocumentedMethods: ts.isClassDeclaration(first) ? this.#undocumentedMethods(first) : [],
    }
  }

  #undocumentedMethods(declaration: ts.ClassDeclaration): string[] {
    return declaration.members.flatMap((member) => {
      if (!ts.isMethodDeclaration(member) || !ts.isIdentifier(member.name)) return []
      const symbol = this.#checker.getSymbolAtLocation(member.name)
      const doc = symbol?.getDocumentationComment(this.#checker) ?? []
      return doc.length > 0 || (symbol?.getJsDocTags(this.#checker).length ?? 0) > 0 ? [] : [member.name.text]
    })
  }
}

const printer = ts.createPrinter({ removeComments: true, newLine: ts.NewLineKind.LineFeed })
const bareText = (node: ts.Node): string => tidy(printer.printNode(ts.EmitHint.Unspecified, node, node.getSourceFile()))

/** Without what only the emitted file needs, and as far to the right as our sources. */
const tidy = (text: string): string =>
  text
    .replace(/^(export )?(declare )?/, '')
    .replaceAll(/^ *#private;\n/gm, '')
    .replaceAll(/^( {4})+/gm, (indent) => ' '.repeat(indent.length / 2))
    .replaceAll(/^(.*?) +$/gm, '$1')
    // Which quotes, which order and whether comments, is up to whether the compiler builds all or what has changed.
    .replaceAll(/^(?!\s*(?:\*|\/\*|\/\/)).*$/gm, (line) => line.replaceAll(/"([^"'\\]*)"/g, "'$1'"))
    .replaceAll(/'[^'\n]*'(?: \| '[^'\n]*')+/g, (union) => union.split(' | ').sort().join(' | '))
    .replaceAll(
      /\[\n(?:(?:\/\*\*.*?\*\/\n)?'[^'\n]*',?\n?)+\]/gs,
      (tuple) => `[${tuple.match(/'[^'\n]*'(?=,?\n|\])/g)!.join(', ')}]`,
    )

const packageOf = (file: string): string => {
  const [, inModules] = /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(file) ?? []
  const [, name] = /\/packages\/([^/]+)\/dist\//.exec(file) ?? []
  return inModules ?? (name === undefined ? file : `@millrace/${name}`)
}
