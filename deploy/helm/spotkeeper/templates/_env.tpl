{{/* The container's environment: NTH's names, from NTH's values and ours. What is empty is not sent: the executable
     takes an empty variable for unset, too. docs/coming-from-nth.md and docs/agent.md say what each one does. */}}
{{- define "spotkeeper.env" -}}
{{- $v := .Values -}}
{{- $queue := include "spotkeeper.queue" . -}}
{{- $all := list
      (list "LOG_LEVEL" $v.logLevel)
      (list "JSON_LOGGING" $v.jsonLogging)
      (list "LOG_FORMAT_VERSION" $v.logFormatVersion)
      (list "DRY_RUN" $v.dryRun)
      (list "CORDON_ONLY" $v.cordonOnly)
      (list "TAINT_NODE" $v.taintNode)
      (list "TAINT_EFFECT" $v.taintEffect)
      (list "ENABLE_OUT_OF_SERVICE_TAINT" $v.enableOutOfServiceTaint)
      (list "EXCLUDE_FROM_LOAD_BALANCERS" $v.excludeFromLoadBalancers)
      (list "DELETE_LOCAL_DATA" $v.deleteLocalData)
      (list "IGNORE_DAEMON_SETS" $v.ignoreDaemonSets)
      (list "DAEMON_SET_SIGNAL" $v.daemonSetSignal)
      (list "POD_TERMINATION_GRACE_PERIOD" $v.podTerminationGracePeriod)
      (list "NODE_TERMINATION_GRACE_PERIOD" $v.nodeTerminationGracePeriod)
      (list "ENOUGH_GRACE" $v.enoughGrace)
      (list "DRAIN_MARGIN" $v.margin)
      (list "HAND_OVER" $v.handOver)
      (list "EARLY_WORD" $v.earlyWord)
      (list "POLICY_FILE" (or $v.policy $v.policyConfigMapName | empty | ternary "" "/etc/spotkeeper/policy.yaml"))
      (list "KUBE_API_QPS" $v.kubeApiQps)
      (list "KUBE_API_BURST" $v.kubeApiBurst)
      (list "EMIT_KUBERNETES_EVENTS" $v.emitKubernetesEvents)
      (list "KUBERNETES_EVENTS_EXTRA_ANNOTATIONS" $v.kubernetesEventsExtraAnnotations)
      (list "WEBHOOK_URL" ($v.webhookURLSecretName | empty | ternary $v.webhookURL ""))
      (list "WEBHOOK_PROXY" $v.webhookProxy)
      (list "WEBHOOK_HEADERS" $v.webhookHeaders)
      (list "WEBHOOK_FORMAT" $v.webhookFormat)
      (list "WEBHOOK_TEMPLATE" ($v.webhookTemplateConfigMapName | empty | ternary $v.webhookTemplate ""))
      (list "WEBHOOK_TEMPLATE_FILE" ($v.webhookTemplateConfigMapName | empty | ternary "" (printf "/config/%s" $v.webhookTemplateConfigMapKey)))
      (list "ENABLE_PROMETHEUS_SERVER" $v.enablePrometheusServer)
      (list "PROMETHEUS_SERVER_PORT" $v.prometheusServerPort)
      (list "ENABLE_NODE_ACTIONS_METRIC" $v.enableNodeActionsMetric)
      (list "ENABLE_PROBES_SERVER" (or $queue $v.enableProbesServer))
      (list "PROBES_SERVER_PORT" $v.probes.httpGet.port)
      (list "PROBES_SERVER_ENDPOINT" $v.probes.httpGet.path)
      (list "AWS_REGION" $v.awsRegion)
-}}
{{- $node := list
      (list "ENABLE_SQS_TERMINATION_DRAINING" "false")
      (list "INSTANCE_METADATA_URL" $v.instanceMetadataURL)
      (list "METADATA_TRIES" $v.metadataTries)
      (list "IMDS_POLL_INTERVAL" $v.imdsPollInterval)
      (list "ENABLE_SPOT_INTERRUPTION_DRAINING" $v.enableSpotInterruptionDraining)
      (list "ENABLE_SCHEDULED_EVENT_DRAINING" $v.enableScheduledEventDraining)
      (list "ENABLE_ASG_LIFECYCLE_DRAINING" $v.enableASGLifecycleDraining)
      (list "ENABLE_REBALANCE_MONITORING" $v.enableRebalanceMonitoring)
      (list "ENABLE_REBALANCE_DRAINING" $v.enableRebalanceDraining)
      (list "ENABLE_REBALANCE_SOFT_SIGNAL" $v.enableRebalanceSoftSignal)
      (list "REBALANCE_TRUST" $v.rebalanceTrust)
      (list "UPTIME_FROM_FILE" $v.procUptimeFile)
      (list "LIFECYCLE_LABEL" $v.lifecycleLabel)
      (list "LIFECYCLE_LABEL_SPOT" $v.lifecycleLabelSpot)
      (list "LIFECYCLE_LABEL_ON_DEMAND" $v.lifecycleLabelOnDemand)
      (list "TAINT_SPOT_NODES" $v.taintSpotNodes)
-}}
{{- $ofQueue := list
      (list "ENABLE_SQS_TERMINATION_DRAINING" "true")
      (list "QUEUE_URL" $v.queueURL)
      (list "CHECK_TAG_BEFORE_DRAINING" $v.checkTagBeforeDraining)
      (list "CHECK_ASG_TAG_BEFORE_DRAINING" $v.checkASGTagBeforeDraining)
      (list "MANAGED_TAG" $v.managedTag)
      (list "MANAGED_ASG_TAG" $v.managedAsgTag)
      (list "USE_PROVIDER_ID" $v.useProviderId)
      (list "WORKERS" $v.workers)
      (list "COMPLETE_LIFECYCLE_ACTION_DELAY_SECONDS" $v.completeLifecycleActionDelaySeconds)
      (list "DELETE_SQS_MSG_IF_NODE_NOT_FOUND" $v.deleteSqsMsgIfNodeNotFound)
      (list "HEARTBEAT_INTERVAL" $v.heartbeatInterval)
      (list "HEARTBEAT_UNTIL" $v.heartbeatUntil)
      (list "SQS_MSG_VISIBILITY_TIMEOUT_SEC" $v.sqsMsgVisibilityTimeoutSec)
      (list "FAILED_DRAIN_RESULT" $v.failedDrainResult)
      (list "ABANDON_LAUNCH_AFTER" $v.abandonLaunchAfter)
      (list "AFTER_TERMINATION" $v.afterTermination)
      (list "DETACH_ASG" $v.detachFromAsg)
      (list "AWS_ENDPOINT" $v.awsEndpoint)
      (list "AWS_ACCESS_KEY_ID" (and $v.awsAccessKeyID $v.awsSecretAccessKey | empty | ternary "" $v.awsAccessKeyID))
      (list "AWS_SECRET_ACCESS_KEY" (and $v.awsAccessKeyID $v.awsSecretAccessKey | empty | ternary "" $v.awsSecretAccessKey))
-}}
{{- range list (list "NODE_NAME" "spec.nodeName") (list "POD_NAME" "metadata.name") (list "NAMESPACE" "metadata.namespace") }}
- name: {{ index . 0 }}
  valueFrom: {fieldRef: {fieldPath: {{ index . 1 }}}}
{{- end }}
{{- range concat $all ($queue | empty | ternary $node $ofQueue) }}
{{- $value := index . 1 }}
{{- if kindIs "float64" $value }}{{ $value = int64 $value }}{{ end }}
{{- if not (or (kindIs "invalid" $value) (eq (toString $value) "")) }}
- name: {{ index . 0 }}
  value: {{ $value | quote }}
{{- end }}
{{- end }}
{{- with $v.webhookURLSecretName }}
- name: WEBHOOK_URL
  valueFrom: {secretKeyRef: {name: {{ . | quote }}, key: webhookurl}}
{{- end }}
{{- with $v.webhookRoutingKeySecretName }}
- name: WEBHOOK_ROUTING_KEY
  valueFrom: {secretKeyRef: {name: {{ . | quote }}, key: routingkey}}
{{- end }}
{{- with $v.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end -}}
