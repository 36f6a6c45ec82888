import { useState } from 'react'
import { t } from '../texts/en.ts'
import { Icon } from './icon.tsx'
import { notify } from './toasts.ts'

/** Text for another program, with a button that copies it. */
export function Code({ text }: { text: string }) {
  return (
    <span className="code-line">
      <code>{text}</code>
      <CopyButton text={text} />
    </span>
  )
}

/** @param name says what is copied; absent = the text itself, when it is short enough to be read aloud. */
export function CopyButton({ text, name = text }: { text: string; name?: string }) {
  const [isCopied, setCopied] = useState(false)
  async function copy(): Promise<void> {
    try {
      await navigator.clipboard.writeText(text)
      setCopied(true)
      setTimeout(() => setCopied(false), 1500)
    } catch {
      // Browsers refuse on pages without https that are not on this computer.
      notify({ kind: 'error', text: t.common.notCopied })
    }
  }
  return (
    <button
      type="button"
      className={isCopied ? 'copy copy-done' : 'copy'}
      aria-label={`${t.common.copy}: ${name}`}
      title={t.common.copy}
      onClick={() => void copy()}
    >
      <Icon name={isCopied ? 'done' : 'copy'} />
      {isCopied && t.common.copied}
    </button>
  )
}
