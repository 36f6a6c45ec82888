/** Listens on the preferred port, or on a free one when it is taken, and says so. */
export async function listenPort<T>(
  what: string,
  preferred: number,
  listen: (port: number) => Promise<T>,
  say: (message: string) => void,
): Promise<T> {
  try {
    return await listen(preferred)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (preferred === 0 || (code !== 'EADDRINUSE' && code !== 'EACCES')) throw error
    say(
      `port ${preferred} is ${code === 'EACCES' ? 'not allowed' : 'taken'}: ${what} takes a free one`,
    )
    return listen(0)
  }
}
