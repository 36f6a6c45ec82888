{{/* Makes the keys that the engine signs accounts of NATS with, out of random bytes: a template can't. */}}
{{- define "kre.natsKeysContainer" -}}
- name: nats-keys
  image: {{ include "kre.image" (dict "root" . "image" .Values.engine.image) }}
  imagePullPolicy: {{ .Values.engine.image.pullPolicy }}
  command: [node, /opt/kre/nats-manager/src/cluster/main.ts, keys, /run/kre/nats/keys.json]
  workingDir: /tmp
  env:
    - name: HOME
      value: /tmp
    - name: KRE_NATS_SEEDS
      value: /run/kre/seeds
  resources:
    {{- include "kre.preparingResources" . | nindent 4 }}
  securityContext:
    {{- include "kre.containerSecurity" . | nindent 4 }}
  terminationMessagePolicy: FallbackToLogsOnError
  volumeMounts:
    - name: nats-seeds
      mountPath: /run/kre/seeds
      readOnly: true
    - name: nats-keys
      mountPath: /run/kre/nats
    - name: temporary
      mountPath: /tmp
{{- end -}}

{{/* Of containers that write one file and end. */}}
{{- define "kre.preparingResources" -}}
requests: { cpu: 50m, memory: 128Mi }
limits: { cpu: "1", memory: 256Mi }
{{- end -}}

{{/* The API answers under its own host names alone, and a probe comes by the pod's address. */}}
{{- define "kre.engineProbe" -}}
httpGet:
  path: /healthz
  port: http
  httpHeaders:
    - name: Host
      value: localhost
{{- end -}}

{{- define "kre.engineProbes" -}}
startupProbe:
  {{- include "kre.engineProbe" . | nindent 2 }}
  periodSeconds: 2
  timeoutSeconds: 2
  # A first start changes indexes of the database.
  failureThreshold: 150
readinessProbe:
  {{- include "kre.engineProbe" . | nindent 2 }}
  periodSeconds: 5
  timeoutSeconds: 3
  failureThreshold: 2
livenessProbe:
  {{- include "kre.engineProbe" . | nindent 2 }}
  periodSeconds: 10
  timeoutSeconds: 5
  failureThreshold: 6
{{- end -}}
