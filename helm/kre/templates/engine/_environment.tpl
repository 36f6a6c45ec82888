{{/* Environment of the engine. What is secret comes from Secrets, what is long from files. */}}
{{- define "kre.engineEnvironment" -}}
{{- $c := .Values.config -}}
- name: HOME
  value: /tmp
- name: KRE_ENGINE_NAME
  valueFrom:
    fieldRef:
      fieldPath: metadata.name
- name: KRE_DATA
  value: /var/lib/kre/engine
- name: KRE_LOG_LEVEL
  value: {{ .Values.engine.logLevel }}
- name: KRE_ADMIN_HOST
  value: {{ .Values.engine.listen | quote }}
- name: KRE_ADMIN_PORT
  value: "4000"
- name: KRE_TARGET
  value: kubernetes
- name: KRE_KUBERNETES_FILE
  value: /etc/kre/kubernetes.json
- name: KRE_NATS_URL
  value: {{ include "kre.natsServers" . | quote }}
- name: KRE_NATS_KEYS_FILE
  value: /run/kre/nats/keys.json
- name: KRE_NATS_REPLICAS
  value: {{ include "kre.streamReplicas" . | quote }}
{{- include "kre.natsTlsEnvironment" . }}
- name: KRE_ADMIN_FRONTEND_BASE_URL
  value: {{ $c.admin.frontendBaseURL | quote }}
- name: KRE_TRUSTED_PROXIES
  value: {{ join "," $c.admin.trustedProxies | quote }}
- name: KRE_GRAPHQL_UPLOADS
  value: {{ $c.admin.graphqlUploads | quote }}
- name: KRE_CORS_ORIGINS
  value: {{ join "," $c.corsOrigins | quote }}
- name: KRE_MONGODB_URI
  valueFrom:
    secretKeyRef:
      name: {{ $c.mongodb.connectionString.secretName | quote }}
      key: {{ $c.mongodb.connectionString.secretKey }}
- name: KRE_MONGODB_PREFIX
  value: {{ $c.mongodb.databasePrefix | quote }}
- name: KRE_MASTER_KEY_FILE
  value: /run/kre/keys/master-key
- name: KRE_PEPPER_FILE
  value: /run/kre/keys/pepper
- name: KRE_TOKEN_FILE
  value: /run/kre/keys/token
- name: KRE_ENTRYPOINT_WORKERS
  value: {{ int64 .Values.versions.entrypointReplicas | quote }}
- name: KRE_REQUEST_TIMEOUT_MS
  value: {{ int64 $c.requestTimeoutMs | quote }}
- name: KRE_PAYLOAD_BYTES_MAX
  value: {{ int64 $c.payloadBytesMax | quote }}
- name: KRE_LOG_DAYS
  value: {{ $c.logDays | quote }}
{{- if not (kindIs "invalid" $c.auditDays) }}
- name: KRE_AUDIT_DAYS
  value: {{ $c.auditDays | quote }}
{{- end }}
{{- if $c.tracing.endpoint }}
- name: KRE_OTLP_ENDPOINT
  value: {{ $c.tracing.endpoint | quote }}
- name: KRE_TRACE_RATIO
  value: {{ $c.tracing.ratio | quote }}
{{- end }}
{{- if $c.smtp.enabled }}
{{- include "kre.smtpEnvironment" $c.smtp | nindent 0 }}
{{- end }}
{{- if $c.oidc.issuer }}
{{- include "kre.oidcEnvironment" $c.oidc | nindent 0 }}
{{- end }}
{{- with .Values.engine.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "kre.smtpEnvironment" -}}
- name: KRE_SMTP_ENABLED
  value: "true"
- name: KRE_SMTP_HOST
  value: {{ .host | quote }}
- name: KRE_SMTP_PORT
  value: {{ int64 .port | quote }}
- name: KRE_SMTP_SENDER
  value: {{ .sender | quote }}
- name: KRE_SMTP_SENDER_NAME
  value: {{ .senderName | quote }}
{{- with .credentials }}
{{- if .secretName }}
- name: KRE_SMTP_USER
  valueFrom:
    secretKeyRef:
      name: {{ .secretName | quote }}
      key: {{ .userKey }}
- name: KRE_SMTP_PASS
  valueFrom:
    secretKeyRef:
      name: {{ .secretName | quote }}
      key: {{ .passKey }}
{{- end }}
{{- end }}
{{- end -}}

{{- define "kre.oidcEnvironment" -}}
- name: KRE_OIDC_ISSUER
  value: {{ .issuer | quote }}
- name: KRE_OIDC_CLIENT_ID
  value: {{ .clientId | quote }}
{{- if .clientSecret.secretName }}
- name: KRE_OIDC_CLIENT_SECRET
  valueFrom:
    secretKeyRef:
      name: {{ .clientSecret.secretName | quote }}
      key: {{ .clientSecret.secretKey }}
{{- end }}
{{- end -}}
