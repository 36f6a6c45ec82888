{{/* Names and labels of objects. */}}

{{- define "kre.name" -}}
{{- .Values.nameOverride | default .Chart.Name | trunc 40 | trimSuffix "-" -}}
{{- end -}}

{{/* At most 40 characters: the longest suffix and a pod's own leave room in 63. */}}
{{- define "kre.fullname" -}}
{{- $name := include "kre.name" . -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- else if contains $name .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{/* What pods are selected by; never changes. Takes { root, component }. */}}
{{- define "kre.selector" -}}
app.kubernetes.io/name: {{ include "kre.name" .root | quote }}
app.kubernetes.io/instance: {{ .root.Release.Name | quote }}
app.kubernetes.io/component: {{ .component }}
{{- end -}}

{{/* Takes { root, component }. */}}
{{- define "kre.labels" -}}
{{ include "kre.selector" . }}
app.kubernetes.io/part-of: kre
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{- with .root.Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* Of pods: nothing that changes with the chart alone, or an upgrade would restart them for it. */}}
{{- define "kre.podLabels" -}}
{{ include "kre.selector" . }}
app.kubernetes.io/part-of: kre
{{- with .root.Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "kre.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- .Values.serviceAccount.name | default (printf "%s-engine" (include "kre.fullname" .)) -}}
{{- else -}}
{{- .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{- define "kre.versionsNamespace" -}}
{{- .Values.versions.namespace | default .Release.Namespace -}}
{{- end -}}

{{- define "kre.keysSecret" -}}
{{- .Values.config.keys.existingSecret | default (printf "%s-keys" (include "kre.fullname" .)) -}}
{{- end -}}

{{- define "kre.natsKeysSecret" -}}
{{- .Values.nats.keys.existingSecret | default (printf "%s-nats-keys" (include "kre.fullname" .)) -}}
{{- end -}}

{{/* Host of config.admin.frontendBaseURL, without its port. */}}
{{- define "kre.host" -}}
{{- $url := urlParse .Values.config.admin.frontendBaseURL -}}
{{- regexReplaceAll ":[0-9]+$" $url.host "" -}}
{{- end -}}

{{/* Path of config.admin.frontendBaseURL, with which a proxy's requests begin. */}}
{{- define "kre.path" -}}
{{- (urlParse .Values.config.admin.frontendBaseURL).path | trimSuffix "/" | default "/" -}}
{{- end -}}

{{- define "kre.tlsSecret" -}}
{{- .Values.ingress.tls.secretName | default (printf "%s-tls" (include "kre.fullname" .)) -}}
{{- end -}}

{{/* Takes { root, image }. */}}
{{- define "kre.image" -}}
{{- if .image.digest -}}
{{- printf "%s@%s" .image.repository .image.digest -}}
{{- else -}}
{{- printf "%s:%s" .image.repository (.image.tag | default .root.Chart.AppVersion) -}}
{{- end -}}
{{- end -}}
