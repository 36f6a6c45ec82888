/** Inboxes as KRE's processes and NATS clients make them. */
const INBOX = /^_(?:INBOX|R)[A-Za-z0-9_-]*(?:\.[A-Za-z0-9_-]+)+$/
const SUBJECT_CHARS_MAX = 256

/**
 * Whether the writer may answer on a subject that a node named. Nodes run user code and the writer's credential
 * allows more than theirs: answering anywhere else would let them delete streams through it.
 */
export function isReplySubject(subject: string): boolean {
  return subject.length <= SUBJECT_CHARS_MAX && INBOX.test(subject)
}
