{{- define "ve.labels" -}}
app.kubernetes.io/name: vision-events
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end }}

{{- define "ve.selector" -}}
app.kubernetes.io/name: vision-events
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end }}

{{- define "ve.name" -}}
{{ printf "%s-%s" .root.Release.Name .component | trunc 63 | trimSuffix "-" }}
{{- end }}

{{/* One container of ours: root, component, args, settings (more than those of all), secret, resources. */}}
{{- define "ve.container" -}}
- name: {{ .component }}
  image: "{{ .root.Values.image.repository }}:{{ .root.Values.image.tag | default .root.Chart.AppVersion }}"
  imagePullPolicy: {{ .root.Values.image.pullPolicy }}
  args: {{ toJson .args }}
  env:
    - {name: VISION_EVENTS_SECRETS_DIR, value: /run/secrets/vision-events}
    - {name: VISION_EVENTS_HEALTH_HOST, value: "0.0.0.0"}
    - {name: VISION_EVENTS_HEALTH_PORT, value: "8081"}
    {{- range $name, $value := merge (dict) (.settings | default dict) .root.Values.settings }}
    - {name: VISION_EVENTS_{{ upper $name }}, value: {{ $value | toString | quote }}}
    {{- end }}
  ports:
    - {name: health, containerPort: 8081}
    {{- with .port }}
    - {name: http, containerPort: {{ . }}}
    {{- end }}
  securityContext:
    allowPrivilegeEscalation: false
    readOnlyRootFilesystem: true
    capabilities: {drop: [ALL]}
  {{- with .resources }}
  resources: {{- toYaml . | nindent 4 }}
  {{- end }}
  volumeMounts:
    - {name: tmp, mountPath: /tmp}
    - {name: secrets, mountPath: /run/secrets/vision-events, readOnly: true}
    {{- if .root.Values.tlsSecret }}
    - {name: tls, mountPath: /etc/vision-events/tls, readOnly: true}
    {{- end }}
    {{- if .receivers }}
    - {name: receivers, mountPath: /etc/vision-events/receivers, readOnly: true}
    {{- end }}
{{- end }}

{{/* What every pod of ours has around its container. */}}
{{- define "ve.pod" -}}
serviceAccountName: {{ .root.Release.Name }}
automountServiceAccountToken: false
{{- with .root.Values.imagePullSecrets }}
imagePullSecrets: {{- toYaml . | nindent 2 }}
{{- end }}
securityContext:
  runAsNonRoot: true
  runAsUser: 10001
  fsGroup: 10001
  seccompProfile: {type: RuntimeDefault}
volumes:
  - {name: tmp, emptyDir: {sizeLimit: 512Mi}}
  - name: secrets
    secret: {secretName: {{ .secret | default .root.Values.secret }}, defaultMode: 0440}
  {{- with .root.Values.tlsSecret }}
  - name: tls
    secret: {secretName: {{ . }}, defaultMode: 0440}
  {{- end }}
  {{- with .receivers }}
  - name: receivers
    secret: {secretName: {{ . }}, defaultMode: 0440}
  {{- end }}
{{- end }}
