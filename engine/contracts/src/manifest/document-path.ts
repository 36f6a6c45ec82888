/** Place of a value in the manifest: keys of maps and indexes of lists, from the root. */
export type DocumentPath = readonly (string | number)[]

const PLAIN_KEY = /^[A-Za-z_][A-Za-z0-9_-]*$/

/** `workflows[0].nodes[1].name`; keys that are no plain words are quoted: `config.defaults["a b"]`. */
export function formatPath(path: DocumentPath): string {
  let text = ''
  for (const step of path) {
    if (typeof step === 'number') text += `[${step}]`
    else if (!PLAIN_KEY.test(step)) text += `[${JSON.stringify(step)}]`
    else text += text === '' ? step : `.${step}`
  }
  return text
}
