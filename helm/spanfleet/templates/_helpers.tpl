{{- define "spanfleet.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 40 | trimSuffix "-" }}
{{- end }}

{{- define "spanfleet.fullname" -}}
{{- $name := include "spanfleet.name" . }}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" }}
{{- else if contains $name .Release.Name }}
{{- .Release.Name | trunc 40 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name $name | trunc 40 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{/* What pods of one component are found by: (dict "root" $ "component" "worker"). Never changes in an upgrade. */}}
{{- define "spanfleet.selector" -}}
app.kubernetes.io/name: {{ include "spanfleet.name" .root }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end }}

{{- define "spanfleet.labels" -}}
{{ include "spanfleet.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" }}
{{- end }}

{{- define "spanfleet.serviceAccount" -}}
{{- if .Values.serviceAccount.create }}
{{- default (include "spanfleet.fullname" .) .Values.serviceAccount.name }}
{{- else }}
{{- default "default" .Values.serviceAccount.name }}
{{- end }}
{{- end }}

{{- define "spanfleet.image" -}}
{{- with .Values.image }}
{{- if .digest }}{{ .repository }}@{{ .digest }}{{ else }}{{ .repository }}:{{ .tag | default $.Chart.AppVersion }}{{ end }}
{{- end }}
{{- end }}

{{/* The restricted profile of Pod Security, for a pod and for a container. */}}
{{- define "spanfleet.podSecurity" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
fsGroup: 65532
seccompProfile: {type: RuntimeDefault}
{{- end }}

{{- define "spanfleet.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
runAsNonRoot: true
capabilities: {drop: [ALL]}
{{- end }}

{{/* A variable whose value stands in a Secret: (dict "name" "DATABASE_URL" "secret" .Values.secrets.database). */}}
{{- define "spanfleet.secretEnv" -}}
- name: {{ .name }}
  valueFrom:
    secretKeyRef: {name: {{ .secret.name | quote }}, key: {{ .secret.key | quote }}}
{{- end }}

{{/* What every process needs to know. */}}
{{- define "spanfleet.env" -}}
{{ include "spanfleet.secretEnv" (dict "name" "DATABASE_URL" "secret" .Values.secrets.database) }}
{{ include "spanfleet.secretEnv" (dict "name" "AMQP_URL" "secret" .Values.secrets.broker) }}
- {name: ARTIFACTS_URL, value: {{ .Values.artifacts.url | quote }}}
- {name: AWS_REGION, value: {{ .Values.artifacts.region | quote }}}
{{- with .Values.artifacts.endpoint }}
- {name: AWS_ENDPOINT_URL_S3, value: {{ . | quote }}}
{{- end }}
{{- with .Values.secrets.s3 }}
{{- if .name }}
{{ include "spanfleet.secretEnv" (dict "name" "AWS_ACCESS_KEY_ID" "secret" (dict "name" .name "key" .accessKeyIdKey)) }}
{{ include "spanfleet.secretEnv" (dict "name" "AWS_SECRET_ACCESS_KEY" "secret" (dict "name" .name "key" .secretAccessKeyKey)) }}
{{- end }}
{{- end }}
{{- with .Values.settings }}
- {name: SPANFLEET_S3_CHECKSUM, value: {{ .s3Checksum | quote }}}
- {name: SPANFLEET_S3_PATH_STYLE, value: {{ .s3PathStyle | quote }}}
- {name: SPANFLEET_DATABASE_CONNECTIONS, value: {{ .databaseConnections | quote }}}
- {name: SPANFLEET_TEXT_LIMIT_MIB, value: {{ .textLimitMib | int64 | quote }}}
- {name: SPANFLEET_QUEUE, value: {{ .queue | quote }}}
- {name: SPANFLEET_LOG, value: {{ .log | quote }}}
- {name: SPANFLEET_LOG_FORMAT, value: {{ .logFormat | quote }}}
- {name: SPANFLEET_DATA_DIR, value: {{ .dataDir | quote }}}
{{- end }}
{{- if .Values.traces.endpoint }}
- {name: OTEL_EXPORTER_OTLP_ENDPOINT, value: {{ .Values.traces.endpoint | quote }}}
- {name: OTEL_TRACES_SAMPLER, value: parentbased_traceidratio}
- {name: OTEL_TRACES_SAMPLER_ARG, value: {{ .Values.traces.share | quote }}}
{{- with .Values.traces.attributes }}
- {name: OTEL_RESOURCE_ATTRIBUTES, value: {{ . | quote }}}
{{- end }}
{{- if .Values.secrets.traces.name }}
{{ include "spanfleet.secretEnv" (dict "name" "OTEL_EXPORTER_OTLP_HEADERS" "secret" .Values.secrets.traces) }}
{{- end }}
{{- end }}
{{- with .Values.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "spanfleet.volumeMounts" -}}
- {name: data, mountPath: {{ .Values.settings.dataDir | quote }}}
- {name: tmp, mountPath: /tmp}
{{- with .Values.extraVolumeMounts }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "spanfleet.volumes" -}}
- {name: data, emptyDir: {sizeLimit: 1Gi}}
- {name: tmp, emptyDir: {sizeLimit: 1Gi}}
{{- with .Values.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* Probes on the port `http`: (dict "readiness" "/readyz"). Readiness asks three servers, each for at most 5 s. */}}
{{- define "spanfleet.probes" -}}
startupProbe:
  httpGet: {path: /healthz, port: http}
  periodSeconds: 2
  failureThreshold: 60
livenessProbe:
  httpGet: {path: /healthz, port: http}
  periodSeconds: 10
  timeoutSeconds: 5
  failureThreshold: 6
readinessProbe:
  httpGet: {path: {{ .readiness }}, port: http}
  periodSeconds: 10
  timeoutSeconds: 6
  failureThreshold: 3
{{- end }}

{{/* (dict "root" $ "component" "worker" "over" .spreadOver) */}}
{{- define "spanfleet.spread" -}}
{{- $selector := include "spanfleet.selector" . | fromYaml }}
{{- range .over }}
- topologyKey: {{ . }}
  maxSkew: 1
  whenUnsatisfiable: ScheduleAnyway
  labelSelector:
    matchLabels: {{- toYaml $selector | nindent 6 }}
  matchLabelKeys: [pod-template-hash]
{{- end }}
{{- end }}

{{/* Where a pod goes: .Values.dispatcher or .Values.worker. */}}
{{- define "spanfleet.placement" -}}
{{- with .priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with .nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .affinity }}
affinity: {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}
