{{/* What the DaemonSet's and the Deployment's pods have in common. */}}
{{- define "spotkeeper.podMetadata" -}}
labels:
  {{- include "spotkeeper.labels" .root | nindent 2 }}
  k8s-app: aws-node-termination-handler  # by which NTH's users select its pods
  {{- with .labels }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- with .annotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{- define "spotkeeper.podBasics" -}}
{{- with .Values.image.pullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
serviceAccountName: {{ include "spotkeeper.serviceAccount" . }}
{{- if .Values.serviceAccount.tokenExpirationSeconds }}
automountServiceAccountToken: false  # a token of a shorter life instead: the volume "account"
{{- end }}
{{- with .Values.terminationGracePeriodSeconds }}
terminationGracePeriodSeconds: {{ int64 . }}
{{- end }}
{{- with .Values.podSecurityContext }}
securityContext:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{- define "spotkeeper.container" -}}
- name: spotkeeper
  image: {{ include "spotkeeper.image" . }}
  imagePullPolicy: {{ .Values.image.pullPolicy }}
  args: [{{ include "spotkeeper.queue" . | empty | ternary "agent" "queue" }}]
  {{- with .Values.securityContext }}
  securityContext:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  env:
    {{- include "spotkeeper.env" . | trim | nindent 4 }}
  {{- $probes := or (include "spotkeeper.queue" .) (include "spotkeeper.on" .Values.enableProbesServer) }}
  {{- $metrics := include "spotkeeper.on" .Values.enablePrometheusServer }}
  {{- if or $probes $metrics }}
  ports:
    {{- if $probes }}
    - {name: liveness-probe, containerPort: {{ .Values.probes.httpGet.port }}, protocol: TCP}
    {{- end }}
    {{- if $metrics }}
    - {name: http-metrics, containerPort: {{ .Values.prometheusServerPort }}, protocol: TCP}
    {{- end }}
  {{- end }}
  {{- if $probes }}
  livenessProbe:
    {{- toYaml .Values.probes | nindent 4 }}
  {{- if .Values.readinessProbe }}
  readinessProbe:
    {{- toYaml .Values.readinessProbe | nindent 4 }}
  {{- end }}
  {{- end }}
  {{- with .Values.resources }}
  resources:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with include "spotkeeper.mounts" . | trim }}
  volumeMounts:
    {{- . | nindent 4 }}
  {{- end }}
{{- end -}}

{{- define "spotkeeper.mounts" -}}
{{- if .Values.serviceAccount.tokenExpirationSeconds }}
- {name: account, mountPath: /var/run/secrets/kubernetes.io/serviceaccount, readOnly: true}
{{- end }}
{{- if or .Values.policy .Values.policyConfigMapName }}
- {name: policy, mountPath: /etc/spotkeeper, readOnly: true}
{{- end }}
{{- if .Values.webhookTemplateConfigMapName }}
- {name: webhook-template, mountPath: /config, readOnly: true}
{{- end }}
{{- if include "spotkeeper.uptimeFile" . }}
- {name: uptime, mountPath: {{ .Values.procUptimeFile | quote }}, readOnly: true}
{{- end }}
{{- end -}}

{{- define "spotkeeper.volumes" -}}
{{- if .Values.serviceAccount.tokenExpirationSeconds }}
- name: account
  projected:
    sources:
      - serviceAccountToken: {path: token, expirationSeconds: {{ int64 .Values.serviceAccount.tokenExpirationSeconds }}}
      - configMap: {name: kube-root-ca.crt, items: [{key: ca.crt, path: ca.crt}]}
      - downwardAPI: {items: [{path: namespace, fieldRef: {fieldPath: metadata.namespace}}]}
{{- end }}
{{- if or .Values.policy .Values.policyConfigMapName }}
- name: policy
  configMap: {name: {{ default (printf "%s-policy" (include "spotkeeper.fullname" .)) .Values.policyConfigMapName }}}
{{- end }}
{{- with .Values.webhookTemplateConfigMapName }}
- name: webhook-template
  configMap: {name: {{ . | quote }}}
{{- end }}
{{- if include "spotkeeper.uptimeFile" . }}
- name: uptime
  hostPath: {path: {{ .Values.procUptimeFile | quote }}}
{{- end }}
{{- end -}}

{{/* Of the host only where it is another file: a container's /proc/uptime is the host's, and no hostPath is needed. */}}
{{- define "spotkeeper.uptimeFile" -}}
{{- if and (not (include "spotkeeper.queue" .)) .Values.procUptimeFile (ne .Values.procUptimeFile "/proc/uptime") }}true{{ end -}}
{{- end -}}

{{/* NTH's order: of Linux nodes, of all, of the DaemonSet; the first that says anything. */}}
{{- define "spotkeeper.nodeSelector" -}}
{{- $v := .Values -}}
{{- $chosen := include "spotkeeper.queue" . | empty | ternary (coalesce $v.linuxNodeSelector $v.nodeSelector $v.daemonsetNodeSelector) $v.nodeSelector -}}
{{- toYaml (merge (dict) (default dict $chosen) (dict "kubernetes.io/os" "linux")) -}}
{{- end -}}
