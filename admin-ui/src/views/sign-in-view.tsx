import { useEffect } from 'react'
import { SignInForm } from '../session/sign-in-form.tsx'
import { t } from '../texts/en.ts'

export function SignInView() {
  useEffect(() => {
    document.title = `${t.signIn.title} · KRE`
  }, [])
  return (
    <main className="sign-in" id="main">
      <h1>{t.signIn.title}</h1>
      <SignInForm />
    </main>
  )
}
