/** Runs programs of others: minikube, helm, kubectl, podman, git. Nothing passes through a shell. */
import { spawn } from 'node:child_process'
import { KreError } from '@kre/contracts'
import type { Context } from '../context.ts'

export type ProgramContext = Pick<Context, 'cwd' | 'environment' | 'signal' | 'stderr'>

export type Call = {
  program: string
  args: readonly string[]
  /** In addition to the environment of krectl. */
  environment?: Readonly<Record<string, string>>
  /** Absolute; default: where the user stands. */
  cwd?: string
  /** What the program reads; default: nothing. */
  input?: string
}

/** Output that is kept to be read; more is no answer of these programs. */
const ANSWER_CHARS_MAX = 16 * 1024 * 1024
/** How much of a program's last words goes into the error. */
const REASON_CHARS_MAX = 500

/** What each program is for, and where it comes from: said when it is not there. */
const HOW_TO_GET: Readonly<Record<string, string>> = {
  minikube: 'install minikube 1.26 or newer; "krectl dev" needs none',
  kubectl: 'install kubectl',
  helm: 'install Helm 3 or newer',
  docker: 'install Docker 18.9 or newer, or name another builder with --engine',
  podman: 'install podman, or name another builder with --engine',
  buildah: 'install buildah, or name another builder with --engine',
  git: 'install git',
  'dpkg-deb': 'bases from Debian packages can be made on Debian and its relatives alone',
}

/**
 * Shows what the program says on standard error, where progress belongs.
 *
 * @throws KreError `failed-precondition` when it is not there, or fails.
 */
export async function runProgram(context: ProgramContext, call: Call): Promise<void> {
  await run(context, call, 'show')
}

/** @returns its standard output, without white space at the end. @throws KreError as {@link runProgram}. */
export async function askProgram(context: ProgramContext, call: Call): Promise<string> {
  return (await run(context, call, 'keep')).trimEnd()
}

/** The call as somebody would type it. */
export function formatCall({ program, args, environment = {} }: Call): string {
  const variables = Object.entries(environment).map(([name, value]) => `${name}=${quote(value)}`)
  return [...variables, program, ...args.map(quote)].join(' ')
}

function quote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`
}

async function run(
  { cwd, environment, signal, stderr }: ProgramContext,
  call: Call,
  output: 'show' | 'keep',
): Promise<string> {
  signal.throwIfAborted()
  const { program, args, input = '' } = call
  const child = spawn(program, [...args], {
    cwd: call.cwd ?? cwd,
    env: { ...environment, ...call.environment },
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  const end = () => void child.kill('SIGTERM')
  signal.addEventListener('abort', end, { once: true })
  let said = ''
  let errors = ''
  child.stdin.on('error', () => undefined) // a program that reads nothing
  child.stdin.end(input)
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    if (output === 'show') stderr.write(text)
    else if (said.length < ANSWER_CHARS_MAX) said += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    if (output === 'show') stderr.write(text)
    errors = (errors + text).slice(-REASON_CHARS_MAX * 2)
  })
  try {
    const code = await new Promise<number | string>((resolve, reject) => {
      child.once('error', reject)
      child.once('close', (exit, killedBy) => resolve(exit ?? killedBy ?? 'an unknown signal'))
    })
    signal.throwIfAborted()
    if (code !== 0) throw failed(call, code, errors)
    return said
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') throw missingProgram(program, error)
    throw error
  } finally {
    signal.removeEventListener('abort', end)
  }
}

/** @param cause the failure to start it. */
export function missingProgram(program: string, cause: unknown): KreError {
  const how = HOW_TO_GET[program] ?? `install ${program}`
  return new KreError(
    'failed-precondition',
    `${program} is not on the PATH, and this command needs it: ${how}. "krectl doctor" lists what is there`,
    { program },
    { cause },
  )
}

function failed(call: Call, code: number | string, errors: string): KreError {
  const how = typeof code === 'number' ? `ended with exit code ${code}` : `was ended by ${code}`
  const reason = errors.trim().slice(-REASON_CHARS_MAX)
  return new KreError(
    'failed-precondition',
    `"${formatCall(call)}" ${how}${reason === '' ? '' : `: ${reason}`}`,
    { program: call.program },
  )
}
