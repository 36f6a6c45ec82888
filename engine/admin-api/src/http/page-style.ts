import { createHash } from 'node:crypto'

/** Colours as the admin UI has them, light and dark. */
const LINE = 'light-dark(#d9dee5,#303947)'
const FAINT_LINE = 'light-dark(#7d8896,#77859a)'
const ACCENT = 'light-dark(#2456b8,#86aef5)'

/** The one style of the pages that the engine makes itself. */
export const PAGE_STYLE = [
  ':root{color-scheme:light dark}',
  'body{margin:0;min-height:100vh;display:grid;place-items:center;background:light-dark(#f5f6f8,#0f1318);color:light-dark(#1b222c,#e4e9f0);',
  "font:14px/1.5 Inter,-apple-system,'Segoe UI',Roboto,'Noto Sans','Liberation Sans',system-ui,sans-serif}",
  `main{box-sizing:border-box;min-width:min(400px,100vw - 28px);max-width:min(60rem,100vw - 28px);margin:14px 0;padding:28px 32px 18px;background:light-dark(#fff,#171c24);border:1px solid ${LINE};border-radius:12px;overflow-wrap:anywhere}`,
  'h1{font-size:21px;line-height:1.3;margin:0 0 12px}p{margin:0 0 14px}',
  `table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:.35rem .75rem .35rem 0;border-bottom:1px solid ${LINE}}`,
  'button{font:inherit;font-weight:500;min-height:38px;margin:0 0 14px;padding:5px 20px;border:0;border-radius:6px;background:light-dark(#2456b8,#2f62c4);color:#fff;cursor:pointer}',
  `input{display:block;box-sizing:border-box;width:100%;min-height:38px;margin-top:4px;padding:5px 9px;font:inherit;color:inherit;background:none;border:1px solid ${FAINT_LINE};border-radius:6px}`,
  `a{color:${ACCENT}}:focus-visible{outline:2px solid ${ACCENT};outline-offset:2px}`,
  "code{font-family:ui-monospace,'SF Mono',Menlo,Consolas,'DejaVu Sans Mono',monospace;font-size:.93em}",
].join('')

/** Of these pages: they load nothing, and run nothing; the style is allowed by its hash. */
export const PAGE_POLICY = `default-src 'none'; style-src 'sha256-${createHash('sha256').update(PAGE_STYLE).digest('base64')}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'`
