{{/*
What is made is named after the release: 54 characters, so that there is room for "-headless", the longest of what follows, in the 63
of a Service's name. A release's own name is 53 at most, so two of them never get the same.
*/}}
{{- define "sentiment.name" -}}
{{- .Values.nameOverride | default .Chart.Name | trunc 54 | trimSuffix "-" -}}
{{- end -}}

{{- define "sentiment.fullname" -}}
{{- $name := include "sentiment.name" . -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 54 | trimSuffix "-" -}}
{{- else if contains $name .Release.Name -}}
{{- .Release.Name | trunc 54 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 54 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{/* Of a component, as (dict "root" . "component" "gateway"): the front has the name itself. */}}
{{- define "sentiment.componentName" -}}
{{- $fullname := include "sentiment.fullname" .root -}}
{{- if eq .component "front" }}{{ $fullname }}{{ else }}{{ printf "%s-%s" $fullname .component }}{{ end -}}
{{- end -}}

{{- define "sentiment.headlessName" -}}
{{- printf "%s-headless" (include "sentiment.fullname" .) -}}
{{- end -}}

{{/* Never changed by an upgrade: a Deployment's selector cannot be. Quoted, since a release may be called `y`, or `1`. */}}
{{- define "sentiment.selectorLabels" -}}
app.kubernetes.io/name: {{ include "sentiment.name" .root | quote }}
app.kubernetes.io/instance: {{ .root.Release.Name | quote }}
app.kubernetes.io/component: {{ .component | quote }}
{{- end -}}

{{- define "sentiment.labels" -}}
{{- range $name, $value := .root.Values.labels }}
{{ $name }}: {{ $value | quote }}
{{- end }}
{{ include "sentiment.selectorLabels" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service | quote }}
app.kubernetes.io/part-of: {{ .root.Chart.Name | quote }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" | quote }}
{{- end -}}

{{/* The metadata of what belongs to a component: "name", and of annotations those that are there. */}}
{{- define "sentiment.metadata" -}}
name: {{ .name | default (include "sentiment.componentName" .) | quote }}
namespace: {{ .root.Release.Namespace | quote }}
labels: {{- include "sentiment.labels" . | trim | nindent 2 }}
  {{- range $name, $value := .labels }}
  {{ $name }}: {{ $value | quote }}
  {{- end }}
{{- with .annotations }}
annotations: {{- include "sentiment.texts" . | trim | nindent 2 }}
{{- end }}
{{- end -}}

{{/* A map of texts, all quoted. */}}
{{- define "sentiment.texts" -}}
{{- range $name, $value := . }}
{{ $name }}: {{ $value | quote }}
{{- end }}
{{- end -}}

{{- define "sentiment.serviceAccountName" -}}
{{- with .Values.serviceAccount -}}
{{- if .create }}{{ .name | default (include "sentiment.fullname" $) }}{{ else }}{{ .name | default "default" }}{{ end -}}
{{- end -}}
{{- end -}}

{{/* As (dict "root" . "image" .Values.front.image). */}}
{{- define "sentiment.image" -}}
{{- $registry := .root.Values.global.imageRegistry | default .image.registry -}}
{{- with $registry }}{{ trimSuffix "/" . }}/{{ end }}{{ .image.repository -}}
{{- if .image.digest }}@{{ .image.digest }}{{ else }}:{{ .image.tag | default .root.Chart.AppVersion }}{{ end -}}
{{- end -}}

{{/* The components that are installed, with commas. */}}
{{- define "sentiment.components" -}}
front
{{- if .Values.gateway.enabled }},gateway{{ end }}
{{- if .Values.triton.enabled }},triton{{ end }}
{{- if .Values.redis.enabled }},redis{{ end }}
{{- end -}}
