import { GRPC_STATUS } from '@kre/contracts/runtime'

/** `OK`, and the names of the gRPC statuses, by their number. */
const STATUS_NAMES: readonly string[] = (() => {
  const names: string[] = ['OK']
  for (const [code, status] of Object.entries(GRPC_STATUS))
    names[status] = code.toUpperCase().replaceAll('-', '_')
  return names
})()

/** Name of a gRPC status: `OK`, `DEADLINE_EXCEEDED` … */
export function statusName(status: number): string {
  return STATUS_NAMES[status] ?? 'UNKNOWN'
}
