/** Comments of .proto files, which descriptors of a bundle leave out. */
import protobuf from 'protobufjs'

/** What people read beside a field; a longer text is cut. */
const COMMENT_CHARS_MAX = 1_000

/**
 * What is written before, or behind, what a file declares. The files are of a validated bundle, so that they are known
 * to be small and to parse; one that does not has no comments.
 *
 * @returns comments by full name: `digits.Image`, `digits.Image.pixels`, `digits.Kind.KIND_GREY`, `digits.Entrypoint.Classify`.
 */
export function readProtoComments(texts: Iterable<string>): Map<string, string> {
  const comments = new Map<string, string>()
  const take = (name: string, comment: string | null | undefined) => {
    const text = comment?.trim() ?? ''
    if (text !== '') comments.set(name, text.slice(0, COMMENT_CHARS_MAX))
  }
  const visit = (object: protobuf.ReflectionObject) => {
    const name = object.fullName.replace(/^\./, '')
    take(name, object.comment)
    if (object instanceof protobuf.Enum)
      for (const value of Object.keys(object.values))
        take(`${name}.${value}`, object.comments[value])
    if (object instanceof protobuf.Type) object.fieldsArray.forEach(visit)
    if (object instanceof protobuf.Service) object.methodsArray.forEach(visit)
    if (object instanceof protobuf.Namespace) object.nestedArray.forEach(visit)
  }
  for (const text of texts) {
    const root = parse(text)
    if (root !== null) visit(root)
  }
  return comments
}

function parse(text: string): protobuf.Root | null {
  try {
    const options = { keepCase: true, alternateCommentMode: true }
    return protobuf.parse(text, new protobuf.Root(), options).root
  } catch {
    return null // comments are an extra
  }
}
