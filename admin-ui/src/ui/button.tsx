import type { ButtonHTMLAttributes } from 'react'

type ButtonProps = ButtonHTMLAttributes<HTMLButtonElement> & {
  /** One `primary` per screen; `danger` for what can't be taken back. */
  kind?: 'primary' | 'danger' | 'quiet' | 'plain'
  /** Shows that it is at work, and takes no second click. */
  isBusy?: boolean
}

export function Button({ kind = 'plain', isBusy = false, className, ...rest }: ButtonProps) {
  const classes = ['button', kind === 'plain' ? '' : `button-${kind}`, className ?? '']
  return (
    <button
      type="button"
      {...rest}
      className={classes.filter(Boolean).join(' ')}
      disabled={rest.disabled === true || isBusy}
      aria-busy={isBusy || undefined}
    />
  )
}
