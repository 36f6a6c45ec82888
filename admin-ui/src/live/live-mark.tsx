import { liveState } from './socket.ts'
import { t } from '../texts/en.ts'
import { useStore } from '../ui/store.ts'

/** Whether the page follows the engine by itself; the banner says more when it does not. */
export function LiveMark() {
  const { kind } = useStore(liveState)
  return (
    <span className="footer-start">
      <span className={`live-mark live-mark-${kind}`} aria-hidden="true" />
      {t.shell.live[kind]}
    </span>
  )
}
