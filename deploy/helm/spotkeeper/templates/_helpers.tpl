{{/* Names as NTH's chart makes them: at most 63 characters, the release's own where it has the chart's in it. */}}
{{- define "spotkeeper.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{- define "spotkeeper.fullname" -}}
{{- $name := include "spotkeeper.name" . -}}
{{- $full := contains $name .Release.Name | ternary .Release.Name (printf "%s-%s" .Release.Name $name) -}}
{{- default $full .Values.fullnameOverride | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{- define "spotkeeper.serviceAccount" -}}
{{- $default := include "spotkeeper.on" .Values.serviceAccount.create | empty | ternary "default" (include "spotkeeper.fullname" .) -}}
{{- default $default .Values.serviceAccount.name -}}
{{- end -}}

{{/* "true" or "" for a switch: with --set-string a switch that is off is the text "false". */}}
{{- define "spotkeeper.on" -}}
{{- if eq (toString .) "true" }}true{{ end -}}
{{- end -}}

{{/* "true" in queue mode, "" on the node. */}}
{{- define "spotkeeper.queue" -}}
{{- include "spotkeeper.on" .Values.enableSqsTerminationDraining -}}
{{- end -}}

{{- define "spotkeeper.component" -}}
{{- include "spotkeeper.queue" . | empty | ternary "daemonset" "deployment" -}}
{{- end -}}

{{- define "spotkeeper.selector" -}}
app.kubernetes.io/name: {{ include "spotkeeper.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: {{ include "spotkeeper.component" . }}
{{- end -}}

{{- define "spotkeeper.labels" -}}
{{ include "spotkeeper.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/part-of: {{ include "spotkeeper.name" . }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{- with .Values.customLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* "true" where a value file names NTH's image: its own repository, or a tag v1.…, which it has and we have not. */}}
{{- define "spotkeeper.nthImage" -}}
{{- $repository := has .Values.image.repository
      (list "public.ecr.aws/aws-ec2/aws-node-termination-handler" "amazon/aws-node-termination-handler") -}}
{{- $tag := regexMatch "^v1\\.[0-9]+\\.[0-9]+" (toString .Values.image.tag) -}}
{{- if or $repository $tag }}true{{ end -}}
{{- end -}}

{{/* NTH's image is not what this chart starts: ours, of the chart's version, instead; NOTES says so. */}}
{{- define "spotkeeper.image" -}}
{{- $image := .Values.image -}}
{{- $repository := $image.repository -}}
{{- if hasSuffix "aws-ec2/aws-node-termination-handler" $repository }}{{ $repository = "spotkeeper" }}{{ end -}}
{{- if eq "amazon/aws-node-termination-handler" $repository }}{{ $repository = "spotkeeper" }}{{ end -}}
{{- if $image.digest -}}
{{ $repository }}@{{ $image.digest }}
{{- else if include "spotkeeper.nthImage" . -}}
{{ $repository }}:{{ .Chart.AppVersion }}
{{- else -}}
{{ $repository }}:{{ default .Chart.AppVersion $image.tag }}
{{- end -}}
{{- end -}}

{{/* What cannot be said by values.schema.json. Each a line that says what to do. */}}
{{- define "spotkeeper.check" -}}
{{- if and (not (include "spotkeeper.queue" .)) (contains "windows" (lower (toString .Values.targetNodeOs))) -}}
{{- fail (printf "targetNodeOs: %q: the agent does not run on Windows nodes; say linux, and drain Windows nodes by queue mode (enableSqsTerminationDraining=true)" .Values.targetNodeOs) -}}
{{- end -}}
{{- if and .Values.webhookTemplateConfigMapName (not .Values.webhookTemplateConfigMapKey) -}}
{{- fail "webhookTemplateConfigMapName is set, webhookTemplateConfigMapKey is not: name the key of the ConfigMap that holds the template" -}}
{{- end -}}
{{- if and .Values.policy .Values.policyConfigMapName -}}
{{- fail "policy and policyConfigMapName are both set: keep the one by which the rules are to be given" -}}
{{- end -}}
{{- if and (include "spotkeeper.queue" .) (not .Values.queueURL) -}}
{{- fail "queueURL is empty: with enableSqsTerminationDraining=true it has to name the SQS queue, https://sqs.REGION.amazonaws.com/ACCOUNT/NAME" -}}
{{- end -}}
{{- end -}}

{{/* A file of deploy/, which files/ links to. Archives that leave links out (Flux's GitRepository) would lose rights. */}}
{{- define "spotkeeper.file" -}}
{{- $text := .root.Files.Get .file -}}
{{- if not $text -}}
{{- fail (printf "%s is missing from the chart: it is a symbolic link into deploy/, which your way of fetching charts leaves out; use the packaged chart (deploy/package)" .file) -}}
{{- end -}}
{{- $text -}}
{{- end -}}

{{/* Objects of a file of deploy/rbac or deploy/admission, with its comments, under this release's names. The account
     itself is left out: serviceaccount.yaml has it. */}}
{{- define "spotkeeper.shipped" -}}
{{- $root := .root -}}
{{- $full := include "spotkeeper.fullname" $root -}}
{{- $account := include "spotkeeper.serviceAccount" $root -}}
{{- $text := include "spotkeeper.file" . -}}
{{- $labels := printf "\nmetadata:\n  labels:\n%s\n" (include "spotkeeper.labels" $root | indent 4) -}}
{{- range regexSplit "(?m)^---$" $text -1 }}
{{- if not (regexMatch "(?m)^kind: ServiceAccount$" .) }}
---
{{ $object := . | trim }}
{{- $object = regexReplaceAll "(?m)^( *)name: spotkeeper-(agent|queue)\n( *)namespace: kube-system" $object (printf "${1}name: %s\n${3}namespace: %s" $account $root.Release.Namespace) }}
{{- $object = regexReplaceAll "system:serviceaccount:kube-system:spotkeeper-(agent|queue)" $object (printf "system:serviceaccount:%s:%s" $root.Release.Namespace $account) }}
{{- $object = regexReplaceAll "\\bspotkeeper-(agent|queue)\\b" $object $full }}
{{- $object | replace "\nmetadata:\n" $labels }}
{{- end }}
{{- end }}
{{- end -}}

{{/* auto: where the cluster is new enough to know the API. true and false: as it is said. */}}
{{- define "spotkeeper.wanted" -}}
{{- if eq (toString .create) "auto" -}}
{{- if semverCompare .kube .root.Capabilities.KubeVersion.Version }}true{{ end -}}
{{- else if eq (toString .create) "true" }}true{{ end -}}
{{- end -}}
