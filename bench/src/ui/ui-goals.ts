/** What was measured beside what it should be. Pure. */
import { alignRows } from '../report/summarise.ts'
import type { Cost } from './browser-cost.ts'
import type { Clicks } from './measure-clicks.ts'
import type { FirstLoad } from './measure-first-load.ts'
import type { Heap } from './measure-heap.ts'
import type { LogFigures } from './measure-logs.ts'

export type UiFigures = {
  readonly load: FirstLoad
  readonly graph: Cost
  readonly clicks: Clicks
  readonly heap: Heap
  readonly logs: LogFigures
}

const KIB = 1024
/** Growth of less time than that is noise. */
const MINUTES_MIN = 3

/** Lines for people: the figure, the goal, and whether it is met; figures without a goal explain the others. */
export function goalRows({ load, graph, clicks, heap, logs }: UiFigures): string[] {
  const row = (name: string, value: string, goal = '', isMet = true): string[] => [
    name,
    value,
    goal,
    goal === '' ? '' : isMet ? 'met' : 'MISSED',
  ]
  const percent = (share: number): string => `${(share * 100).toFixed(1)} %`
  const ms = (value: number): string => `${value.toFixed(0)} ms`
  const { scrolled, control } = logs
  const kib = load.scriptBytes / KIB
  return alignRows([
    row('first load, script as sent', `${kib.toFixed(1)} KiB`, '<= 200 KiB', kib <= 200),
    row('first load, usable after', ms(load.usableMs), '<= 1000 ms', load.usableMs <= 1000),
    row('graph, main thread', percent(graph.mainThread), '< 30 %', graph.mainThread < 0.3),
    row('graph, all processes of the browser', percent(graph.allProcesses)),
    row('graph, of it script', percent(graph.script)),
    row('graph, of it style and layout', percent(graph.style + graph.layout)),
    row('click on a node, median', ms(clicks.p50Ms), '<= 100 ms', clicks.p50Ms <= 100),
    row('click on a node, longest', ms(clicks.maxMs), '<= 100 ms', clicks.maxMs <= 100),
    row('click on a node, processor time', ms(clicks.cpuMs)),
    row(
      'heap at the beginning and end',
      `${heap.firstMiB.toFixed(2)}, ${heap.lastMiB.toFixed(2)} MiB`,
    ),
    row(
      'heap, growth per hour',
      `${heap.growthMiBPerHour.toFixed(2)} MiB`,
      heap.minutes < MINUTES_MIN ? '' : '<= 2 MiB',
      heap.growthMiBPerHour <= 2,
    ),
    row('DOM nodes at the beginning and end', `${heap.domNodesFirst}, ${heap.domNodesLast}`),
    row('listeners at the beginning and end', `${heap.listenersFirst}, ${heap.listenersLast}`),
    row('log, lines', String(logs.lines)),
    row(
      'log, drawings while scrolling; of an empty page',
      `${scrolled.drawings}; ${control.drawings}`,
    ),
    row('log, processor time of a drawing', `${scrolled.cpuMsPerDrawing.toFixed(1)} ms`),
    row(
      'log, between two drawings, p95; empty page',
      `${ms(scrolled.frameP95Ms)}; ${ms(control.frameP95Ms)}`,
    ),
    row(
      'log, tasks above 100 ms while scrolling; empty page',
      `${scrolled.longTasks}; ${control.longTasks}`,
      'no more than without a log',
      scrolled.longTasks <= control.longTasks,
    ),
    row('log, longest task while scrolling', ms(scrolled.longestTaskMs)),
    row('log, details of a line of 10 MB', ms(logs.hugeLineMs)),
  ])
}
