{{/*
What the pods of all components have in common. All take (dict "root" . "component" "front" "values" .Values.front).
*/}}
{{- define "sentiment.podMetadata" -}}
{{- $annotations := merge (dict) (.annotations | default dict) .values.podAnnotations -}}
labels: {{- include "sentiment.selectorLabels" . | nindent 2 }}
  {{- /* Not the version, nor the chart's: pods are to be replaced where they differ, not where a label does. */}}
  {{- range $name, $value := merge (dict) .values.podLabels .root.Values.labels }}
  {{ $name }}: {{ $value | quote }}
  {{- end }}
{{- with $annotations }}
annotations: {{- include "sentiment.texts" . | trim | nindent 2 }}
{{- end }}
{{- end -}}

{{/* Before the containers. Kubernetes would tell pods of each Service by names such as GRPC_PORT, which are settings here: no enableServiceLinks. */}}
{{- define "sentiment.podSpec" -}}
serviceAccountName: {{ include "sentiment.serviceAccountName" .root | quote }}
automountServiceAccountToken: false
enableServiceLinks: false
{{- with concat .root.Values.global.imagePullSecrets .root.Values.imagePullSecrets | uniq }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . | quote }}
  {{- end }}
{{- end }}
securityContext: {{- toYaml .values.podSecurityContext | nindent 2 }}
{{- with .values.priorityClassName }}
priorityClassName: {{ . | quote }}
{{- end }}
{{- with .values.runtimeClassName }}
runtimeClassName: {{ . | quote }}
{{- end }}
{{- with .values.nodeSelector }}
nodeSelector: {{- include "sentiment.texts" . | trim | nindent 2 }}
{{- end }}
{{- with .values.affinity }}
affinity: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with concat (.tolerations | default list) .values.tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .values.topologySpreadConstraints }}
topologySpreadConstraints:
  {{- $selector := include "sentiment.selectorLabels" $ | fromYaml }}
  {{- /* With matchLabelKeys the pods of a new version spread among themselves, not around those that are about to go. */}}
  {{- $own := dict "labelSelector" (dict "matchLabels" $selector) "matchLabelKeys" (list "pod-template-hash") }}
  {{- range . }}
  {{- hasKey . "labelSelector" | ternary . (merge (dict) . $own) | list | toYaml | nindent 2 }}
  {{- end }}
{{- end }}
{{- end -}}

{{/* Of a container: as (dict "root" . "image" .Values.front.image "values" .Values.front). */}}
{{- define "sentiment.containerBasics" -}}
image: {{ include "sentiment.image" . | quote }}
imagePullPolicy: {{ .image.pullPolicy }}
securityContext: {{- toYaml .values.securityContext | nindent 2 }}
resources: {{- toYaml (.resources | default .values.resources) | nindent 2 }}
{{- end -}}

{{/* A probe with its times: as (dict "times" .Values.front.startupProbe "how" $handler). */}}
{{- define "sentiment.probe" -}}
{{- toYaml .how }}
{{ toYaml .times }}
{{- end -}}

{{/* The volume with the models, where they do not come with the server's image. */}}
{{- define "sentiment.modelVolume" -}}
- name: models
  {{- with .Values.modelRepository }}
  {{- if eq .source "pvc" }}
  persistentVolumeClaim:
    claimName: {{ .pvc.claimName | quote }}
    readOnly: true
  {{- else }}
  emptyDir:
    sizeLimit: {{ .sizeLimit | quote }}
  {{- end }}
  {{- end }}
{{- end -}}

{{- define "sentiment.modelMount" -}}
- name: models
  mountPath: /models
  readOnly: true
  {{- with .Values.modelRepository }}
  {{- if and (eq .source "pvc") .pvc.subPath }}
  subPath: {{ .pvc.subPath | quote }}
  {{- end }}
  {{- end }}
{{- end -}}

{{/* Copies the models into the volume of a pod: as (dict "root" . "values" .Values.triton). Nothing where they lie on one. */}}
{{- define "sentiment.modelCopy" -}}
{{- $repository := .root.Values.modelRepository }}
{{- if eq $repository.source "objectStore" }}
{{- with $repository.objectStore }}
- name: models
  {{- include "sentiment.containerBasics" (merge (dict "image" .image "resources" $repository.resources) $) | nindent 2 }}
  args: ["copy", "--config=", "--stats-one-line", {{ .path | quote }}, "/models"]
  {{- with .env }}
  env:
    {{- range $name, $value := . }}
    - name: {{ $name | quote }}
      value: {{ $value | quote }}
    {{- end }}
  {{- end }}
  {{- with .existingSecret }}
  envFrom:
    - secretRef:
        name: {{ . | quote }}
  {{- end }}
  volumeMounts:
    - name: models
      mountPath: /models
    - name: tmp
      mountPath: /tmp
{{- end }}
{{- else if eq $repository.source "image" }}
- name: models
  {{- include "sentiment.containerBasics" (merge (dict "image" .root.Values.front.image "resources" $repository.resources) $) | nindent 2 }}
  command: ["cp", "-R", "/app/triton-model-repo/.", "/models"]
  volumeMounts:
    - name: models
      mountPath: /models
{{- end }}
{{- end -}}

{{- define "sentiment.checksum" -}}
{{ . | toJson | sha256sum | trunc 32 }}
{{- end -}}

{{/* The CA of the server, and not its key. */}}
{{- define "sentiment.caVolume" -}}
- name: front-ca
  secret:
    secretName: {{ include "sentiment.tlsSecret" . | quote }}
    items:
      - key: ca.crt
        path: ca.crt
    defaultMode: 0440
{{- end -}}

{{- define "sentiment.clientVolume" -}}
- name: client
  secret:
    secretName: {{ include "sentiment.clientSecret" . | quote }}
    defaultMode: 0440
{{- end -}}
