export { processStartTime } from './process-start-time.ts'
export { untilReaped } from './until-reaped.ts'
