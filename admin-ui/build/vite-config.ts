import { fileURLToPath } from 'node:url'
import type { InlineConfig } from 'vite'

/** The folder of this package. */
export const uiRoot = fileURLToPath(new URL('..', import.meta.url))

/** What the build and the development server share. Addresses are relative, so that the UI works below any path. */
export const viteConfig: InlineConfig = {
  configFile: false,
  root: uiRoot,
  base: './',
  clearScreen: false,
  oxc: { jsx: { runtime: 'automatic' } },
  build: {
    target: 'es2023',
    // Inlined files would need `data:` in the content security policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    chunkSizeWarningLimit: 600,
    rolldownOptions: {
      onLog(level, log, report) {
        // Libraries say so to servers that render; there is none here.
        if (log.code !== 'MODULE_LEVEL_DIRECTIVE') report(level, log)
      },
    },
  },
}
