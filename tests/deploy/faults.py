"""Faults planted into good manifests. A check that lets one pass checks nothing."""

import copy



def find(documents, kind, ending=""):
    return next(document for document in documents
                if document["kind"] == kind and document["metadata"]["name"].endswith(ending))


def worker(documents):
    return find(documents, "Deployment", "-worker")["spec"]


def dispatcher(documents):
    return find(documents, "Deployment", "-dispatcher")["spec"]


def container(spec):
    return spec["template"]["spec"]["containers"][0]


def set_env(spec, name, **entry):
    listed = container(spec)["env"]
    listed[:] = [other for other in listed if other["name"] != name] + [{"name": name, **entry}]


def at(value, path, new):
    """Sets what stands at a path such as `spec.ports.0.name`; `None` takes it away."""
    *way, last = [int(part) if part.isdigit() else part for part in path.split(".")]
    for part in way:
        value = value[part]
    if new is None:
        del value[last]
    else:
        value[last] = new


# (values file, what is done, a word of the sentence that has to come)
FAULTS = [
    ("default", lambda d: at(worker(d), "selector.matchLabels.tier", "x"), "does not match its own pods"),
    ("default", lambda d: at(find(d, "Service", "-dispatcher"), "spec.selector", {"app.kubernetes.io/name": "spanfleet"}), "not one kind of pod"),
    ("default", lambda d: at(find(d, "PodDisruptionBudget"), "spec.selector.matchLabels", {"app": "none"}), "selects no pod"),
    ("default", lambda d: at(find(d, "PodDisruptionBudget"), "spec.maxUnavailable", 0), "lets no node be drained"),
    ("keda", lambda d: at(find(d, "ServiceMonitor", "-worker"), "spec.endpoints.0.port", "metrics"), "in no Service"),
    ("default", lambda d: at(container(worker(d)), "readinessProbe.httpGet.port", "probes"), "asks a port"),
    ("default", lambda d: at(container(worker(d)), "livenessProbe", None), "livenessProbe is missing"),
    ("default", lambda d: set_env(worker(d), "SPANFLEET_METRICS_LISTEN", value="127.0.0.1:9090"), "listens on"),
    ("default", lambda d: at(find(d, "Service", "-dispatcher"), "spec.ports.0.targetPort", "https"), "open in no pod"),
    ("everything", lambda d: at(find(d, "Ingress"), "spec.rules.0.http.paths.0.pathType", "Prefix"), "shows metrics"),
    ("everything", lambda d: at(find(d, "Ingress"), "spec.rules.0.http.paths.0.backend.service.name", "x"), "has no port"),
    ("default", lambda d: at(container(worker(d)), "resources.limits", {}), "resources.limits.memory"),
    ("default", lambda d: at(container(find(d, "Job")["spec"]), "resources", None), "resources.requests.cpu"),
    ("default", lambda d: set_env(worker(d), "SPANFLEET_SLOTS", value="32"), "its slots need 1020"),
    ("default", lambda d: at(container(worker(d)), "securityContext.readOnlyRootFilesystem", False), "is not restricted"),
    ("default", lambda d: at(container(worker(d)), "securityContext.capabilities", {"drop": ["NET_RAW"]}), "is not restricted"),
    ("default", lambda d: at(worker(d), "template.spec.securityContext.runAsNonRoot", False), "the pod is not restricted"),
    ("default", lambda d: at(worker(d), "template.spec.automountServiceAccountToken", None), "token of the API server"),
    ("default", lambda d: worker(d)["template"]["spec"]["volumes"].append({"name": "h", "hostPath": {"path": "/"}}), "may not have"),
    ("default", lambda d: at(worker(d), "template.spec.volumes", []), "which is no volume"),
    ("default", lambda d: at(container(worker(d)), "image", "spanfleet:latest"), "is not pinned"),
    ("default", lambda d: set_env(worker(d), "DATABASE_URL", value="postgres://db/x"), "stands there plainly"),
    ("default", lambda d: set_env(worker(d), "NOTE", value="amqp://user:pass@host"), "holds a password"),
    ("default", lambda d: d.append({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "stringData": {"a": "b"}}), "holds no secret"),
    ("default", lambda d: set_env(worker(d), "SPANFLEET_LANES", value="2"), "does not read `SPANFLEET_LANES`"),
    ("default", lambda d: set_env(dispatcher(d), "SPANFLEET_SLOTS", value="2"), "does not read `SPANFLEET_SLOTS`"),
    ("default", lambda d: container(worker(d))["env"].append({"name": "AWS_REGION", "value": "x"}), "is set twice"),
    ("default", lambda d: at(container(worker(d)), "args", ["work"]), "no command `work`"),
    ("default", lambda d: at(worker(d), "template.spec.terminationGracePeriodSeconds", 30), "is killed after"),
    ("default", lambda d: at(find(d, "Job")["spec"], "template.spec.serviceAccountName", "fleet-spanfleet"), "before its ServiceAccount"),
    ("default", lambda d: at(find(d, "HorizontalPodAutoscaler"), "spec.scaleTargetRef.name", "x"), "which is not there"),
    ("default", lambda d: at(worker(d), "replicas", 2), "by a scaler"),
    ("default", lambda d: at(find(d, "HorizontalPodAutoscaler"), "spec.behavior.scaleDown.stabilizationWindowSeconds", 60), "within less than 300 s"),
    ("keda", lambda d: at(find(d, "ScaledObject"), "spec.triggers.0.metadata.protocol", "amqp"), "protocol: http"),
    ("keda", lambda d: at(find(d, "ScaledObject"), "spec.triggers.0.metadata.value", "1"), "other slots"),
    ("keda", lambda d: at(find(d, "ScaledObject"), "spec.triggers.0.metadata.queueName", "tasks"), "another queue"),
    ("keda", lambda d: at(find(d, "ScaledObject"), "spec.triggers.1.authenticationRef.name", "x"), "`x` is not there"),
    ("keda", lambda d: at(find(d, "ScaledObject"), "spec.fallback", None), "no fallback"),
    ("default", lambda d: d.append(copy.deepcopy(d[0])), "is there twice"),
    ("default", lambda d: at(worker(d), "template.spec.terminationGrace", 3), "terminationGrace"),
    ("default", lambda d: at(worker(d), "minReadySeconds", "soon"), "on Kubernetes"),
    ("everything", lambda d: at(find(d, "NetworkPolicy"), "spec.policyTypes", "Ingress"), "on Kubernetes"),
]

# The same for what only KEDA's and the Prometheus operator's schemas know.
CUSTOM_FAULTS = [
    ("keda", lambda d: at(find(d, "ScaledObject"), "spec.maxReplicaCount", "many"), "maxReplicaCount"),
    ("keda", lambda d: at(find(d, "ScaledObject"), "spec.triggers", None), "triggers"),
    ("keda", lambda d: at(find(d, "TriggerAuthentication"), "spec.secretTargetRef.0.parameter", None), "parameter"),
    ("keda", lambda d: at(find(d, "PrometheusRule"), "spec.groups.0.rules.0.expr", None), "expr"),
    ("keda", lambda d: at(find(d, "ServiceMonitor"), "spec.endpoints.0.interval", "soon"), "interval"),
]


def uncaught(rendered, rules, schema):
    """Asks the schema, which takes its time, only where the rules find nothing."""
    for values, plant, word in FAULTS:
        documents = copy.deepcopy(rendered(values))
        plant(documents)
        found = [*rules(documents)]
        found = found or [*schema([document for document in documents if document not in rendered(values)])]
        if not any(word in finding for finding in found):
            yield f"a planted fault of `{values}` is not caught: no finding says `{word}`, only {found}"


def uncaught_custom(rendered, findings):
    planted = []
    for number, (values, plant, _) in enumerate(CUSTOM_FAULTS):
        custom = [document for document in rendered(values) if document["apiVersion"].startswith(("keda.sh", "monitoring.coreos.com"))]
        documents = copy.deepcopy(custom)
        plant(documents)
        for document in documents:
            document["metadata"]["name"] = f"fault-{number}"
        planted += documents
    found = findings(planted)
    for number, (_, _, word) in enumerate(CUSTOM_FAULTS):
        if not any(f"/fault-{number}:" in finding and word in finding for finding in found):
            yield f"a planted fault in a custom resource is not caught: no finding says `{word}`, only {found}"
