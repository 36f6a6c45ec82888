{{/* Host names of all servers, with commas between them. */}}
{{- define "kre.natsHosts" -}}
{{- $name := printf "%s-nats" (include "kre.fullname" .) -}}
{{- $hosts := list -}}
{{- range until (int .Values.nats.replicas) -}}
{{- $hosts = append $hosts (printf "%s-%d.%s-peers.%s.svc" $name . $name $.Release.Namespace) -}}
{{- end -}}
{{- join "," $hosts -}}
{{- end -}}

{{/* Writes the server's configuration, with the operator's signature that a template can't make. */}}
{{- define "kre.natsConfigContainer" -}}
- name: configure
  image: {{ include "kre.image" (dict "root" . "image" .Values.engine.image) }}
  imagePullPolicy: {{ .Values.engine.image.pullPolicy }}
  command: [node, /opt/kre/nats-manager/src/cluster/main.ts, server, /run/kre/nats/nats.conf]
  workingDir: /tmp
  env:
    - name: HOME
      value: /tmp
    - name: POD_NAME
      valueFrom:
        fieldRef:
          fieldPath: metadata.name
    - name: KRE_NATS_SEEDS
      value: /run/kre/seeds
    - name: KRE_NATS_CLUSTER
      value: {{ include "kre.fullname" . }}
    - name: KRE_NATS_PEERS
      value: {{ include "kre.natsHosts" . }}
    - name: KRE_NATS_STORE
      value: /var/lib/nats/store
    {{- if .Values.nats.tls.enabled }}
    - name: KRE_NATS_TLS_DIR
      value: /run/kre/tls
    {{- end }}
  resources:
    {{- include "kre.preparingResources" . | nindent 4 }}
  securityContext:
    {{- include "kre.containerSecurity" . | nindent 4 }}
  terminationMessagePolicy: FallbackToLogsOnError
  volumeMounts:
    - name: seeds
      mountPath: /run/kre/seeds
      readOnly: true
    - name: configuration
      mountPath: /run/kre/nats
    - name: temporary
      mountPath: /tmp
{{- end -}}

{{/* As those of NATS's own chart: ready without waiting for streams whose leaders are elsewhere. */}}
{{- define "kre.natsProbes" -}}
startupProbe:
  httpGet: { path: /healthz, port: monitor }
  periodSeconds: 5
  timeoutSeconds: 5
  failureThreshold: 90
readinessProbe:
  httpGet: { path: '/healthz?js-server-only=true', port: monitor }
  periodSeconds: 5
  timeoutSeconds: 5
  failureThreshold: 3
livenessProbe:
  httpGet: { path: '/healthz?js-enabled-only=true', port: monitor }
  periodSeconds: 30
  timeoutSeconds: 5
  failureThreshold: 3
{{- end -}}
