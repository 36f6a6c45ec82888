/**
 * A file that is dropped where nothing takes one would take the place of the page, with all that was typed on it.
 * What takes files has said so before an event gets here.
 */
export function guardDrops(): void {
  const refuse = (event: DragEvent): void => {
    const { target, dataTransfer, defaultPrevented } = event
    const isInput = target instanceof HTMLInputElement && target.type === 'file'
    if (defaultPrevented || isInput || dataTransfer === null) return
    if (!dataTransfer.types.includes('Files')) return
    event.preventDefault()
    dataTransfer.dropEffect = 'none'
  }
  document.documentElement.addEventListener('dragover', refuse)
  document.documentElement.addEventListener('drop', refuse)
}
