/** A bundle whose nodes do what a caller tells them to do to the computer: one in TypeScript, one in Python. */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

const PROTO = `syntax = "proto3";
package hostile;
service Entrypoint {
  rpc Typescript(Order) returns (Verdict);
  rpc Python(Order) returns (Verdict);
}
message Order { string verb = 1; string target = 2; }
message Verdict { string text = 1; }
`

const TYPESCRIPT = `
import { spawn, spawnSync } from 'node:child_process'
import * as fs from 'node:fs'
import { createServer } from 'node:net'
import { create } from '@bufbuild/protobuf'
import { OrderSchema, VerdictSchema } from '../gen/public_input_pb.js'

const verbs = {
  read: (path) => fs.readFileSync(path, 'latin1'),
  list: (path) => fs.readdirSync(path).join(','),
  write: (path) => fs.writeFileSync(path, 'x'),
  append: (path) => fs.appendFileSync(path, 'x'),
  unlock: (path) => fs.chmodSync(path, 0o777),
  kill: (pid) => process.kill(Number(pid), 'SIGKILL'),
  whoami: () => process.getuid() + ' ' + fs.readFileSync('/proc/self/status', 'utf8').match(/CapEff:\\s*(\\w+)/)[1],
  environment: () => Object.keys(process.env).join(','),
  where: () => process.cwd() + '|' + process.env.TMPDIR,
  processes: () => fs.readdirSync('/proc').filter((name) => /^\\d+$/.test(name)).length,
  fill(path) {
    const file = fs.openSync(path + '/hoard', 'w')
    const chunk = Buffer.alloc(1 << 20, 1)
    let written = 0
    try { for (; written < 4096; written++) fs.writeSync(file, chunk) }
    catch (error) { return written + ' MiB, ' + error.code }
    finally { fs.closeSync(file); fs.rmSync(path + '/hoard') }
    return written + ' MiB'
  },
  files() {
    const open = []
    try { for (let i = 0; i < 100000; i++) open.push(fs.openSync('/dev/null')) }
    catch (error) { return open.length + ' files, ' + error.code }
    finally { open.forEach((file) => fs.closeSync(file)) }
    return open.length + ' files'
  },
  fork() {
    // Children in sessions of their own: no signal to the group reaches them.
    let count = 0
    for (; count < 2000; count++) {
      const child = spawn('sleep', ['600'], { detached: true, stdio: 'ignore' })
      child.on('error', () => undefined)
      if (child.pid === undefined) return count + ' processes'
    }
    return count + ' processes'
  },
  memory() { const hoard = []; for (;;) hoard.push(Buffer.alloc(64 << 20, 1)) },
  ptrace: (pid) => {
    const out = spawnSync('python3', ['-c', 'import ctypes,sys;l=ctypes.CDLL(None,use_errno=True);print(l.ptrace(16,int(sys.argv[1]),0,0),ctypes.get_errno())', pid])
    return String(out.stdout || out.error)
  },
  fetch: async (url) => { const answer = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"query":"{ me { email } }"}' }); return answer.status + ' ' + (await answer.text()) },
  listen: (port) => new Promise((resolve, reject) => {
    const server = createServer().once('error', reject)
    server.listen(Number(port), '127.0.0.1', () => server.close(() => resolve('listens')))
  }),
}

export async function defaultHandler(ctx, data) {
  const { verb, target } = ctx.unpack(data, OrderSchema)
  let text
  try { text = 'DONE ' + ((await verbs[verb](target)) ?? '') }
  catch (error) { text = 'REFUSED ' + (error.code ?? error) }
  await ctx.sendOutput(create(VerdictSchema, { text: text.slice(0, 4000) }))
}
`

const PYTHON = `
import ctypes, os, signal, socket, subprocess, urllib.error, urllib.request
from public_input_pb2 import Order, Verdict

def read(path):
    with open(path, "rb") as file: return file.read().decode("latin1")
def write(path):
    with open(path, "w") as file: file.write("x")
def append(path):
    with open(path, "a") as file: file.write("x")
def whoami(_):
    status = open("/proc/self/status").read()
    return f"{os.getuid()} {status.split('CapEff:')[1].split()[0]}"
def fill(path):
    written = 0
    try:
        with open(path + "/hoard", "wb", buffering=0) as file:
            while written < 4096:
                file.write(b"x" * (1 << 20)); written += 1
    except OSError as error: return f"{written} MiB, {error.errno}"
    finally: os.unlink(path + "/hoard")
    return f"{written} MiB"
def files(_):
    opened = []
    try:
        for _ in range(100000): opened.append(open("/dev/null"))
    except OSError as error: return f"{len(opened)} files, {error.errno}"
    finally:
        for file in opened: file.close()
    return f"{len(opened)} files"
def fork(_):
    count = 0
    try:
        while count < 2000:
            if os.fork() == 0:
                os.setsid(); signal.pause()
            count += 1
    except OSError: pass
    return f"{count} processes"
def memory(_):
    hoard = []
    while True: hoard.append(b"x" * (64 << 20))
def ptrace(pid):
    libc = ctypes.CDLL(None, use_errno=True)
    return f"{libc.ptrace(16, int(pid), 0, 0)} {ctypes.get_errno()}"
def fetch(url):
    request = urllib.request.Request(url, b'{"query":"{ me { email } }"}', {"content-type": "application/json"})
    try:
        with urllib.request.urlopen(request) as answer: return f"{answer.status} {answer.read()}"
    except urllib.error.HTTPError as error: return f"{error.code} {error.read()}"
def listen(port):
    with socket.socket() as server:
        server.bind(("127.0.0.1", int(port))); server.listen()
    return "listens"

verbs = dict(
    read=read, write=write, append=append, whoami=whoami, fill=fill, files=files, fork=fork, memory=memory,
    ptrace=ptrace, fetch=fetch, listen=listen,
    list=lambda path: ",".join(os.listdir(path)),
    unlock=lambda path: os.chmod(path, 0o777),
    kill=lambda pid: os.kill(int(pid), signal.SIGKILL),
    environment=lambda _: ",".join(os.environ),
    where=lambda _: os.getcwd() + "|" + os.environ["TMPDIR"],
    processes=lambda _: sum(name.isdigit() for name in os.listdir("/proc")),
)

async def default_handler(ctx, data):
    order = Order()
    data.Unpack(order)
    try: text = f"DONE {verbs[order.verb](order.target) or ''}"
    except OSError as error: text = f"REFUSED {error.strerror}"
    await ctx.send_output(Verdict(text=text[:4000]))
`

/** @param version also says whose secrets it holds: it declares TOKEN. */
export async function writeHostileBundle(dir: string, version: string): Promise<void> {
  const workflow = (name: string, image: string, src: string) => `
  - name: ${name.toLowerCase()}
    entrypoint: ${name}
    exitpoint: ${name.toLowerCase()}
    nodes:
      - name: ${name.toLowerCase()}
        image: ${image}
        src: ${src}
        subscriptions: [entrypoint]
        resources: { memory: { limit: 400Mi } }`
  await mkdir(join(dir, 'src'), { recursive: true })
  const files = {
    'kre.yaml': `krtVersion: v2
version: ${version}
description: does what it is told
entrypoint:
  proto: public_input.proto
  image: konstellation/kre-entrypoint:8.2
config:
  variables: [TOKEN]
workflows:${workflow('Typescript', 'konstellation/kre-ts:1.0', 'src/node.ts')}${workflow('Python', 'konstellation/kre-py:3.4', 'src/node.py')}
`,
    'public_input.proto': PROTO,
    'src/node.ts': TYPESCRIPT,
    'src/node.py': PYTHON,
  }
  for (const [name, content] of Object.entries(files)) await writeFile(join(dir, name), content)
}
