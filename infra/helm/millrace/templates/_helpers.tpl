{{- define "millrace.name" -}}
{{- if contains "millrace" .Release.Name }}{{ .Release.Name }}{{ else }}{{ .Release.Name }}-millrace{{ end }}
{{- end }}

{{- define "millrace.selector" -}}
app.kubernetes.io/name: millrace
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .role }}
{{- end }}

{{- define "millrace.labels" -}}
{{ include "millrace.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ .root.Chart.Name }}-{{ .root.Chart.Version }}
{{- end }}

{{- define "millrace.image" -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end }}

{{- /* Variables by name. Numbers come as floats, which print as 1e+06. */ -}}
{{- define "millrace.env" -}}
{{- range $name, $value := . }}
- name: {{ $name }}
  value: {{ if kindIs "float64" $value }}{{ int64 $value | quote }}{{ else }}{{ toString $value | quote }}{{ end }}
{{- end }}
{{- end }}

{{- define "millrace.secret" -}}
- secretRef:
    name: {{ required "existingSecret is not set: the name of a Secret with REDIS_URL and DB_POSTGRES_URL" .Values.existingSecret }}
{{- end }}

{{- define "millrace.podSecurity" -}}
runAsNonRoot: true
runAsUser: 1000
runAsGroup: 1000
fsGroup: 1000
seccompProfile:
  type: RuntimeDefault
{{- end }}

{{- define "millrace.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end }}

{{- /* The template of a role's pods: of `root`, `role`, and the port of its metrics. */ -}}
{{- define "millrace.pod" -}}
{{- $settings := index .root.Values .role -}}
metadata:
  labels:
    {{- include "millrace.labels" . | nindent 4 }}
spec:
  automountServiceAccountToken: false
  # A process takes at most 30 seconds to finish what it has in hand.
  terminationGracePeriodSeconds: 40
  securityContext:
    {{- include "millrace.podSecurity" . | nindent 4 }}
  {{- with .root.Values.imagePullSecrets }}
  imagePullSecrets:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  containers:
    - name: {{ .role }}
      image: {{ include "millrace.image" .root }}
      imagePullPolicy: {{ .root.Values.image.pullPolicy }}
      args: [{{ .role }}]
      env:
        {{- if eq .role "backfiller" "indexer" }}
        - name: {{ upper .role }}_CONSUMER
          valueFrom:
            fieldRef:
              fieldPath: metadata.name
        {{- end }}
        - name: METRICS_PORT
          value: {{ .port | quote }}
        {{- include "millrace.env" (merge (dict) $settings.env .root.Values.env) | nindent 8 }}
      envFrom:
        {{- include "millrace.secret" .root | nindent 8 }}
        {{- with $settings.existingSecret }}
        - secretRef:
            name: {{ . }}
        {{- end }}
      ports:
        - name: metrics
          containerPort: {{ .port }}
        {{- if eq .role "admin" }}
        - name: admin
          containerPort: 4030
        {{- end }}
      # Alive is a process that answers at all. What it depends on is told by /readyz, and a restart would not mend it.
      livenessProbe:
        httpGet: { path: /livez, port: metrics }
        initialDelaySeconds: 10
        periodSeconds: 10
        timeoutSeconds: 5
        failureThreshold: 6
      readinessProbe:
        httpGet: { path: /readyz, port: metrics }
        periodSeconds: 10
        timeoutSeconds: 5
      securityContext:
        {{- include "millrace.containerSecurity" . | nindent 8 }}
      resources:
        {{- toYaml $settings.resources | nindent 8 }}
      volumeMounts:
        - name: data
          mountPath: /data
  volumes:
    - name: data
      emptyDir: {}
  {{- with $settings.nodeSelector }}
  nodeSelector:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $settings.tolerations }}
  tolerations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $settings.affinity }}
  affinity:
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end }}
