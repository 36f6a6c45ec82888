/** What programs need to work at all. */
const FOR_ALL = ['PATH', 'HOME', 'LANG', 'LC_ALL', 'TZ', 'TMPDIR']
/** What an installer needs besides: where packages are, and how to get there. */
const FOR_PIP = /^(PIP_.+|(https?|no|all)_proxy|SSL_CERT_(FILE|DIR)|REQUESTS_CA_BUNDLE|PYENV_.+)$/i

/** The parts of the engine's environment that others may see: user code never gets its secrets. */
export function pickEnvironment(environment: Readonly<Record<string, string | undefined>>): {
  forProcesses: Record<string, string>
  forPip: Record<string, string>
} {
  const pick = (isWanted: (name: string) => boolean) =>
    Object.fromEntries(
      Object.entries(environment).flatMap(([name, value]) =>
        value !== undefined && isWanted(name) ? [[name, value] as const] : [],
      ),
    )
  return {
    forProcesses: pick((name) => FOR_ALL.includes(name)),
    forPip: pick((name) => FOR_ALL.includes(name) || FOR_PIP.test(name)),
  }
}
