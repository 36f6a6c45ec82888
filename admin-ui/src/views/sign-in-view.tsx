import { useEffect } from 'react'
import { SignInForm } from '../session/sign-in-form.tsx'
import { t } from '../texts/en.ts'
import { BrandMark } from '../ui/icon.tsx'

export function SignInView() {
  useEffect(() => {
    document.title = `${t.signIn.title} · KRE`
  }, [])
  return (
    <main className="sign-in" id="main">
      <div className="sign-in-head">
        <BrandMark />
        <h1>{t.signIn.title}</h1>
        <p className="faint">{t.signIn.about}</p>
      </div>
      <SignInForm />
    </main>
  )
}
