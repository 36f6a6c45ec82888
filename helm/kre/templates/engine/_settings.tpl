{{/* How the engine runs versions on this cluster: what `KubernetesSettings` of k8s-manager reads. */}}
{{- define "kre.kubernetesSettings" -}}
{{- $v := .Values.versions -}}
{{- $settings := pick $v "drainMs" "engineAbsenceMs" "startTimeoutMs" "rollAtOnce" "resources" "scheduling" "gpu" "labels" "annotations" -}}
{{- $settings = set $settings "installation" (include "kre.fullname" .) -}}
{{- $settings = set $settings "namespace" (include "kre.versionsNamespace" .) -}}
{{- $settings = set $settings "images" (include "kre.versionImages" . | fromJson) -}}
{{- /* The engine calls entrypoints for its UI. */ -}}
{{- $callers := $v.network.callers -}}
{{- if $callers -}}
{{- $callers = append $callers (dict "namespace" (dict "kubernetes.io/metadata.name" .Release.Namespace)) -}}
{{- end -}}
{{- $settings = set $settings "network" (merge (dict "callers" $callers "nats" (include "kre.natsPeers" . | fromJsonArray) "dns" (include "kre.dnsPeer" . | fromJson)) $v.network) -}}
{{- $settings = set $settings "publish" (include "kre.publishSettings" . | fromJson) -}}
{{- with $v.python -}}
{{- $settings = set $settings "python" (dict "indexUrl" (.indexUrl | default nil) "indexCaFile" (.indexCaFile | default nil)) -}}
{{- end -}}
{{- with .Values.config.tracing -}}
{{- if .endpoint -}}
{{- $settings = set $settings "tracing" (dict "endpoint" .endpoint "sampleRatio" .ratio) -}}
{{- end -}}
{{- end -}}
{{- toPrettyJson $settings -}}
{{- end -}}

{{- define "kre.versionImages" -}}
{{- $all := .Values.versions.images -}}
{{- $images := dict "pullSecrets" .Values.imagePullSecrets "byName" $all.byName -}}
{{- range $name := list "typescript" "python" "onnx" "entrypoint" -}}
{{- $image := index $all $name -}}
{{- $images = set $images $name (printf "%s@%s" $image.repository $image.digest) -}}
{{- end -}}
{{- toJson $images -}}
{{- end -}}

{{- define "kre.publishSettings" -}}
{{- $p := .Values.versions.publish -}}
{{- $settings := dict "mode" $p.mode "annotations" $p.annotations -}}
{{- $host := $p.host | default (printf "{runtime}-entrypoint.%s" .Values.config.baseDomainName) -}}
{{- if eq $p.mode "ingress" -}}
{{- $settings = merge $settings (dict "host" $host "className" ($p.ingress.className | default nil) "tlsSecret" ($p.ingress.tlsSecret | default nil)) -}}
{{- else if eq $p.mode "gateway" -}}
{{- $settings = merge $settings (dict "host" $host "kind" $p.gateway.kind "parents" $p.gateway.parents) -}}
{{- else -}}
{{- $settings = merge $settings (dict "type" $p.service.type) -}}
{{- end -}}
{{- toJson $settings -}}
{{- end -}}

{{/* Who NATS is, for network policies. */}}
{{- define "kre.natsPeers" -}}
{{- if .Values.nats.enabled -}}
{{- $pods := include "kre.selector" (dict "root" . "component" "nats") | fromYaml -}}
{{- list (dict "namespace" (dict "kubernetes.io/metadata.name" .Release.Namespace) "pods" $pods "ports" (list 4222)) | toJson -}}
{{- else -}}
{{- toJson .Values.nats.external.peers -}}
{{- end -}}
{{- end -}}

{{/* Addresses of NATS, as pods of any namespace reach it. */}}
{{- define "kre.natsServers" -}}
{{- if .Values.nats.enabled -}}
{{- printf "%s://%s-nats.%s.svc:4222" (ternary "tls" "nats" .Values.nats.tls.enabled) (include "kre.fullname" .) .Release.Namespace -}}
{{- else -}}
{{- join "," .Values.nats.external.servers -}}
{{- end -}}
{{- end -}}

{{/* Copies of each stream: no more than there are servers. */}}
{{- define "kre.streamReplicas" -}}
{{- with .Values.nats -}}
{{- if .enabled }}{{ min .streamReplicas .replicas }}{{ else }}{{ int .streamReplicas }}{{ end -}}
{{- end -}}
{{- end -}}
