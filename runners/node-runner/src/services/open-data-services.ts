import type { createDataServices, DataServices } from './data-services.ts'

/** Opens the services with the first call: their checks bring a schema library that most nodes never need. */
export function openDataServices(...deps: Parameters<typeof createDataServices>): DataServices {
  let opened: Promise<DataServices> | null = null
  return async (...call) => {
    opened ??= import('./data-services.ts').then((module) => module.createDataServices(...deps))
    return (await opened)(...call)
  }
}
