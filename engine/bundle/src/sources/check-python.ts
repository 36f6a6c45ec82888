/** Syntax of Python by the machine's own python3; without one the runner will tell. */
import { spawn } from 'node:child_process'
import { type KrtIssue, MINUTE_MS } from '@kre/contracts'
import { z } from 'zod'
import type { BundleFile, ContentStore } from '../contents/content-store.ts'
import { errorIssue, warningIssue } from '../issues.ts'

/** What a file may take is limited in processor time, below: this ends what waits for ever, not what has to queue. */
const PYTHON_TIMEOUT_MS = MINUTE_MS
const SYSTEM_PATH = '/usr/local/bin:/usr/bin:/bin'

/** Reads lines of `{"path", "text" (base64)}`; answers a line for each file that does not parse. Runs nothing. */
const PARSE_SCRIPT = `
import ast, base64, json, sys, warnings
try:
    import resource
    resource.setrlimit(resource.RLIMIT_CPU, (4, 4))
    resource.setrlimit(resource.RLIMIT_AS, (160 << 20, 160 << 20))
except (ImportError, ValueError, OSError):
    pass
warnings.simplefilter("ignore")
for line in sys.stdin:
    item = json.loads(line)
    found = None
    try:
        ast.parse(base64.b64decode(item["text"]))
    except SyntaxError as e:
        found = (e.msg, e.lineno or 1, max(e.offset or 1, 1))
    except MemoryError:
        sys.exit(1)
    except (ValueError, RecursionError) as e:
        found = (str(e) or type(e).__name__, 1, 1)
    if found:
        print(json.dumps({"path": item["path"], "message": found[0], "line": found[1], "column": found[2]}), flush=True)
`

const Finding = z.object({
  path: z.string(),
  message: z.string(),
  line: z.number(),
  column: z.number(),
})

export async function checkPythonSources(
  sources: readonly BundleFile[],
  contents: ContentStore,
  signal?: AbortSignal,
): Promise<KrtIssue[]> {
  if (sources.length === 0) return []
  const python = spawn('python3', ['-I', '-c', PARSE_SCRIPT], {
    env: { PATH: SYSTEM_PATH },
    stdio: ['pipe', 'pipe', 'ignore'],
    timeout: PYTHON_TIMEOUT_MS,
    killSignal: 'SIGKILL',
    ...(signal === undefined ? {} : { signal }),
  })
  const ended = new Promise<'clean' | 'died' | 'absent'>((resolve) => {
    python.once('error', (cause: NodeJS.ErrnoException) =>
      resolve(cause.code === 'ENOENT' ? 'absent' : 'died'),
    )
    python.once('close', (code) => resolve(code === 0 ? 'clean' : 'died'))
  })
  python.stdin.on('error', () => python.stdin.destroy())
  const output: Buffer[] = []
  python.stdout.on('data', (chunk: Buffer) => output.push(chunk))
  for (const { path, sha256 } of sources) {
    const text = (await contents.read(sha256)).toString('base64')
    python.stdin.write(`${JSON.stringify({ path, text })}\n`)
  }
  python.stdin.end()
  const outcome = await ended
  if (outcome === 'absent') return []
  const issues = parseFindings(Buffer.concat(output).toString('utf8'))
  if (outcome === 'died')
    issues.push(
      warningIssue(
        'SRC_UNCHECKED',
        'the Python parser gave up on one of the sources; its syntax was not checked',
      ),
    )
  return issues
}

function parseFindings(output: string): KrtIssue[] {
  const lines = output.split('\n')
  lines.pop()
  return lines.map((line) => {
    const { path, message, line: row, column } = Finding.parse(JSON.parse(line))
    return errorIssue('SRC_SYNTAX', message, { file: path, line: row, column })
  })
}
