import { useSearchParams } from 'wouter'

/** Takes a choice out of the URL when it is null or empty. */
export type Choose = (name: string, value: string | null) => void

/** What a view shows of its data: in the URL, so that it can be sent to somebody. No step of the history for each. */
export function useChoices(): [choices: URLSearchParams, choose: Choose] {
  const [choices, setChoices] = useSearchParams()
  const choose: Choose = (name, value) =>
    setChoices(
      (before) => {
        const next = new URLSearchParams(before)
        if (value === null || value === '') next.delete(name)
        else next.set(name, value)
        return next
      },
      { replace: true },
    )
  return [choices, choose]
}
