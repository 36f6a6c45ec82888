import { randomUUID } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Mailer } from './mailer.ts'

/** For development: each mail becomes a file in a folder that its owner alone can read. */
export function createFolderMailer(dir: string, now: () => Date = () => new Date()): Mailer {
  return {
    async send({ to, subject, text }) {
      await mkdir(dir, { recursive: true, mode: 0o700 })
      const at = now()
      const name = `${at.toISOString().replaceAll(':', '-')}-${randomUUID().slice(0, 8)}.txt`
      const head = `To: ${to}\nDate: ${at.toUTCString()}\nSubject: ${subject}\n`
      await writeFile(join(dir, name), `${head}\n${text}`, { mode: 0o600, flag: 'wx' })
    },
    close: () => undefined,
  }
}
