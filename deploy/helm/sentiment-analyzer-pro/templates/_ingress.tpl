{{/* As (dict "root" . "component" "front" "ingress" .Values.front.ingress "port" "grpc" "paths" (list (dict "path" "/" "pathType" "Prefix"))). */}}
{{- define "sentiment.ingress" }}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {{- include "sentiment.metadata" (merge (dict "annotations" .ingress.annotations) .) | nindent 2 }}
spec:
  {{- with .ingress.className }}
  ingressClassName: {{ . | quote }}
  {{- end }}
  {{- with .ingress.tls }}
  tls: {{- toYaml . | nindent 4 }}
  {{- end }}
  rules:
    {{- range $host := .ingress.hosts }}
    - host: {{ $host | quote }}
      http:
        paths:
          {{- range $.paths }}
          - path: {{ .path | quote }}
            pathType: {{ .pathType }}
            backend:
              service:
                name: {{ include "sentiment.componentName" $ | quote }}
                port:
                  name: {{ $.port }}
          {{- end }}
    {{- end }}
{{- end -}}

{{/* What both of the bridge let in: of its own paths all but /metrics, and of /api what there is. */}}
{{- define "sentiment.restPaths" -}}
- {path: /api/, pathType: Prefix}
- {path: /openapi.json, pathType: Exact}
{{- if .Values.gateway.console }}
- {path: /, pathType: Exact}
- {path: /assets/, pathType: Prefix}
- {path: /health, pathType: Exact}
{{- end }}
{{- end -}}

{{/* The beginning of a route of the Gateway API: as (dict "root" . "component" "front" "kind" "GRPCRoute" "route" .Values.front.grpcRoute). */}}
{{- define "sentiment.route" }}
---
apiVersion: gateway.networking.k8s.io/v1
kind: {{ .kind }}
metadata: {{- include "sentiment.metadata" (merge (dict "annotations" .route.annotations) .) | nindent 2 }}
spec:
  parentRefs: {{- toYaml .route.parentRefs | nindent 4 }}
  {{- with .route.hostnames }}
  hostnames: {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end -}}
