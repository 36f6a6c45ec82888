import { describe, expect, test } from '@jest/globals'
import { createContext } from './context.ts'
import { createProgram } from './program.ts'
import { krectl } from './testing/krectl.ts'

/** As the original prints them. */
const COMMANDS = [
  'dev     creates a complete local environment and auto-login to frontend.',
  'start   starts minikube kre profile.',
  'stop    stops minikube kre profile.',
  'login   creates a login URL and open your browser automatically on the admin page.',
  'build   calls docker to build all images inside minikube.',
  'deploy  calls helm to create install/upgrade a kre release on minikube.',
  'delete  calls kubectl to remove runtimes or versions.',
]

describe('help', () => {
  test.each([[['--help']], [['-h']], [['h']], [['help']], [[]]])(
    'is the front page for %j',
    async (words) => {
      const { code, stdout, stderr } = await krectl(words)
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
      for (const line of COMMANDS) expect(stdout).toContain(`\n      ${line}\n`)
      expect(stdout.length).toBeLessThan(4_000)
    },
  )

  test.each([['version --help'], ['help version'], ['h version'], ['version -h']])(
    'names the subcommands for "%s"',
    async (line) => {
      const { code, stdout } = await krectl(line.split(' '))
      expect(code).toBe(0)
      expect(stdout).toMatch(/Usage: krectl version .*create.*publish.*logs/s)
    },
  )

  test('is there for every command and says what it does', async () => {
    for (const words of commandPaths()) {
      for (const line of [
        [...words, '--help'],
        ['help', ...words],
      ]) {
        const { code, stdout } = await krectl(line)
        expect({ line, code }).toEqual({ line, code: 0 })
        expect(stdout).toContain(`Usage: krectl ${words.join(' ')}`)
        expect(stdout).toMatch(/\n\n\S.{10,}/)
        expect(stdout).toContain('--json')
        expect(stdout).toContain('--data')
      }
    }
  })
})

describe('wrong usage', () => {
  test.each([
    ['versoin list', 'Did you mean version?'],
    ['versoin list --help', 'Did you mean version?'],
    ['help versoin', 'Did you mean version?'],
    ['version strat -r x y', 'Did you mean start?'],
    ['version strat --help', 'Did you mean start?'],
    ['status --jsn', 'Did you mean --json?'],
    ['--jsno status', 'Did you mean --json?'],
    ['nonsense', "unknown command 'nonsense'"],
    ['version create bundle', '--runtime'],
    ['runtime create', 'missing required argument'],
    ['runtime create a b', 'too many arguments'],
    ['call -r x Greet {', 'not JSON'],
    ['call -r x Greet @nowhere.json', 'nowhere.json'],
    ['call -r x Greet {} --timeout soon', 'not a duration'],
    ['call -r x Greet {} --metadata nothing', 'KEY=VALUE'],
    ['call -r x Greet {} --metadata grpc-timeout=1', 'belongs to gRPC'],
    ['version logs -r x y --level LOUD', '--level is one of'],
    ['version logs -r x y --limit many', 'not a whole number'],
    ['version logs -r x y --since 99999999d', 'not a duration'],
    ['config set -r x y novalue', 'KEY=VALUE'],
    ['config set -r x y KEY=@nowhere', 'nowhere'],
    ['krt init folder --template cobol', 'python, typescript'],
    ['status --data=', '--data needs a folder'],
    ['status --data x --profile y', '--data and --profile'],
    ['runtime list --url http://10.0.0.1', 'use https'],
    ['runtime list --limit 0', '--limit is at least 1'],
    ['runtime update x', '--name or --description'],
    ['runtime log-limits x --bytes lots', 'not a size'],
    ['profile add UPPER https://x.example', 'is no name of a profile'],
    ['profile add x http://x.example', 'use https'],
    ['completion tcsh', 'bash, zsh, fish'],
    ['apply', '--filename'],
    ['apply -f nowhere.yaml', "nowhere.yaml can't be read"],
    ['apply -f - -f -', 'standard input can be read once'],
    ['apply -f -', 'there is no document'],
    ['apply -f - --prune bogus', 'versions, runtimes, users'],
    ['version traffic -r x y --step 500ms', 'whole seconds'],
    ['version list -r x --watch --limit 3', 'leave out --limit'],
    ['config set -r x y', '--env-file'],
  ])('"%s" is refused with exit code 2 and its reason', async (line, reason) => {
    const { code, stdout, stderr } = await krectl(line.split(' '))
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toMatch(/^krectl: /)
    expect(stderr).toContain(reason)
    expect(stderr).not.toContain('    at ')
  })
})

describe('without an engine', () => {
  test.each([
    ['status'],
    ['login'],
    ['runtime list'],
    ['version list -r x'],
    ['version start -r x y'],
    ['config get -r x y'],
    ['call -r x Greet {}'],
  ])('"%s" says so with exit code 69', async (line) => {
    expect(await krectl(line.split(' '))).toMatchObject({
      code: 69,
      stdout: '',
      stderr: expect.stringContaining('krectl dev'),
    })
  })

  test('the error is JSON when JSON is asked for, before or behind the verb', async () => {
    for (const line of [
      ['--json', 'status'],
      ['status', '--json'],
    ]) {
      const { code, stderr } = await krectl(line)
      expect(code).toBe(69)
      expect(JSON.parse(stderr)).toMatchObject({ error: { code: 'unavailable' } })
    }
  })

  test('a stack is shown to those who ask for it', async () => {
    for (const line of [
      ['-v', 'status'],
      ['v', 'status'],
      ['status', '--verbose'],
    ])
      expect((await krectl(line)).stderr).toContain('    at ')
    expect((await krectl(['status'], { environment: { DEBUG: '1' } })).stderr).toContain('    at ')
    expect((await krectl(['status'])).stderr).not.toContain('    at ')
  })
})

test('the data folder named behind the verb wins over the one before it, and over the environment', async () => {
  const { stderr } = await krectl(['--data', 'front', 'status', '--data', 'behind'])
  expect(stderr).toMatch(/no engine runs on \/.*\/behind:/)
  expect((await krectl(['--data', 'front', 'status'])).stderr).toMatch(/\/front:/)
  expect((await krectl(['status'])).stderr).toMatch(/\/data:/)
})

function commandPaths(): string[][] {
  const paths: string[][] = []
  const context = createContext({
    root: new URL('../../..', import.meta.url).pathname,
    cwd: '/',
    environment: {},
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    signal: new AbortController().signal,
  })
  const walk = (command: ReturnType<typeof createProgram>, path: string[]) => {
    for (const child of command.commands) {
      paths.push([...path, child.name()])
      walk(child, [...path, child.name()])
    }
  }
  walk(createProgram(context), [])
  return paths
}

describe('wrong words with --json', () => {
  test.each([
    ['nosuch --json', "unknown command 'nosuch'"],
    ['version --json', 'a command is missing'],
    ['version show v1 --json', "required option '-r, --runtime <id>' not specified"],
    ['version show --json -r demo', "missing required argument 'version'"],
    ['--json runtime list --nope', "unknown option '--nope'"],
  ])('are one document on standard error: %s', async (line, message) => {
    const { code, stdout, stderr } = await krectl(line.split(' '))
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(JSON.parse(stderr)).toEqual({
      error: { code: 'invalid-argument', message: expect.stringContaining(message), details: {} },
    })
  })
})
