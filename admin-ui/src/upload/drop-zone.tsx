import { useState } from 'react'
import { t } from '../texts/en.ts'
import { chooseBundle } from './choose-bundle.ts'
import { useFileDrop } from './use-file-drop.ts'

type DropZoneProps = {
  /** Something else on the page has more to say. */
  isSmall: boolean
  /** The one thing to do here, unless something else on the page is. */
  isPrimary: boolean
  onFile: (file: File) => void
}

/** Takes one bundle: by a dialog of the browser, or dropped anywhere on the page. */
export function DropZone({ isSmall, isPrimary, onFile }: DropZoneProps) {
  const [problem, setProblem] = useState('')
  const isOver = useFileDrop((files, hasFolder) => void take(files, hasFolder))

  async function take(files: readonly File[], hasFolder: boolean): Promise<void> {
    const choice = await chooseBundle(files, hasFolder)
    setProblem(choice.kind === 'problem' ? choice.text : '')
    if (choice.kind === 'bundle') onFile(choice.file)
  }

  const classes = ['drop', isSmall ? 'drop-small' : '', isOver ? 'drop-over' : '']
  return (
    <div className={classes.filter(Boolean).join(' ')}>
      <p>{t.upload.drop}</p>
      <label className={isPrimary ? 'button button-primary file-button' : 'button file-button'}>
        {t.upload.choose}
        <input
          type="file"
          accept=".krt,.tgz,.gz,.tar"
          aria-describedby="upload-hint"
          onChange={(event) => {
            void take([...(event.target.files ?? [])], false)
            // The same file, mended, can be chosen again.
            event.target.value = ''
          }}
        />
      </label>
      <p className="hint" id="upload-hint">
        {t.upload.hint}
      </p>
      {problem !== '' && (
        <p className="hint hint-error" role="alert">
          {problem}
        </p>
      )}
    </div>
  )
}
