{{- define "sentiment.countOrShare" -}}
{{- if kindIs "string" . }}{{ . | quote }}{{ else }}{{ int64 . }}{{ end -}}
{{- end -}}

{{/* PromQL for the seconds that rows wait in the queues of the server: 95 % of them, of the model where it is longest; 0 where none came. */}}
{{- define "sentiment.frontQueueQuery" -}}
{{- $own := include "sentiment.targetMatchers" . -}}
max(histogram_quantile(0.95, sum by (model, le) (rate(sentiment_queue_seconds_bucket{ {{- $own -}} }[2m])))) >= 0 or vector(0)
{{- end -}}

{{/* The same for Triton's own queues: the mean, which is all that it tells. */}}
{{- define "sentiment.tritonQueueQuery" -}}
{{- $own := include "sentiment.targetMatchers" . -}}
max(sum by (model) (rate(nv_inference_queue_duration_us{ {{- $own -}} }[2m])) / sum by (model) (rate(nv_inference_request_success{ {{- $own -}} }[2m]))) / 1e6 >= 0 or vector(0)
{{- end -}}

{{/* What the monitors of this release scrape. Not by names of pods: Kubernetes cuts off those that are long. */}}
{{- define "sentiment.targetMatchers" -}}
namespace="{{ .root.Release.Namespace }}",release="{{ .root.Release.Name }}"
{{- end -}}

{{/* What a HorizontalPodAutoscaler compares, beside the queue time. */}}
{{- define "sentiment.resourceMetrics" -}}
{{- range $resource, $percent := dict "cpu" .targetCPUUtilizationPercentage "memory" .targetMemoryUtilizationPercentage }}
{{- if $percent }}
- type: Resource
  resource:
    name: {{ $resource }}
    target:
      type: Utilization
      averageUtilization: {{ int64 $percent }}
{{- end }}
{{- end }}
{{- end -}}

{{- define "sentiment.horizontalPodAutoscaler" }}
{{- $scaling := .values.autoscaling }}
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {{- include "sentiment.metadata" . | nindent 2 }}
spec:
  scaleTargetRef:
    apiVersion: apps/v1
    kind: Deployment
    name: {{ include "sentiment.componentName" . | quote }}
  minReplicas: {{ int64 $scaling.minReplicas }}
  maxReplicas: {{ int64 $scaling.maxReplicas }}
  metrics:
    {{- include "sentiment.resourceMetrics" $scaling | nindent 4 }}
    {{- with $scaling.queueTime }}
    {{- if eq .by "prometheus-adapter" }}
    - type: Pods
      pods:
        metric:
          name: {{ .metric | quote }}
        target:
          type: AverageValue
          averageValue: {{ printf "%dm" (mulf .targetSeconds 1000 | int64) }}
    {{- end }}
    {{- end }}
  behavior: {{- toYaml $scaling.behavior | nindent 4 }}
{{- end -}}

{{- define "sentiment.scaledObject" }}
{{- $scaling := .values.autoscaling }}
---
apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata: {{- include "sentiment.metadata" . | nindent 2 }}
spec:
  scaleTargetRef:
    name: {{ include "sentiment.componentName" . | quote }}
  minReplicaCount: {{ int64 $scaling.minReplicas }}
  maxReplicaCount: {{ int64 $scaling.maxReplicas }}
  advanced:
    horizontalPodAutoscalerConfig:
      behavior: {{- toYaml $scaling.behavior | nindent 8 }}
  triggers:
    {{- range $resource, $percent := dict "cpu" $scaling.targetCPUUtilizationPercentage "memory" $scaling.targetMemoryUtilizationPercentage }}
    {{- if $percent }}
    - type: {{ $resource }}
      metricType: Utilization
      metadata:
        value: {{ int64 $percent | quote }}
    {{- end }}
    {{- end }}
    - type: prometheus
      {{- /* The wait is not shared out over the pods: twice the target asks for twice the pods. */}}
      metricType: Value
      metadata:
        serverAddress: {{ .root.Values.monitoring.prometheusUrl | quote }}
        query: {{ $scaling.queueTime.query | default (include (printf "sentiment.%sQueueQuery" .component) .) | quote }}
        threshold: {{ include "sentiment.settingText" $scaling.queueTime.targetSeconds | quote }}
{{- end -}}
