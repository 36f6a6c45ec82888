import { t } from '../texts/en.ts'
import { Dialog } from '../ui/dialog.tsx'
import { SignInForm } from './sign-in-form.tsx'

/** Over the page of somebody whose login ended: what was typed below it stays. */
export function SessionOver() {
  return (
    <Dialog title={t.signIn.overTitle} onClose={null}>
      <div className="stack">
        <p>{t.signIn.over}</p>
        <SignInForm />
      </div>
    </Dialog>
  )
}
