import { t } from '../texts/en.ts'
import { Code } from './code.tsx'

/** The same by the command line. */
export function Twin({ text }: { text: string }) {
  return (
    <p className="twin">
      {t.common.twin} <Code text={text} />
    </p>
  )
}
