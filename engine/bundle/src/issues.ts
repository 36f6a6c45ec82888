import { escapeUnprintable, type KrtIssue } from '@kre/contracts/pod'

export type IssuePlace = { file?: string; line?: number; column?: number; path?: string }

/** An issue of level error. `place` is empty for a finding about the bundle as a whole. */
export function errorIssue(
  code: string,
  message: string,
  place: IssuePlace = {},
  hint?: string,
): KrtIssue {
  return issueOf('error', code, message, place, hint)
}

/** An issue that does not stop the bundle. */
export function warningIssue(
  code: string,
  message: string,
  place: IssuePlace = {},
  hint?: string,
): KrtIssue {
  return issueOf('warning', code, message, place, hint)
}

function issueOf(
  level: KrtIssue['level'],
  code: string,
  message: string,
  { file = '', line = 0, column = 0, path = '' }: IssuePlace,
  hint: string | undefined,
): KrtIssue {
  return {
    code,
    level,
    message: escapeUnprintable(message),
    file,
    line,
    column,
    path,
    ...(hint === undefined ? {} : { hint: escapeUnprintable(hint) }),
  }
}

/** Stops the reading of a bundle: nothing behind this finding can be trusted. Caught where the reading began. */
export class BundleRejection extends Error {
  override name = 'BundleRejection'
  readonly issue: KrtIssue

  constructor(code: string, message: string, place: IssuePlace = {}, hint?: string) {
    super(message)
    this.issue = errorIssue(code, message, place, hint)
  }
}

/** A file or key name made safe to print in a message: controls escaped, long ones cut. */
export function printable(text: string, charactersMax = 120): string {
  const cut = text.length > charactersMax ? `${text.slice(0, charactersMax)}…` : text
  return escapeUnprintable(JSON.stringify(cut))
}
