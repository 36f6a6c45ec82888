/** Every metric that `/metrics` shows, and what it says. Reports of others are dropped. */
export const METRIC_HELP: Readonly<Record<string, string>> = {
  kre_requests_total: 'Requests that ended at an entrypoint, by gRPC status.',
  kre_request_duration_seconds: 'Time from the whole request to its answer.',
  kre_request_overhead_seconds: 'Of answered requests: their time without that in handlers.',
  kre_requests_in_flight: 'Requests at entrypoints that are not answered yet.',
  kre_entrypoint_events_total: 'What happened to requests at entrypoints besides an answer.',
  kre_refusals_total: 'Requests and connections that entrypoints turned away, by reason.',
  kre_node_calls_total: 'Calls of handlers that ended.',
  kre_node_handler_seconds: 'Time in a handler.',
  kre_node_queued_messages: 'Messages that wait for a handler.',
  kre_node_in_flight_messages: 'Messages that wait, are in a handler, or are to be tried again.',
  kre_node_queue_age_seconds: 'How long the message that waits longest has waited.',
  kre_node_replicas_wanted: 'Replicas that a node shall have now; of the engine that leads.',
  kre_node_replicas_ready: 'Replicas of a node that take messages; of the engine that leads.',
  kre_node_queue_seconds: 'Time from the arrival of a message to its handler.',
  kre_node_transport_seconds:
    'Time from the sending of a message to its arrival, by the clocks of both.',
  kre_node_events_total: 'What happened to messages at nodes besides a call.',
  kre_edge_messages_total: 'Messages from a sender to a node that were handled.',
  kre_edge_transport_seconds: 'The same as kre_node_transport_seconds, by sender.',
  kre_process_resident_bytes:
    'Memory of the processes, without that of workers in other languages.',
  kre_engine_metric_reports_total: 'Reports of processes that were taken.',
  kre_engine_metric_reports_invalid_total: 'Messages on the subjects of reports that are none.',
  kre_engine_metric_series_dropped_total:
    'Values that were dropped: an unknown name, or too many series.',
  kre_engine_reporting_processes: 'Processes that reported within two minutes.',
  kre_engine_resident_bytes: 'Memory of the engine.',
  kre_nats_certificate_end_time_seconds:
    'End of the first certificate of the NATS servers to end, in seconds since 1970; there is none without TLS.',
  kre_engine_start_time_seconds: 'Start of the engine, in seconds since 1970.',
}
