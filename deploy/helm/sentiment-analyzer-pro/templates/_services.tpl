{{/* The Service that callers use: as (dict "root" . "component" "front" "service" .Values.front.service "port" "grpc" "appProtocol" "http"). */}}
{{- define "sentiment.callers" }}
---
apiVersion: v1
kind: Service
metadata: {{- include "sentiment.metadata" (merge (dict "annotations" .service.annotations "labels" .labels) .) | nindent 2 }}
spec:
  type: {{ .service.type }}
  selector: {{- include "sentiment.selectorLabels" . | nindent 4 }}
  ports:
    - name: {{ .port }}
      port: {{ .service.port | int64 }}
      targetPort: {{ .port }}
      appProtocol: {{ .appProtocol }}
      {{- if and .service.nodePort (ne .service.type "ClusterIP") }}
      nodePort: {{ .service.nodePort | int64 }}
      {{- end }}
  {{- with .service.loadBalancerSourceRanges }}
  loadBalancerSourceRanges: {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end -}}

{{/* A name for all pods that are ready: as (dict "root" . "component" "triton" "ports" (dict "grpc" 8001)). */}}
{{- define "sentiment.headless" }}
---
apiVersion: v1
kind: Service
metadata: {{- include "sentiment.metadata" (merge (dict "labels" (include "sentiment.scraped" . | fromYaml)) .) | nindent 2 }}
spec:
  clusterIP: None
  selector: {{- include "sentiment.selectorLabels" . | nindent 4 }}
  ports:
    {{- range $name, $port := .ports }}
    - name: {{ $name }}
      port: {{ $port }}
      targetPort: {{ $name }}
    {{- end }}
{{- end -}}

{{/* A ServiceMonitor selects by this: of the two Services of the server one. */}}
{{- define "sentiment.scraped" -}}
sentiment-analyzer-pro/scraped: "true"
{{- end -}}
