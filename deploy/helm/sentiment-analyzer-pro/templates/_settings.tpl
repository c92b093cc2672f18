{{/*
The server's environment. `settings` of the values come last, and so are what counts; _faults.tpl refuses those that other values set.
*/}}

{{/* A value as the text that it is in an environment: YAML's large numbers would come as 1e+06, and small ones as 1e-05. */}}
{{- define "sentiment.settingText" -}}
{{- if not (kindIs "float64" .) }}{{ . }}
{{- else if eq . (floor .) }}{{ int64 . }}
{{- else }}{{ regexReplaceAll "0+$" (printf "%f" .) "" }}
{{- end -}}
{{- end -}}

{{- define "sentiment.hasTls" -}}
{{- if or .Values.tls.existingSecret .Values.tls.certManager.enabled }}yes{{ end -}}
{{- end -}}

{{- define "sentiment.tlsSecret" -}}
{{- .Values.tls.existingSecret | default (printf "%s-tls" (include "sentiment.fullname" .)) -}}
{{- end -}}

{{/* With what the bridge, and `helm test`, show who they are. */}}
{{- define "sentiment.clientSecret" -}}
{{- .Values.tls.clientAuth.clientSecret | default (printf "%s-client" (include "sentiment.fullname" .)) -}}
{{- end -}}

{{- define "sentiment.gatewayTlsSecret" -}}
{{- .Values.gateway.tls.existingSecret | default (printf "%s-rest-tls" (include "sentiment.fullname" .)) -}}
{{- end -}}

{{- define "sentiment.hasKeys" -}}
{{- if or .Values.auth.apiKeys.existingSecret .Values.auth.apiKeys.content }}yes{{ end -}}
{{- end -}}

{{- define "sentiment.keysSecret" -}}
{{- .Values.auth.apiKeys.existingSecret | default (printf "%s-keys" (include "sentiment.fullname" .)) -}}
{{- end -}}

{{/* What other values than `settings` make of settings, as YAML. */}}
{{- define "sentiment.derivedSettings" -}}
{{- if include "sentiment.hasTls" . }}
TLS_CERT: /etc/sentiment/tls/tls.crt
TLS_KEY: /etc/sentiment/tls/tls.key
{{- if .Values.tls.clientAuth.enabled }}
TLS_CLIENT_CA: /etc/sentiment/{{ empty .Values.tls.clientAuth.caSecret | ternary "tls" "client-ca" }}/ca.crt
{{- end }}
{{- end }}
{{- if include "sentiment.hasKeys" . }}
API_KEYS_FILE: {{ printf "/etc/sentiment/keys/%s" .Values.auth.apiKeys.key | quote }}
{{- end }}
{{- if ne .Values.modelRepository.source "image" }}
MODEL_REPOSITORY: /models
{{- end }}
{{- if .Values.triton.enabled }}
TRITON_URL: {{ printf "%s.%s.svc:8001" (include "sentiment.componentName" (dict "root" . "component" "triton")) .Release.Namespace | quote }}
{{- end }}
{{- with .Values.redis.externalUrl }}
REDIS_URL: {{ . | quote }}
{{- end }}
{{- if and .Values.redis.enabled (not (include "sentiment.redisPassword" .)) }}
REDIS_URL: {{ printf "redis://%s:6379" (include "sentiment.componentName" (dict "root" . "component" "redis")) | quote }}
{{- end }}
{{- end -}}

{{/* The Secret and key of the password of the Redis that the chart runs, as YAML; empty: it has none. */}}
{{- define "sentiment.redisPassword" -}}
{{- with .Values.redis.auth }}
{{- if .existingSecret.name }}
name: {{ .existingSecret.name | quote }}
key: {{ .existingSecret.key | quote }}
{{- else if .password }}
name: {{ printf "%s-redis" (include "sentiment.fullname" $) | quote }}
key: password
{{- end }}
{{- end }}
{{- end -}}

{{/* All that have a text, by name. */}}
{{- define "sentiment.settings" -}}
{{- $standard := dict "BIND_ADDRESS" "0.0.0.0" }}
{{- if .Values.triton.enabled }}{{ $_ := set $standard "BACKEND" "triton,embedded" }}{{ end }}
{{- $set := dict }}
{{- range $name, $value := .Values.settings }}
{{- if not (kindIs "invalid" $value) }}{{ $_ := set $set $name (include "sentiment.settingText" $value) }}{{ end }}
{{- end }}
{{- merge $set (include "sentiment.derivedSettings" . | fromYaml) $standard | toYaml }}
{{- end -}}

{{/* The environment of the server's container. */}}
{{- define "sentiment.frontEnv" -}}
{{- $settings := include "sentiment.settings" . | fromYaml }}
{{- $own := list }}
{{- range .Values.front.extraEnv }}{{ $own = append $own .name }}{{ end }}
{{- range $name, $value := $settings }}
{{- if not (has $name $own) }}
- name: {{ $name }}
  value: {{ $value | quote }}
{{- end }}
{{- end }}
{{- /* So that the server gives way before the kernel ends it: limits are told in bytes. */}}
{{- if not (or (hasKey $settings "MEMORY_LIMIT") (has "MEMORY_LIMIT" $own) (not (dig "limits" "memory" "" .Values.front.resources))) }}
- name: MEMORY_LIMIT
  valueFrom:
    resourceFieldRef:
      containerName: front
      resource: limits.memory
{{- end }}
{{- if not (has "REDIS_URL" $own) }}
{{- with .Values.redis.externalUrlSecret }}
{{- if .name }}
- name: REDIS_URL
  valueFrom:
    secretKeyRef:
      name: {{ .name | quote }}
      key: {{ .key | quote }}
{{- end }}
{{- end }}
{{- if .Values.redis.enabled }}
{{- with include "sentiment.redisPassword" . | fromYaml }}
- name: REDIS_PASSWORD
  valueFrom:
    secretKeyRef: {{- toYaml . | nindent 6 }}
- name: REDIS_URL
  value: {{ printf "redis://:$(REDIS_PASSWORD)@%s:6379" (include "sentiment.componentName" (dict "root" $ "component" "redis")) | quote }}
{{- end }}
{{- end }}
{{- end }}
{{- with .Values.tracing }}
{{- if .endpoint }}
{{- if not (has "K8S_POD_NAME" $own) }}
- name: K8S_POD_NAME
  valueFrom:
    fieldRef:
      fieldPath: metadata.name
{{- end }}
{{- $otel := dict
  "OTEL_EXPORTER_OTLP_ENDPOINT" .endpoint
  "OTEL_EXPORTER_OTLP_PROTOCOL" .protocol
  "OTEL_TRACES_SAMPLER" .sampler
  "OTEL_TRACES_SAMPLER_ARG" (include "sentiment.settingText" .samplerArg)
  "OTEL_RESOURCE_ATTRIBUTES" (printf "k8s.pod.name=$(K8S_POD_NAME),k8s.namespace.name=%s" $.Release.Namespace)
}}
{{- range $name, $value := $otel }}
{{- if not (has $name $own) }}
- name: {{ $name }}
  value: {{ $value | quote }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
{{- with .Values.front.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* The environment of the bridge's container. */}}
{{- define "sentiment.gatewayEnv" -}}
{{- $own := list }}
{{- range .Values.gateway.extraEnv }}{{ $own = append $own .name }}{{ end }}
{{- $set := dict }}
{{- range $name, $value := .Values.gateway.settings }}
{{- if not (kindIs "invalid" $value) }}{{ $_ := set $set $name (include "sentiment.settingText" $value) }}{{ end }}
{{- end }}
{{- range $name, $value := merge $set (include "sentiment.derivedGatewaySettings" . | fromYaml) }}
{{- if not (has $name $own) }}
- name: {{ $name }}
  value: {{ $value | quote }}
{{- end }}
{{- end }}
{{- if and .Values.gateway.goMemLimit (not (has "GOMEMLIMIT" $own)) }}
- name: GOMEMLIMIT
  value: {{ .Values.gateway.goMemLimit | quote }}
{{- end }}
{{- with .Values.gateway.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "sentiment.derivedGatewaySettings" -}}
BIND_ADDRESS: 0.0.0.0
SENTIMENT_ADDRESS: {{ printf "dns:///%s.%s.svc:%s" (include "sentiment.headlessName" .) .Release.Namespace (include "sentiment.grpcPort" .) | quote }}
{{- if include "sentiment.hasTls" . }}
SENTIMENT_CA: {{ eq .Values.tls.ca "system" | ternary "system" "/etc/sentiment/front/ca.crt" }}
{{- if .Values.tls.clientAuth.enabled }}
SENTIMENT_CERT: /etc/sentiment/client/tls.crt
SENTIMENT_KEY: /etc/sentiment/client/tls.key
{{- end }}
{{- end }}
{{- if .Values.gateway.tls.enabled }}
TLS_CERT: /etc/sentiment/tls/tls.crt
TLS_KEY: /etc/sentiment/tls/tls.key
{{- end }}
{{- end -}}

{{- define "sentiment.grpcPort" -}}
{{- .Values.settings.GRPC_PORT | default 50051 | int64 -}}
{{- end -}}

{{- define "sentiment.httpPort" -}}
{{- .Values.settings.HTTP_PORT | default 9464 | int64 -}}
{{- end -}}

{{- define "sentiment.gatewayPort" -}}
{{- .Values.gateway.settings.GATEWAY_PORT | default 8080 | int64 -}}
{{- end -}}

{{/* Seconds that a pod takes at most from the announcement of its end on: what its grace period must not be less than. */}}
{{- define "sentiment.frontDrain" -}}
{{- /* 1.5 until health is noticed, 5 to refuse and 5 to retire connections, and what is left to close and to flush traces. */ -}}
{{- add .Values.front.preStopSeconds (.Values.settings.REQUEST_TIMEOUT | default 30) 15 -}}
{{- end -}}

{{- define "sentiment.gatewayDrain" -}}
{{- $settings := .Values.gateway.settings -}}
{{- $delay := kindIs "invalid" $settings.DRAIN_DELAY | ternary 5 $settings.DRAIN_DELAY -}}
{{- add $delay ($settings.DRAIN_TIMEOUT | default 30) 5 -}}
{{- end -}}

{{- define "sentiment.tritonDrain" -}}
{{- add .Values.triton.preStopSeconds 45 -}}
{{- end -}}
