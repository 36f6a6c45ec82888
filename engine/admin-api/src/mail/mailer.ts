/** A mail in plain text. */
export type Mail = { readonly to: string; readonly subject: string; readonly text: string }

/** Hands mails to whoever delivers them. */
export type Mailer = {
  /** Resolves when the mail was taken over. @throws whatever says why it was not. */
  send(mail: Mail): Promise<void>
  close(): void
}
