import type { IncomingMessage, ServerResponse } from 'node:http'
import type { KreError } from '@kre/contracts'
import { html, type Html } from './html.ts'
import { problemAnswer } from './http-problem.ts'
import { PAGE_POLICY, PAGE_STYLE } from './page-style.ts'

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
<style>${PAGE_STYLE}</style>
</head>
<body>
<main>
<h1>${title.html}</h1>
${body.html}
</main>
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

/**
 * Answers with the failure, as a page to people and as JSON to programs; unless an answer is on its way already: then
 * the connection is cut.
 */
export function sendProblem(
  { headers: asked, url = '' }: Pick<IncomingMessage, 'headers' | 'url'>,
  res: ServerResponse,
  error: KreError,
  requestId: string,
): void {
  if (res.headersSent) {
    res.destroy()
    return
  }
  const { status, headers, body } = problemAnswer(error, requestId)
  // Scripts ask for anything, or for JSON.
  if (!(asked.accept ?? '').includes('text/html')) {
    sendJson(res, status, body, headers)
    return
  }
  const depth = url.split('?', 1)[0]?.split('/').length ?? 0
  // To the root, also where a proxy puts a path in front.
  const home = '../'.repeat(Math.max(0, depth - 2)) || './'
  sendPage(
    res,
    status,
    html`That did not work`,
    html`<p>${body.message}.</p>
      <p><a href="${home}">Go to KRE</a></p>
      <p>Request <code>${requestId}</code></p>`,
    headers,
  )
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
