/** Path of the program, for targets that start it. */
export const NODE_RUNNER_MAIN = new URL('./main.ts', import.meta.url)
