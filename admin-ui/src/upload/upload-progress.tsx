import { t } from '../texts/en.ts'
import { Button } from '../ui/button.tsx'
import { formatBytes } from '../ui/format.ts'
import { visibleText } from '../ui/visible-text.ts'
import type { UploadProgress } from './create-upload.ts'

/** Of a file's name: people know theirs by its beginning. */
export const NAME_CHARS_MAX = 80

type UploadProgressPanelProps = { file: File; progress: UploadProgress; onCancel: () => void }

/** How far an upload is, and the way out of it. */
export function UploadProgressPanel({ file, progress, onCancel }: UploadProgressPanelProps) {
  const { sentBytes, state } = progress
  const share = file.size === 0 ? 0 : Math.floor((sentBytes / file.size) * 100)
  const size = formatBytes(file.size)
  const texts = {
    sending: t.upload.sent(formatBytes(sentBytes), size, share),
    waiting: t.upload.waiting(formatBytes(sentBytes), size),
    checking: t.upload.checking,
  }
  return (
    <section className="drop" aria-label={t.upload.progress}>
      <p>
        <strong>{visibleText(file.name, NAME_CHARS_MAX)}</strong> · {size}
      </p>
      <progress
        aria-label={t.upload.progress}
        max={file.size}
        value={state === 'checking' ? undefined : sentBytes}
      />
      <p role="status" className={state === 'waiting' ? 'warn' : undefined}>
        {texts[state]}
      </p>
      <Button onClick={onCancel}>{t.common.cancel}</Button>
    </section>
  )
}
