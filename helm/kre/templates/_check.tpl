{{/* What values ask of each other and a schema can't say: all problems at once. */}}
{{- define "kre.check" -}}
{{- $v := .Values -}}
{{- $problems := list -}}
{{- if not (regexMatch "^[a-z]([-a-z0-9]*[a-z0-9])?$" (include "kre.fullname" .)) -}}
{{- $problems = append $problems (printf "fullnameOverride: %q can't be in names of Services: give one of a-z, 0-9 and - that begins with a letter" (include "kre.fullname" .)) -}}
{{- end -}}
{{- range $key := keys $v.commonLabels | sortAlpha -}}
{{- if regexMatch "^(app\\.kubernetes\\.io|helm\\.sh|kre\\.dev)/" $key -}}
{{- $problems = append $problems (printf "commonLabels: %s is set by the chart" $key) -}}
{{- end -}}
{{- end -}}
{{- if not (regexMatch "^https?://[^/?#]+" $v.config.admin.frontendBaseURL) -}}
{{- $problems = append $problems "config.admin.frontendBaseURL: set where browsers reach the engine, for example https://kre.example.com" -}}
{{- end -}}
{{- if not $v.config.mongodb.connectionString.secretName -}}
{{- $problems = append $problems "config.mongodb.connectionString.secretName: name the Secret with the connection string of your MongoDB" -}}
{{- end -}}
{{- range $name := list "typescript" "python" "onnx" "entrypoint" -}}
{{- if not (index $v.versions.images $name).digest -}}
{{- $problems = append $problems (printf "versions.images.%s.digest: name the image by its digest, sha256:<64 hex digits>" $name) -}}
{{- end -}}
{{- end -}}
{{- if and (not $v.nats.enabled) (not (and $v.nats.external.servers $v.nats.external.peers $v.nats.keys.existingSecret)) -}}
{{- $problems = append $problems "nats.external.servers, nats.external.peers, nats.keys.existingSecret: needed where the chart runs no NATS (nats.enabled: false)" -}}
{{- end -}}
{{- if and $v.nats.tls.enabled (not $v.nats.enabled) -}}
{{- $problems = append $problems "nats.tls.enabled: is about the chart's own servers; how others are reached by TLS is in nats.external.tls" -}}
{{- end -}}
{{- if and $v.config.smtp.enabled (not (and $v.config.smtp.host $v.config.smtp.sender)) -}}
{{- $problems = append $problems "config.smtp.host, config.smtp.sender: needed with config.smtp.enabled" -}}
{{- end -}}
{{- if and $v.config.oidc.issuer (not $v.config.oidc.clientId) -}}
{{- $problems = append $problems "config.oidc.clientId: needed with config.oidc.issuer" -}}
{{- end -}}
{{- if and (ne $v.versions.publish.mode "service") (not (or $v.versions.publish.host $v.config.baseDomainName)) -}}
{{- $problems = append $problems "versions.publish.host, or config.baseDomainName: needed for hosts of published runtimes" -}}
{{- end -}}
{{- if and (eq $v.versions.publish.mode "gateway") (not $v.versions.publish.gateway.parents) -}}
{{- $problems = append $problems "versions.publish.gateway.parents: name the Gateway that routes of published runtimes belong to" -}}
{{- end -}}
{{- if and $v.ingress.enabled (ne (include "kre.path" .) "/") -}}
{{- $problems = append $problems "config.admin.frontendBaseURL: an Ingress can't cut its path off: leave the path away, or use gateway" -}}
{{- end -}}
{{- if and $v.gateway.enabled (not $v.gateway.parentRefs) -}}
{{- $problems = append $problems "gateway.parentRefs: name the Gateway that the route belongs to" -}}
{{- end -}}
{{- if and $v.certificate.enabled (not $v.certificate.issuerRef.name) -}}
{{- $problems = append $problems "certificate.issuerRef.name: name who issues the certificate" -}}
{{- end -}}
{{- if and $v.ingress.enabled $v.ingress.tls.enabled (not $v.ingress.tls.secretName) (not $v.certificate.enabled) -}}
{{- $problems = append $problems "ingress.tls.secretName: name the Secret with the certificate, or let cert-manager make one with certificate.enabled" -}}
{{- end -}}
{{- if not (or $v.serviceAccount.create $v.serviceAccount.name) -}}
{{- $problems = append $problems "serviceAccount.name: name the account of the engine, or let the chart make one with serviceAccount.create" -}}
{{- end -}}
{{- if and $v.serviceMonitor.enabled (not $v.serviceMonitor.token.secretName) -}}
{{- $problems = append $problems "serviceMonitor.token.secretName: name the Secret with an API token that may see the engine" -}}
{{- end -}}
{{- if $problems -}}
{{- fail (printf "\n\nThe values of the KRE chart need %d more thing(s):\n  - %s\n" (len $problems) (join "\n  - " $problems)) -}}
{{- end -}}
{{- end -}}
