import { useId, type ReactNode } from 'react'

type TypedFieldProps = {
  label: string
  /** As in the .proto; empty in lists and maps, which say it once. */
  type: string
  hint: string
  error?: string | null
  children: (field: {
    id: string
    'aria-describedby': string
    'aria-invalid': boolean
  }) => ReactNode
}

/** A field of a message: its type beside its name, what the .proto says of it below. */
export function TypedField({ label, type, hint, error = null, children }: TypedFieldProps) {
  const id = useId()
  return (
    <div className="field">
      <div className="typed-label">
        <label htmlFor={id}>{label}</label> <span className="field-type">{type}</span>
      </div>
      {children({ id, 'aria-describedby': `${id}-more`, 'aria-invalid': error !== null })}
      <p id={`${id}-more`} className={error === null ? 'hint' : 'hint hint-error'}>
        {error ?? hint}
      </p>
    </div>
  )
}
