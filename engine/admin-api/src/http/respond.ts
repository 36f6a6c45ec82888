import { createHash } from 'node:crypto'
import type { ServerResponse } from 'node:http'
import type { KreError } from '@kre/contracts'
import type { Html } from './html.ts'
import { problemAnswer } from './http-problem.ts'

/** On every answer, whatever it is. `same-origin` rather than no referrer: forms would lose their Origin header. */
export const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  'Content-Security-Policy': "default-src 'none'; base-uri 'none'; frame-ancestors 'none'",
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Cache-Control': 'no-store',
  'Referrer-Policy': 'same-origin',
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
}

/** The one style of our pages, allowed by its hash. */
const STYLE =
  'body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:3rem auto;padding:0 1rem;color:#1b1f24;background:#fff}' +
  'table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:.35rem .75rem .35rem 0;border-bottom:1px solid #d8dee4}' +
  'button{font:inherit;padding:.5rem 1.25rem}code{font-family:ui-monospace,monospace}'
const STYLE_HASH = createHash('sha256').update(STYLE).digest('base64')
const PAGE_POLICY = `default-src 'none'; style-src 'sha256-${STYLE_HASH}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'`

export function sendJson(
  res: ServerResponse,
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): void {
  send(res, status, `${JSON.stringify(body)}\n`, {
    'Content-Type': 'application/json; charset=utf-8',
    ...headers,
  })
}

export function sendText(
  res: ServerResponse,
  status: number,
  contentType: string,
  text: string,
): void {
  send(res, status, text, { 'Content-Type': contentType })
}

/** A page without scripts: `body` goes into a frame with the title and the style. */
export function sendPage(
  res: ServerResponse,
  status: number,
  title: Html,
  body: Html,
  headers: Readonly<Record<string, string>> = {},
): void {
  const page = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title.html}</title>
<style>${STYLE}</style>
</head>
<body>
<h1>${title.html}</h1>
${body.html}
</body>
</html>
`
  send(res, status, page, {
    'Content-Type': 'text/html; charset=utf-8',
    'Content-Security-Policy': PAGE_POLICY,
    ...headers,
  })
}

export function sendRedirect(
  res: ServerResponse,
  location: string,
  headers: Readonly<Record<string, string>>,
): void {
  send(res, 303, '', { Location: location, ...headers })
}

/** Answers with the failure, unless an answer is on its way already: then the connection is cut. */
export function sendProblem(res: ServerResponse, error: KreError, requestId: string): void {
  if (res.headersSent) {
    res.destroy()
    return
  }
  const { status, headers, body } = problemAnswer(error, requestId)
  sendJson(res, status, body, headers)
}

function send(
  res: ServerResponse,
  status: number,
  body: string,
  headers: Readonly<Record<string, string>>,
): void {
  res.writeHead(status, { ...headers, 'Content-Length': Buffer.byteLength(body) })
  res.end(body)
}
