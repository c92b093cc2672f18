{{/*
What a schema cannot see: values that do not go together. All that are wrong are named at once, as the server does with its settings.
*/}}
{{- define "sentiment.faults" -}}
{{- range $check := list "names" "settings" "access" "models" "redis" "scaling" "ends" "routes" }}
{{- include (printf "sentiment.faultsOf.%s" $check) $ }}
{{- end }}
{{- end -}}

{{- define "sentiment.faultsOf.names" -}}
{{- if not (regexMatch "^[a-z]([a-z0-9-]*[a-z0-9])?$" (include "sentiment.fullname" .)) }}
- the name {{ include "sentiment.fullname" . }}: a Service's must begin with a letter, and have small letters, digits and - only: set fullnameOverride
{{- end }}
{{- end -}}

{{- define "sentiment.faultsOf.settings" -}}
{{- range $name, $_ := include "sentiment.derivedSettings" . | fromYaml }}
{{- if hasKey $.Values.settings $name }}
- settings.{{ $name }}: other values of the chart set it (tls, auth, modelRepository, triton or redis): take one of the two out
{{- end }}
{{- end }}
{{- if and (hasKey .Values.settings "REDIS_URL") (or .Values.redis.enabled .Values.redis.externalUrlSecret.name) (not .Values.redis.externalUrl) }}
{{- if not (hasKey (include "sentiment.derivedSettings" . | fromYaml) "REDIS_URL") }}
- settings.REDIS_URL: other values of the chart set it (redis): take one of the two out
{{- end }}
{{- end }}
{{- if hasKey .Values.settings "JWT_JWKS" | and (or (not .Values.settings.JWT_ISSUER) (not .Values.settings.JWT_AUDIENCE)) }}
- settings.JWT_JWKS: needs settings.JWT_ISSUER and settings.JWT_AUDIENCE too
{{- end }}
{{- if eq (include "sentiment.grpcPort" .) (include "sentiment.httpPort" .) }}
- settings.HTTP_PORT: must not be that of settings.GRPC_PORT
{{- end }}
{{- $backend := .Values.settings.BACKEND | default "" }}
{{- if and .Values.triton.enabled (eq $backend "embedded") }}
- settings.BACKEND: is embedded, and triton.enabled true: nothing would use Triton
{{- end }}
{{- if and (contains "triton" $backend) (not .Values.triton.enabled) (not .Values.settings.TRITON_URL) }}
- settings.BACKEND: is {{ $backend }}: set triton.enabled, or settings.TRITON_URL to one that is there already
{{- end }}
{{- end -}}

{{- define "sentiment.faultsOf.access" -}}
{{- $tls := .Values.tls }}
{{- if and $tls.certManager.enabled (not $tls.certManager.issuerRef.name) }}
- tls.certManager.issuerRef.name: must be set where tls.certManager.enabled is
{{- end }}
{{- if and $tls.clientAuth.enabled (not (include "sentiment.hasTls" .)) }}
- tls.clientAuth.enabled: needs tls.existingSecret or tls.certManager.enabled
{{- end }}
{{- if and $tls.clientAuth.enabled (or .Values.gateway.enabled .Values.test.enabled) (not $tls.clientAuth.clientSecret) (not $tls.certManager.enabled) }}
- tls.clientAuth.clientSecret: the bridge and `helm test` need a certificate of their own: set it, or tls.certManager.enabled
{{- end }}
{{- if and .Values.gateway.tls.enabled (not .Values.gateway.tls.existingSecret) (not $tls.certManager.enabled) }}
- gateway.tls.existingSecret: must be set where gateway.tls.enabled is, or tls.certManager.enabled
{{- end }}
{{- $policy := .Values.networkPolicy }}
{{- if and $policy.enabled $policy.callers (not $policy.monitoring) .Values.gateway.enabled .Values.monitoring.monitors.enabled }}
- networkPolicy.monitoring: must be set where networkPolicy.callers and monitoring.monitors.enabled are: the bridge has its metrics on the port of its callers
{{- end }}
{{- if and .Values.auth.apiKeys.content .Values.auth.apiKeys.existingSecret }}
- auth.apiKeys: has content and existingSecret: take one of the two out
{{- end }}
{{- end -}}

{{- define "sentiment.faultsOf.models" -}}
{{- with .Values.modelRepository }}
{{- if and (eq .source "pvc") (not .pvc.claimName) }}
- modelRepository.pvc.claimName: must be set where modelRepository.source is pvc
{{- end }}
{{- if and (eq .source "objectStore") (not .objectStore.path) }}
- modelRepository.objectStore.path: must be set where modelRepository.source is objectStore
{{- end }}
{{- if and (eq .source "pvc") $.Values.triton.enabled $.Values.triton.gpu.enabled (not $.Values.triton.modelConfigName) }}
- triton.modelConfigName: must be set where models of a volume are to run on a GPU: its config.pbtxt are for CPUs, and are not written to
{{- end }}
{{- end }}
{{- end -}}

{{- define "sentiment.faultsOf.redis" -}}
{{- with .Values.redis }}
{{- $ways := list }}
{{- if .enabled }}{{ $ways = append $ways "redis.enabled" }}{{ end }}
{{- if .externalUrl }}{{ $ways = append $ways "redis.externalUrl" }}{{ end }}
{{- if .externalUrlSecret.name }}{{ $ways = append $ways "redis.externalUrlSecret" }}{{ end }}
{{- if gt (len $ways) 1 }}
- {{ join " and " $ways }}: only one of them can be
{{- end }}
{{- if and .enabled (not .auth.password) (not .auth.existingSecret.name) (not $.Values.networkPolicy.enabled) }}
- redis.enabled: whoever can write to it decides what is answered: set redis.auth.password, redis.auth.existingSecret, or networkPolicy.enabled
{{- end }}
{{- end }}
{{- end -}}

{{- define "sentiment.faultsOf.scaling" -}}
{{- range $component := include "sentiment.components" . | splitList "," }}
{{- $values := index $.Values $component }}
{{- with $values.autoscaling }}
{{- if .enabled }}
{{- $by := dig "queueTime" "by" "none" . }}
{{- if gt (int64 .minReplicas) (int64 .maxReplicas) }}
- {{ $component }}.autoscaling.minReplicas: must not be over maxReplicas
{{- end }}
{{- if and (eq $by "none") (not .targetCPUUtilizationPercentage) (not .targetMemoryUtilizationPercentage) }}
- {{ $component }}.autoscaling: there is nothing to scale by: set a target
{{- end }}
{{- if and (eq $by "keda") (not .queueTime.query) (not $.Values.monitoring.monitors.enabled) }}
- {{ $component }}.autoscaling.queueTime: needs monitoring.monitors.enabled, whose label `release` its query asks for, or a query of your own
{{- end }}
{{- if and (eq $by "keda") (not $.Values.monitoring.prometheusUrl) }}
- monitoring.prometheusUrl: must be set where {{ $component }}.autoscaling.queueTime.by is keda
{{- end }}
{{- end }}
{{- end }}
{{- with $values.podDisruptionBudget }}
{{- if and .enabled (eq (toString .minAvailable) "") (eq (toString .maxUnavailable) "") }}
- {{ $component }}.podDisruptionBudget: set maxUnavailable or minAvailable
{{- end }}
{{- end }}
{{- end }}
{{- end -}}

{{- define "sentiment.faultsOf.ends" -}}
{{- range $component := list "front" "gateway" "triton" }}
{{- $values := index $.Values $component }}
{{- $least := include (printf "sentiment.%sDrain" $component) $ | int64 }}
{{- $grace := int64 $values.terminationGracePeriodSeconds }}
{{- if and $grace (lt $grace $least) }}
- {{ $component }}.terminationGracePeriodSeconds: is {{ $grace }}, and its drain may take {{ $least }}: set it to that at least, or to 0
{{- end }}
{{- end }}
{{- end -}}

{{- define "sentiment.faultsOf.routes" -}}
{{- $gateway := .Values.gateway }}
{{- range $name, $ingress := dict "front.ingress" .Values.front.ingress "gateway.ingress" $gateway.ingress }}
{{- if and $ingress.enabled (not $ingress.hosts) }}
- {{ $name }}.hosts: must have one at least where {{ $name }}.enabled is
{{- end }}
{{- end }}
{{- range $name, $route := dict "front.grpcRoute" .Values.front.grpcRoute "gateway.httpRoute" $gateway.httpRoute }}
{{- if and $route.enabled (not $route.parentRefs) }}
- {{ $name }}.parentRefs: must name a Gateway where {{ $name }}.enabled is
{{- end }}
{{- end }}
{{- range $name, $enabled := dict "gateway.ingress" $gateway.ingress.enabled "gateway.httpRoute" $gateway.httpRoute.enabled }}
{{- if and $enabled (not $gateway.enabled) }}
- {{ $name }}.enabled: needs gateway.enabled
{{- end }}
{{- end }}
{{- end -}}
