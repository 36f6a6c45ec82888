/** Manifests as text, for tests that change a line of one and look what is said about it. */
import { parseManifest, type ManifestContext } from '../parse-manifest.ts'

/** The README's sample of the first generation, byte for byte. */
export const SEED_SAMPLE = `version: my-project-v1
description: This is the new version that solves some problems.
entrypoint:
  proto: public_input.proto
  image: konstellation/kre-runtime-entrypoint:latest

config:
  variables:
    - API_KEY
    - API_SECRET
  files:
    - HTTPS_CERT

nodes:
  - name: ETL
    image: konstellation/kre-py:latest
    src: src/etl/execute_etl.py

  - name: Execute DL Model
    image: konstellation/kre-py:latest
    src: src/execute_model/execute_model.py

  - name: Create Output
    image: konstellation/kre-py:latest
    src: src/output/output.py

  - name: Client Metrics
    image: konstellation/kre-py:latest
    src: src/client_metrics/client_metrics.py

workflows:
  - name: New prediction
    entrypoint: MakePrediction
    sequential:
      - ETL
      - Execute DL Model
      - Create Output
  - name: Save Client Metrics
    entrypoint: SaveClientMetric
    sequential:
      - Client Metrics
`

/** A linear manifest about which there is nothing to say. */
export const LINEAR = SEED_SAMPLE.replaceAll(':latest', ':1.0')

/** A graph about which there is nothing to say. */
export const GRAPH = `krtVersion: v2
version: demo-v1
description: A demo.
entrypoint:
  proto: public_input.proto
  image: konstellation/kre-entrypoint:1.0
config:
  variables:
    - API_KEY
  files:
    - CERT
workflows:
  - name: intake
    entrypoint: Classify
    exitpoint: reply
    nodes:
      - name: prepare
        image: konstellation/kre-ts:1.0
        src: src/prepare.ts
        subscriptions: [entrypoint]
      - name: score
        image: konstellation/kre-py:1.0
        src: src/score.py
        subscriptions: [prepare]
      - name: reply
        image: konstellation/kre-ts:1.0
        src: src/reply.ts
        subscriptions: [score]
`

export const GRAPH_FILES: ReadonlySet<string> = new Set([
  'kre.yaml',
  'public_input.proto',
  'src/prepare.ts',
  'src/score.py',
  'src/reply.ts',
])

/** `text` with its first `from` replaced; throws when there is none, so that no test checks an unchanged text. */
export function edit(
  text: string,
  ...changes: readonly (readonly [from: string, to: string])[]
): string {
  let edited = text
  for (const [from, to] of changes) {
    if (!edited.includes(from)) throw new Error(`the sample has no ${JSON.stringify(from)}`)
    edited = edited.replace(from, () => to)
  }
  return edited
}

/** `12:11 error CODE`, one for each issue. */
export function verdict(text: string, context: Partial<ManifestContext> = {}): string[] {
  return parseManifest(text, { file: 'kre.yaml', ...context }).issues.map(
    (issue) => `${issue.line}:${issue.column} ${issue.level} ${issue.code}`,
  )
}

/** The codes alone, once each. */
export function codes(text: string, context: Partial<ManifestContext> = {}): string[] {
  const { issues } = parseManifest(text, { file: 'kre.yaml', ...context })
  return [...new Set(issues.map((issue) => issue.code))]
}
