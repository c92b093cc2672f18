{{/* A ServiceMonitor or PodMonitor: as (dict "root" . "component" "front" "job" "sentiment" "port" "ops" "path" "/metrics"). */}}
{{- define "sentiment.monitor" }}
{{- $monitors := .root.Values.monitoring.monitors }}
{{- $ofServices := eq $monitors.kind "ServiceMonitor" }}
---
apiVersion: monitoring.coreos.com/v1
kind: {{ $monitors.kind }}
metadata: {{- include "sentiment.metadata" (merge (dict "labels" $monitors.labels) .) | nindent 2 }}
spec:
  selector:
    matchLabels: {{- include "sentiment.selectorLabels" . | nindent 6 }}
      {{- if $ofServices }}
      {{- include "sentiment.scraped" . | nindent 6 }}
      {{- end }}
  {{ $ofServices | ternary "endpoints" "podMetricsEndpoints" }}:
    - port: {{ .port }}
      path: {{ .path }}
      interval: {{ $monitors.interval | quote }}
      {{- if .tls }}
      scheme: https
      tlsConfig:
        {{- /* Scraped by address, which no certificate names. */}}
        insecureSkipVerify: true
      {{- end }}
      relabelings:
        {{- /* The name that the rules and dashboards know. */}}
        - targetLabel: job
          replacement: {{ .job }}
        - targetLabel: release
          replacement: {{ .root.Release.Name | quote }}
{{- end -}}
