import { readFile, writeFile } from 'node:fs/promises'

/**
 * Listens on the preferred port; when that is taken, or 0, on the one of the last time, so that an address stays what
 * it was; else on a free one. Says so when the preferred one is not to be had.
 *
 * @param memory file that remembers the port.
 */
export async function listenPort<T extends { address: string }>(
  what: string,
  preferred: number,
  memory: string,
  listen: (port: number) => Promise<T>,
  say: (message: string) => void,
): Promise<T> {
  const last = Number(await readFile(memory, 'utf8').catch(() => '0'))
  const isPort = Number.isInteger(last) && last > 0 && last <= 65_535
  const listening = await firstFree([preferred, isPort ? last : 0, 0], listen)
  const { port } = new URL(listening.address)
  if (preferred !== 0 && Number(port) !== preferred)
    say(`port ${preferred} is taken or not allowed: ${what} takes port ${port}`)
  await writeFile(memory, port, { mode: 0o600 })
  return listening
}

async function firstFree<T>(
  [port = 0, ...others]: readonly number[],
  listen: (port: number) => Promise<T>,
): Promise<T> {
  // 0 is the last resort, whatever else there is to try.
  if (port === 0 && others.some((other) => other !== 0)) return firstFree(others, listen)
  try {
    return await listen(port)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (port === 0 || (code !== 'EADDRINUSE' && code !== 'EACCES')) throw error
    return firstFree(others, listen)
  }
}
