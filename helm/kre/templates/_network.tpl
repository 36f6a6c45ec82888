{{/* Rules that policies share. */}}
{{- define "kre.dnsEgress" -}}
- to:
    - namespaceSelector:
        matchLabels:
          kubernetes.io/metadata.name: kube-system
      podSelector:
        matchLabels:
          k8s-app: kube-dns
  ports:
    - port: 53
      protocol: UDP
    - port: 53
      protocol: TCP
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
