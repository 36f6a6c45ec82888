{{/* How the engine speaks TLS to NATS. Its own keys are for it alone: what versions need it gives them itself. */}}
{{- define "kre.natsTlsEnvironment" -}}
{{- $dir := "/run/kre/nats-tls" -}}
{{- if .Values.nats.enabled -}}
{{- if .Values.nats.tls.enabled }}
- name: KRE_NATS_TLS_CA_FILE
  value: {{ $dir }}/ca/ca.crt
# Servers notice newer certificates only when they are told to look.
- name: KRE_NATS_RELOAD_MS
  value: "3600000"
{{- end }}
{{- else -}}
{{- with .Values.nats.external.tls }}
{{- if .ca.secretName }}
- name: KRE_NATS_TLS_CA_FILE
  value: {{ $dir }}/ca/ca.crt
{{- end }}
{{- if .clientCertSecret }}
- name: KRE_NATS_TLS_CERT_FILE
  value: {{ $dir }}/engine/tls.crt
- name: KRE_NATS_TLS_KEY_FILE
  value: {{ $dir }}/engine/tls.key
{{- end }}
{{- if .versionsCertSecret }}
- name: KRE_NATS_TLS_VERSIONS_CERT_FILE
  value: {{ $dir }}/versions/tls.crt
- name: KRE_NATS_TLS_VERSIONS_KEY_FILE
  value: {{ $dir }}/versions/tls.key
{{- end }}
{{- if .serverName }}
- name: KRE_NATS_TLS_SERVER_NAME
  value: {{ .serverName | quote }}
{{- end }}
{{- if .handshakeFirst }}
- name: KRE_NATS_TLS_HANDSHAKE_FIRST
  value: "true"
{{- end }}
{{- end }}
{{- end -}}
{{- end -}}

{{/* Sources of the volume with these files; empty = there is none. */}}
{{- define "kre.natsTlsSources" -}}
{{- if .Values.nats.enabled -}}
{{- if .Values.nats.tls.enabled -}}
- secret:
    name: {{ include "kre.natsTlsSecret" . | quote }}
    items: [{ key: ca.crt, path: ca/ca.crt }]
{{- end -}}
{{- else -}}
{{- with .Values.nats.external.tls -}}
{{- if .ca.secretName }}
- secret:
    name: {{ .ca.secretName | quote }}
    items: [{ key: {{ .ca.secretKey }}, path: ca/ca.crt }]
{{- end }}
{{- if .clientCertSecret }}
- secret:
    name: {{ .clientCertSecret | quote }}
    items: [{ key: tls.crt, path: engine/tls.crt }, { key: tls.key, path: engine/tls.key }]
{{- end }}
{{- if .versionsCertSecret }}
- secret:
    name: {{ .versionsCertSecret | quote }}
    items: [{ key: tls.crt, path: versions/tls.crt }, { key: tls.key, path: versions/tls.key }]
{{- end }}
{{- end -}}
{{- end -}}
{{- end -}}
