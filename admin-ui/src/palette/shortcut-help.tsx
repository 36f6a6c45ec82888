import { t } from '../texts/en.ts'
import { Button } from '../ui/button.tsx'
import { Dialog } from '../ui/dialog.tsx'
import { useStore } from '../ui/store.ts'
import { hasShortcuts, setShortcuts } from './keyboard-choice.ts'
import { SHORTCUTS } from './shortcuts.ts'

/** Which keys there are, and the switch that turns them off. */
export function ShortcutHelp({ onClose }: { onClose: () => void }) {
  const isOn = useStore(hasShortcuts)
  return (
    <Dialog title={t.shortcuts.title} onClose={onClose}>
      <dl className="shortcuts">
        <div>
          <dt>
            <kbd>Ctrl</kbd> <kbd>K</kbd> {t.shortcuts.or} <kbd>⌘</kbd> <kbd>K</kbd>
          </dt>
          <dd>{t.shortcuts.commands.palette}</dd>
        </div>
        {SHORTCUTS.map(({ keys, command }) => (
          <div key={command} className={isOn ? undefined : 'is-off'}>
            <dt>
              {keys.map((key) => (
                <kbd key={key}>{key}</kbd>
              ))}
            </dt>
            <dd>{t.shortcuts.commands[command]}</dd>
          </div>
        ))}
      </dl>
      <label className="check">
        <input
          type="checkbox"
          checked={isOn}
          onChange={(event) => setShortcuts(event.target.checked)}
        />
        {t.shortcuts.on}
      </label>
      <p className="hint">{t.shortcuts.hint}</p>
      <div className="actions">
        <Button onClick={onClose}>{t.common.close}</Button>
      </div>
    </Dialog>
  )
}
