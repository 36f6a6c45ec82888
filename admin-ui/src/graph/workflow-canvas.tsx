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
import { useEffect, useMemo, useRef, useState, type KeyboardEvent } from 'react'
import { t } from '../texts/en.ts'
import { nextNode } from './canvas-keys.ts'
import { ENTRYPOINT_ID, type WorkflowGraph } from './graph-model.ts'
import { layoutGraph, NODE_SIZE, type Place } from './layout-graph.ts'
import { MessageEdge, type MessageEdgeType } from './message-edge.tsx'
import { NodeCard, type CardNode } from './node-card.tsx'

const NODE_TYPES: NodeTypes = { card: NodeCard }
const EDGE_TYPES: EdgeTypes = { message: MessageEdge }
/** Around the drawn graph, above and below together. */
const MARGIN_PX = 150
/** After which the picture knows its new size. */
const REFIT_MS = 60
/** Of the whole picture: where that would be too small to be read, a part of it is shown. */
const FIT = { padding: 0.08, minZoom: 0.25, maxZoom: 1 } as const
/** In pixels. */
const MAP_SIZE = { width: 130, height: 84 } as const
/** From so many nodes on a small map helps. */
const MAP_NODES = 16
/** What the library says to readers of screens about nodes: its own words speak of moving and deleting them. */
const LABELS = { 'node.a11yDescription.default': t.graph.keys }

type WorkflowCanvasProps = {
  graph: WorkflowGraph
  selected: string | null
  onSelect: (id: string | null) => void
}

/** The workflow as a picture to move about in. */
export function WorkflowCanvas({ graph, selected, onSelect }: WorkflowCanvasProps) {
  const shape = JSON.stringify([graph.nodes.map(({ id }) => id), graph.edges])
  // States change by the second, the picture does not.
  const places = useMemo(() => layoutGraph(graph), [shape])
  // A choice changes one or two of them: the others stay the objects that they were, and are not drawn again.
  const cards = useMemo(() => cardsOf(graph, places), [graph, places])
  const nodes = useMemo(() => chooseCard(cards, selected), [cards, selected])
  const lines = useMemo(() => linesOf(graph), [shape])
  const edges = useMemo(
    () => lines.map((line) => (line.id === selected ? { ...line, selected: true } : line)),
    [lines, selected],
  )
  const heightPx =
    Math.max(...[...places.values()].map(({ y }) => y), 0) + NODE_SIZE.height + MARGIN_PX
  const flow = useRef<ReactFlowInstance<CardNode, MessageEdgeType> | null>(null)
  const frame = useRef<HTMLDivElement>(null)
  /** Who moved the picture has chosen what to see. */
  const wasMoved = useRef(false)
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined
    // Details take room, and windows change: the picture is put into what is left.
    const observer = new ResizeObserver(() => {
      clearTimeout(timer)
      timer = setTimeout(() => {
        if (!wasMoved.current) void flow.current?.fitView(FIT)
      }, REFIT_MS)
    })
    if (frame.current !== null) observer.observe(frame.current)
    return () => {
      observer.disconnect()
      clearTimeout(timer)
    }
  }, [])

  function keyDown(event: KeyboardEvent): void {
    const id = event.target instanceof Element ? event.target.getAttribute('data-id') : null
    if (id === null || !places.has(id)) return
    const next = nextNode(graph, places, id, event.key)
    if (event.key === 'Enter' || event.key === ' ') onSelect(id)
    else if (event.key === 'Escape') onSelect(null)
    else if (next === null) return
    else focusNode(frame.current, next)
    event.preventDefault()
  }

  return (
    <div ref={frame} className="canvas" style={{ height: heightPx }} onKeyDown={keyDown}>
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
        elementsSelectable={false}
        // They can be reached from their nodes: a hundred lines more to step through help nobody.
        edgesFocusable={false}
        deleteKeyCode={null}
        selectionKeyCode={null}
        multiSelectionKeyCode={null}
        ariaLabelConfig={LABELS}
        zoomOnScroll={false}
        panOnScroll={false}
        preventScrolling={false}
        onNodeClick={(_, { id }) => onSelect(id)}
        onEdgeClick={(_, { id }) => onSelect(id)}
        onPaneClick={() => onSelect(null)}
      >
        <Background gap={20} />
        <Controls showInteractive={false} orientation="horizontal" />
        {graph.nodes.length >= MAP_NODES && <MiniMap pannable zoomable style={MAP_SIZE} />}
      </ReactFlow>
    </div>
  )
}

function cardsOf(graph: WorkflowGraph, places: ReadonlyMap<string, Place>): CardNode[] {
  const fused = new Set(graph.edges.flatMap(({ isFused, from, to }) => (isFused ? [from, to] : [])))
  return graph.nodes.map((node) => ({
    id: node.id,
    type: 'card',
    position: places.get(node.id) ?? { x: 0, y: 0 },
    ...NODE_SIZE,
    data: { node, isFused: fused.has(node.id) },
    ariaLabel: t.graph.nodeLabel(node.name, node.status === null ? '' : t.status[node.status]),
    domAttributes: { tabIndex: -1 },
  }))
}

/** One node takes the focus of Tab: the chosen one, or the first. From there the arrows lead to the others. */
function chooseCard(cards: readonly CardNode[], selected: string | null): CardNode[] {
  const first = cards.some(({ id }) => id === selected) ? selected : ENTRYPOINT_ID
  return cards.map((card) =>
    card.id === first
      ? { ...card, selected: card.id === selected, domAttributes: { tabIndex: 0 } }
      : card,
  )
}

function linesOf(graph: WorkflowGraph): MessageEdgeType[] {
  const names = new Map(graph.nodes.map(({ id, name }) => [id, name]))
  return graph.edges.map((edge) => ({
    id: edge.id,
    type: 'message',
    source: edge.from,
    target: edge.to,
    data: { edge },
    ariaLabel: t.graph.edgeLabel(names.get(edge.from) ?? edge.from, names.get(edge.to) ?? edge.to),
  }))
}

function focusNode(frame: HTMLElement | null, id: string): void {
  const all = frame?.querySelectorAll<HTMLElement>('.react-flow__node') ?? []
  ;[...all].find((element) => element.dataset['id'] === id)?.focus()
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
