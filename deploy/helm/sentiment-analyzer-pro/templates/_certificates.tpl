{{/* As (dict "root" . "component" "front" "secret" "name" "dnsNames" $names "usage" "server auth"): of the same name as its Secret. */}}
{{- define "sentiment.certificate" }}
{{- $manager := .root.Values.tls.certManager }}
---
apiVersion: cert-manager.io/v1
kind: Certificate
metadata: {{- include "sentiment.metadata" (merge (dict "name" .secret) .) | nindent 2 }}
spec:
  secretName: {{ .secret | quote }}
  issuerRef: {{- toYaml $manager.issuerRef | nindent 4 }}
  duration: {{ $manager.duration | quote }}
  renewBefore: {{ $manager.renewBefore | quote }}
  privateKey:
    algorithm: ECDSA
    size: 256
    rotationPolicy: Always
  usages: [digital signature, {{ .usage }}]
  dnsNames: {{- toYaml .dnsNames | nindent 4 }}
{{- end -}}
