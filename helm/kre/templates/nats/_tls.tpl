{{/* Secret with the certificate of the chart's servers: tls.crt, tls.key, and ca.crt of who signed it. */}}
{{- define "kre.natsTlsSecret" -}}
{{- .Values.nats.tls.secretName | default (printf "%s-nats-tls" (include "kre.fullname" .)) -}}
{{- end -}}

{{/* Host names by which clients and the other servers reach the chart's servers. */}}
{{- define "kre.natsNames" -}}
{{- $name := printf "%s-nats" (include "kre.fullname" .) -}}
{{- $namespace := .Release.Namespace -}}
- {{ $name }}
- {{ $name }}.{{ $namespace }}
- {{ $name }}.{{ $namespace }}.svc
- '*.{{ $name }}-peers.{{ $namespace }}.svc'
{{- end -}}
