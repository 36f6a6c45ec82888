import { useQuery } from '../api/use-query.ts'
import { Accounts } from '../gen/documents.ts'
import { paths } from '../path-builder.ts'
import { t } from '../texts/en.ts'
import { Page } from '../ui/page.tsx'
import { Face, QueryView } from '../ui/query-view.tsx'
import { shellWord } from '../ui/shell-word.ts'
import { Twin } from '../ui/twin.tsx'
import { useChoices } from '../ui/use-choices.ts'
import { LoginTable } from './login-table.tsx'
import { TokenTable } from './token-table.tsx'

/** What somebody signs in with: logins and API tokens. For administrators. */
export function UserView() {
  const [choices] = useChoices()
  const email = choices.get('email') ?? ''
  const query = useQuery(Accounts, {})
  const crumbs = [{ text: t.shell.users, href: paths.users() }]
  return (
    <Page title={email} crumbs={crumbs}>
      <QueryView query={query}>
        {({ users }) => {
          const user = users.find((candidate) => candidate.email === email)
          if (user === undefined)
            return <Face title={t.account.goneTitle} text={t.account.gone(email)} />
          return (
            <div className="stack">
              <section className="stack-tight">
                <h2>{t.account.logins}</h2>
                <LoginTable logins={user.logins ?? []} />
                <Twin text={`krectl user logins ${shellWord(email)}`} />
              </section>
              <section className="stack-tight">
                <h2>{t.account.tokens}</h2>
                <TokenTable tokens={user.apiTokens ?? []} empty={t.account.noTokens} />
                <Twin text={`krectl user tokens ${shellWord(email)}`} />
              </section>
            </div>
          )
        }}
      </QueryView>
    </Page>
  )
}
