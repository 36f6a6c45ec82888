/** Reads the strict subset of YAML that manifests are written in, and remembers where everything stands. */
import { LineCounter, parseDocument, type Document, type ErrorCode, type YAMLError } from 'yaml'
import type { DocumentPath } from './document-path.ts'
import { createIssueCollector, type IssueCollector, type Locate } from './issue-collector.ts'
import { depthFault, guardYaml, type TextFault } from './yaml-guard.ts'
import { locateNode } from './yaml-locate.ts'
import { toPlainValue, type YamlDocument } from './yaml-value.ts'

/** Errors of the parser that are listed: after a few, the rest only follow from the first. */
const SYNTAX_ISSUES_MAX = 10

/** @returns `document` null when the text can't be read at all; `issues` then says why. */
export function readYaml(
  source: string,
  file: string,
): { document: YamlDocument | null; issues: IssueCollector } {
  const text = source.startsWith('\ufeff') ? source.slice(1) : source
  const lines = createLineCounter(text)
  const at = (offset: number) => {
    const { line, col } = lines.linePos(offset)
    return { line: Math.max(1, line), column: Math.max(1, col) }
  }
  const faults = guardYaml(text)
  const parsed = faults.some((fault) => fault.fatal) ? null : parse(text)
  if (parsed === 'too deep') faults.push(depthFault(0))
  const tree = parsed === 'too deep' ? null : parsed
  const locate: Locate = (path, part) => at(tree === null ? 0 : locateNode(tree, path, part))
  const issues = createIssueCollector(file, locate)
  const addFault = ({ code, offset, message, hint }: TextFault, path: DocumentPath = []) =>
    issues.add({
      code,
      path,
      message,
      position: at(offset),
      ...(hint === undefined ? {} : { hint }),
    })
  for (const fault of faults) addFault(fault)
  if (tree === null) return { document: null, issues }
  // Warnings are errors too; those there are (directives, tags) are reported by the guard and the walk.
  const errors = tree.errors.map(toFault)
  for (const fault of errors.slice(0, SYNTAX_ISSUES_MAX)) addFault(fault)
  if (errors.some((fault) => fault.fatal)) return { document: null, issues }
  return { document: toPlainValue(tree, addFault), issues }
}

/** The parser recurses into blocks; input that overflows its stack is too deep, whatever else it is. */
function parse(text: string): Document.Parsed | 'too deep' {
  try {
    return parseDocument(text, {
      version: '1.2',
      schema: 'core',
      strict: true,
      merge: false,
      // Done by toPlainValue: the parser's own check is quadratic.
      uniqueKeys: false,
      prettyErrors: false,
      resolveKnownTags: false,
    })
  } catch (thrown) {
    if (thrown instanceof RangeError) return 'too deep'
    throw thrown
  }
}

function toFault({ code, message, pos: [offset] }: YAMLError): TextFault {
  const known = KNOWN_FAULTS[code] ?? {
    code: 'YAML_SYNTAX',
    message: lowerFirst(message),
    fatal: true,
  }
  return { ...known, offset }
}

/** The parser's errors that have a code or a hint of ours; all others are errors of syntax. */
const KNOWN_FAULTS: Readonly<Partial<Record<ErrorCode, Omit<TextFault, 'offset'>>>> = {
  MULTIPLE_DOCS: {
    code: 'YAML_MULTI_DOC',
    message: 'the manifest is one document, and another one begins here',
    hint: 'remove everything from "---" on',
    fatal: false,
  },
  BAD_ALIAS: { code: 'YAML_FEATURE', message: 'aliases are not allowed', fatal: false },
  TAG_RESOLVE_FAILED: { code: 'YAML_FEATURE', message: 'tags are not allowed', fatal: false },
  RESOURCE_EXHAUSTION: { ...depthFault(0), fatal: true },
  TAB_AS_INDENT: {
    code: 'YAML_SYNTAX',
    message: 'tabs can not indent',
    hint: 'indent with spaces',
    fatal: true,
  },
}

function lowerFirst(text: string): string {
  return text.slice(0, 1).toLowerCase() + text.slice(1)
}

function createLineCounter(text: string): LineCounter {
  const lines = new LineCounter()
  lines.addNewLine(0)
  for (let i = text.indexOf('\n'); i !== -1; i = text.indexOf('\n', i + 1)) lines.addNewLine(i + 1)
  return lines
}
