import { useId, type ReactNode } from 'react'

type FieldProps = {
  label: string
  /** Beside the label, of a field whose type people know it by. */
  type?: string
  /** What is allowed, said before it is typed. */
  hint?: string
  error?: string | null
  /** Gets what ties the input to its label, hint and error. */
  children: (field: {
    id: string
    'aria-describedby': string
    'aria-invalid': boolean
  }) => ReactNode
}

export function Field({ label, type, hint, error = null, children }: FieldProps) {
  const id = useId()
  return (
    <div className="field">
      {type === undefined ? (
        <label htmlFor={id}>{label}</label>
      ) : (
        <div className="typed-label">
          <label htmlFor={id}>{label}</label> <span className="field-type">{type}</span>
        </div>
      )}
      {children({ id, 'aria-describedby': `${id}-more`, 'aria-invalid': error !== null })}
      <p id={`${id}-more`} className={error === null ? 'hint' : 'hint hint-error'}>
        {error ?? hint ?? ''}
      </p>
    </div>
  )
}
