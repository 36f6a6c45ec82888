import '@xyflow/react/dist/style.css'
import '../style/graph.css'
import {
  Background,
  Controls,
  MiniMap,
  ReactFlow,
  type ReactFlowInstance,
  type EdgeTypes,
  type NodeTypes,
} from '@xyflow/react'
import { useEffect, useMemo, useRef, useState } from 'react'
import { t } from '../texts/en.ts'
import type { Store } from '../ui/store.ts'
import { GraphProvider } from './graph-context.ts'
import type { WorkflowGraph } from './graph-model.ts'
import { layoutGraph, NODE_SIZE } from './layout-graph.ts'
import { MessageEdge, type MessageEdgeType } from './message-edge.tsx'
import { NodeCard, type CardNode } from './node-card.tsx'
import type { TrafficView } from './traffic.ts'

const NODE_TYPES: NodeTypes = { card: NodeCard }
const EDGE_TYPES: EdgeTypes = { message: MessageEdge }
/** Around the drawn graph, above and below together. */
const MARGIN_PX = 150
/** After which the picture knows its new size. */
const REFIT_MS = 60
const FIT = { padding: 0.08, maxZoom: 1 } as const
/** In pixels. */
const MAP_SIZE = { width: 130, height: 84 } as const
/** From so many nodes on a small map helps. */
const MAP_NODES = 16

type WorkflowCanvasProps = {
  workflowId: string
  graph: WorkflowGraph
  traffic: Store<TrafficView>
  selected: string | null
  onSelect: (id: string | null) => void
}

/** The workflow as a picture to move about in. */
export function WorkflowCanvas({
  workflowId,
  graph,
  traffic,
  selected,
  onSelect,
}: WorkflowCanvasProps) {
  const shape = JSON.stringify([graph.nodes.map(({ id }) => id), graph.edges])
  // States change by the second, the picture does not.
  const places = useMemo(() => layoutGraph(graph), [shape])
  const nodes = useMemo(
    () =>
      graph.nodes.map((node): CardNode => ({
        id: node.id,
        type: 'card',
        position: places.get(node.id) ?? { x: 0, y: 0 },
        ...NODE_SIZE,
        data: { node },
        selected: node.id === selected,
        ariaLabel: t.graph.nodeLabel(node.name, node.status === null ? '' : t.status[node.status]),
      })),
    [graph, places, selected],
  )
  const edges = useMemo(
    () =>
      graph.edges.map((edge): MessageEdgeType => ({
        id: edge.id,
        type: 'message',
        source: edge.from,
        target: edge.to,
        data: { edge },
        selected: edge.id === selected,
        ariaLabel: t.graph.edgeLabel(edge.from, edge.to),
      })),
    [shape, selected],
  )
  const heightPx =
    Math.max(...[...places.values()].map(({ y }) => y), 0) + NODE_SIZE.height + MARGIN_PX
  const context = useMemo(() => ({ workflowId, traffic }), [workflowId, traffic])
  const flow = useRef<ReactFlowInstance<CardNode, MessageEdgeType> | null>(null)
  /** Who moved the picture has chosen what to see. */
  const wasMoved = useRef(false)
  const hasDetails = selected !== null
  useEffect(() => {
    // The details take room: after they are drawn the picture is put into what is left.
    const timer = setTimeout(() => {
      if (!wasMoved.current) void flow.current?.fitView(FIT)
    }, REFIT_MS)
    return () => clearTimeout(timer)
  }, [hasDetails])
  return (
    <GraphProvider value={context}>
      <div className="canvas" style={{ height: heightPx }}>
        <ReactFlow
          key={shape}
          nodes={nodes}
          edges={edges}
          nodeTypes={NODE_TYPES}
          edgeTypes={EDGE_TYPES}
          colorMode={useColorMode()}
          fitView
          fitViewOptions={FIT}
          onInit={(instance) => {
            flow.current = instance
          }}
          onMove={(event) => {
            if (event !== null) wasMoved.current = true
          }}
          minZoom={0.1}
          maxZoom={1.5}
          nodesDraggable={false}
          nodesConnectable={false}
          edgesFocusable
          zoomOnScroll={false}
          panOnScroll={false}
          preventScrolling={false}
          onNodeClick={(_, { id }) => onSelect(id)}
          onEdgeClick={(_, { id }) => onSelect(id)}
          onPaneClick={() => onSelect(null)}
          onSelectionChange={({ nodes: chosen, edges: lines }) => {
            // The keyboard selects, too.
            const id = chosen[0]?.id ?? lines[0]?.id
            if (id !== undefined && id !== selected) onSelect(id)
          }}
        >
          <Background gap={20} />
          <Controls showInteractive={false} />
          {graph.nodes.length >= MAP_NODES && <MiniMap pannable zoomable style={MAP_SIZE} />}
        </ReactFlow>
      </div>
    </GraphProvider>
  )
}

/** The library draws its own controls in the theme that the page shows. */
function useColorMode(): 'light' | 'dark' {
  const read = () => (document.documentElement.dataset['theme'] === 'dark' ? 'dark' : 'light')
  const [mode, setMode] = useState<'light' | 'dark'>(read)
  useEffect(() => {
    const observer = new MutationObserver(() => setMode(read()))
    observer.observe(document.documentElement, { attributeFilter: ['data-theme'] })
    return () => observer.disconnect()
  }, [])
  return mode
}
