import { Link, useLocation } from 'wouter'
import { useQuery } from '../api/use-query.ts'
import {
  RuntimeWithVersions,
  VersionComparison,
  type RuntimeWithVersionsResult,
} from '../gen/documents.ts'
import { paths } from '../path-builder.ts'
import { t } from '../texts/en.ts'
import { Button } from '../ui/button.tsx'
import { Page } from '../ui/page.tsx'
import { Face, QueryView } from '../ui/query-view.tsx'
import { shellWord } from '../ui/shell-word.ts'
import { Twin } from '../ui/twin.tsx'
import { useChoices } from '../ui/use-choices.ts'
import { chooseVersions } from './choose-versions.ts'
import { DifferenceList } from './difference-list.tsx'
import { ManifestDiff } from './manifest-diff.tsx'

/** Two versions of a runtime beside each other; which ones is in the URL. */
export function CompareView({ runtimeId }: { runtimeId: string }) {
  const query = useQuery(RuntimeWithVersions, { id: runtimeId })
  const crumbs = [
    { text: t.shell.runtimes, href: paths.runtimes() },
    { text: query.data?.runtime.name ?? runtimeId, href: paths.versions(runtimeId) },
  ]
  return (
    <Page title={t.compare.title} crumbs={crumbs}>
      <QueryView query={query}>{(data) => <Choice runtimeId={runtimeId} data={data} />}</QueryView>
    </Page>
  )
}

type ChoiceProps = { runtimeId: string; data: RuntimeWithVersionsResult }

function Choice({ runtimeId, data: { runtime, versions } }: ChoiceProps) {
  const [choices] = useChoices()
  const [, navigate] = useLocation()
  const compare = (chosen: { from: string; to: string }): void =>
    navigate(paths.compare(runtimeId, chosen), { replace: true })
  const named = { from: choices.get('from'), to: choices.get('to') }
  const { from, to } = chooseVersions(named, versions, runtime.publishedVersion?.name ?? null)
  if (from === null || to === null)
    return <Face title={t.compare.tooFewTitle} text={t.compare.tooFew} />
  const names = versions.map(({ name }) => name)
  return (
    <>
      <div className="inline-form">
        <VersionChoice
          label={t.compare.from}
          names={names}
          value={from}
          onChange={(name) => compare({ from: name, to })}
        />
        <VersionChoice
          label={t.compare.to}
          names={names}
          value={to}
          onChange={(name) => compare({ from, to: name })}
        />
        <Button onClick={() => compare({ from: to, to: from })}>{t.compare.swap}</Button>
      </div>
      <Comparison key={`${from} ${to}`} runtimeId={runtimeId} from={from} to={to} />
    </>
  )
}

type VersionChoiceProps = {
  label: string
  names: readonly string[]
  value: string
  onChange: (name: string) => void
}

function VersionChoice({ label, names, value, onChange }: VersionChoiceProps) {
  // What the address names may have been deleted: it is shown, and the API says that it is gone.
  const shown = names.includes(value) ? names : [value, ...names]
  return (
    <label className="field">
      <span>{label}</span>
      <select value={value} onChange={(event) => onChange(event.target.value)}>
        {shown.map((name) => (
          <option key={name}>{name}</option>
        ))}
      </select>
    </label>
  )
}

type ComparisonProps = { runtimeId: string; from: string; to: string }

function Comparison({ runtimeId, from, to }: ComparisonProps) {
  const query = useQuery(VersionComparison, { runtimeId, from, to })
  const words = ['krectl version diff -r', shellWord(runtimeId), shellWord(from), shellWord(to)]
  return (
    <QueryView query={query}>
      {({ versionComparison: comparison, from: before, to: after }) => (
        <div className="stack">
          <section className="stack-tight">
            <h2>{t.compare.differences}</h2>
            <DifferenceList comparison={comparison} />
          </section>
          <section className="stack-tight">
            <h2>{t.compare.manifest}</h2>
            <ManifestDiff before={before.manifest} after={after.manifest} />
          </section>
          <p className="row">
            <Link href={paths.status(runtimeId, from)}>{t.compare.open(from)}</Link>
            <Link href={paths.status(runtimeId, to)}>{t.compare.open(to)}</Link>
          </p>
          <Twin text={words.join(' ')} />
        </div>
      )}
    </QueryView>
  )
}
