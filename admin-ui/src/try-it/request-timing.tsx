import { useEffect, useState } from 'react'
import { Link } from 'wouter'
import { runOperation } from '../api/run-operation.ts'
import { RequestWaterfall, type RequestWaterfallResult } from '../gen/documents.ts'
import { paths } from '../path-builder.ts'
import { t } from '../texts/en.ts'
import { formatMs } from '../ui/format.ts'

/** Nodes tell their steps about a second after the request. */
const LOOKS_MAX = 6
const LOOK_MS = 700

type KeptRequest = NonNullable<RequestWaterfallResult['request']>
type RequestTimingProps = { runtimeId: string; versionName: string; id: string }

/** Where the time of a call went, once the engine knows. */
export function RequestTiming({ runtimeId, versionName, id }: RequestTimingProps) {
  const [request, setRequest] = useState<KeptRequest | null | 'looking'>('looking')
  useEffect(() => {
    const controller = new AbortController()
    void findSteps(runtimeId, id, controller.signal).then((found) => {
      if (!controller.signal.aborted) setRequest(found)
    })
    return () => controller.abort()
  }, [runtimeId, id])
  if (request === 'looking') return <p className="faint">{t.tryIt.lookingForSteps}</p>
  if (request === null) return <p className="faint">{t.tryIt.noSteps}</p>
  return (
    <>
      <p>{t.tryIt.timing(formatMs(request.handlerMs), formatMs(request.overheadMs))}</p>
      <ol className="timing" aria-label={t.tryIt.nodes}>
        {request.steps.map((step, index) => (
          <li key={index}>
            <code>{step.nodeId}</code> <span className="number">{formatMs(step.handlerMs)}</span>
            {!step.ok && <span className="bad"> {t.requests.handlerFailed}</span>}
          </li>
        ))}
      </ol>
      <p>
        <Link href={paths.request(runtimeId, versionName, id)}>{t.tryIt.waterfall}</Link>
      </p>
    </>
  )
}

async function findSteps(
  runtimeId: string,
  id: string,
  signal: AbortSignal,
): Promise<KeptRequest | null> {
  let found: KeptRequest | null = null
  for (let look = 0; look < LOOKS_MAX && !signal.aborted; look++) {
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS))
    found = await runOperation(RequestWaterfall, { runtimeId, id }, signal).then(
      ({ request }) => request,
      () => null, // the call itself is what counts
    )
    if (found !== null && found.steps.length > 0) return found
  }
  return found
}
