/** What happened to messages that did not take the straight way. Each only grows. */
export type Counters = ReturnType<typeof createCounters>

export function createCounters() {
  return {
    /** Not an envelope. */
    corrupt: 0,
    /** Past their deadline before a handler saw them. */
    expired: 0,
    /** Dropped because the caller has gone. */
    cancelled: 0,
    /** Refused because the queue was full, or because they would have waited for too long. */
    refused: 0,
    /** Given to another replica, which had a free slot. */
    handedOver: 0,
    /** Handlers that were still at work at their deadline. */
    overdue: 0,
    /** Outputs of calls that were over. */
    lateOutputs: 0,
    /** Outputs that no node of the graph listens to. */
    unheardOutputs: 0,
    /** Messages sent again because no replica of the next node was there. */
    bounces: 0,
    /** Messages that bounced and could not be sent again, because the broker did not read. */
    lostMessages: 0,
    retries: 0,
    droppedLogs: 0,
  }
}
