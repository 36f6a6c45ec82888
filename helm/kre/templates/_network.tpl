{{/* Rules that policies share. */}}
{{- define "kre.dnsEgress" -}}
{{- $dns := include "kre.dnsPeer" . | fromJson -}}
- to:
    {{- include "kre.peer" $dns | nindent 4 }}
  ports:
    {{- range $port := $dns.ports }}
    {{- range list "UDP" "TCP" }}
    - port: {{ $port }}
      protocol: {{ . }}
    {{- end }}
    {{- end }}
{{- end -}}

{{- define "kre.dnsPeer" -}}
{{- with .Values.networkPolicy.dns -}}
{{- if .cidr }}{{ pick . "cidr" "ports" | toJson }}{{ else }}{{ omit . "cidr" | toJson }}{{ end -}}
{{- end -}}
{{- end -}}

{{/* Of a policy, for a peer as settings of the engine have it: an address, or pods by their labels and their namespace's. */}}
{{- define "kre.peer" -}}
{{- if .cidr -}}
- ipBlock:
    cidr: {{ .cidr }}
{{- else -}}
- podSelector:
    matchLabels:
      {{- toYaml (.pods | default dict) | nindent 6 }}
  {{- with .namespace }}
  namespaceSelector:
    matchLabels:
      {{- toYaml . | nindent 6 }}
  {{- end }}
{{- end -}}
{{- end -}}

{{/* Anywhere but to the metadata services of clouds, which answer on link-local addresses. */}}
{{- define "kre.openEgress" -}}
- to:
    - namespaceSelector: {}
    - ipBlock:
        cidr: 0.0.0.0/0
        except: [169.254.0.0/16]
    - ipBlock:
        cidr: ::/0
        except: ['fd00:ec2::254/128', 'fe80::/10']
{{- end -}}
