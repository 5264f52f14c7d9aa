"""Rules that every rendered manifest keeps. Pure: documents in, sentences out."""

import re

import binary

PASSWORD = re.compile(r"://[^/\s:@]+:[^@\s]+@")
SECRET_NAMES = re.compile(r"PASSWORD|SECRET|TOKEN|^DATABASE_URL$|^AMQP_URL$|ACCESS_KEY")
RESTRICTED_VOLUMES = {"configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret"}


def of_kind(documents, *kinds):
    return [document for document in documents if document["kind"] in kinds]


def place(document):
    return f"{document['kind']}/{document['metadata']['name']}"


def pods(documents):
    """Every pod with the document that makes it: (document, labels, spec)."""
    for document in documents:
        if document["kind"] == "Pod":
            yield document, document["metadata"].get("labels", {}), document["spec"]
        elif "template" in document.get("spec", {}):
            template = document["spec"]["template"]
            yield document, template["metadata"].get("labels", {}), template["spec"]


def containers(documents):
    for document, _, spec in pods(documents):
        for container in spec["containers"]:
            yield document, spec, container


def environment(container):
    return {entry["name"]: entry.get("value") for entry in container.get("env", [])}


def selects(selector, labels):
    return bool(selector) and all(labels.get(key) == value for key, value in selector.items())


def strings(value):
    if isinstance(value, dict):
        for part in value.values():
            yield from strings(part)
    elif isinstance(value, list):
        for part in value:
            yield from strings(part)
    elif isinstance(value, str):
        yield value


def names(documents):
    seen = set()
    for document in documents:
        if len(document["metadata"]["name"]) > 63:
            yield f"{place(document)}: the name is longer than 63 characters"
        if place(document) in seen:
            yield f"{place(document)} is there twice"
        seen.add(place(document))


def selectors(documents):
    found = list(pods(documents))
    services = of_kind(documents, "Service")
    for document, labels, spec in found:
        own = document["spec"].get("selector", {}).get("matchLabels") if document["kind"] == "Deployment" else labels
        if not selects(own, labels):
            yield f"{place(document)}: its selector does not match its own pods"
        for spread in spec.get("topologySpreadConstraints", []):
            if not selects(spread["labelSelector"]["matchLabels"], labels):
                yield f"{place(document)}: spreads over pods that are not its own"
    for document in of_kind(documents, "Service", "PodDisruptionBudget", "NetworkPolicy"):
        spec = document["spec"]
        selector = spec.get("podSelector", spec.get("selector", {}))
        hits = [place(other) for other, labels, _ in found if selects(selector.get("matchLabels", selector), labels)]
        if len(hits) != 1:
            yield f"{place(document)}: selects {hits or 'no pod'}, not one kind of pod"
    for document in of_kind(documents, "ServiceMonitor"):
        wanted = document["spec"]["selector"]["matchLabels"]
        ports = [port["name"] for service in services if selects(wanted, service["metadata"]["labels"]) for port in service["spec"]["ports"]]
        for endpoint in document["spec"]["endpoints"]:
            if endpoint["port"] not in ports:
                yield f"{place(document)}: port `{endpoint['port']}` is in no Service that it selects"


def ports(documents):
    services = {document["metadata"]["name"]: document for document in of_kind(documents, "Service")}
    for document, _, container in containers(documents):
        named = {port["name"]: port["containerPort"] for port in container.get("ports", [])}
        for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
            if probe in container and container[probe]["httpGet"]["port"] not in named:
                yield f"{place(document)}: {probe} asks a port that the container does not have"
            if document["kind"] == "Deployment" and probe not in container:
                yield f"{place(document)}: {probe} is missing"
        for variable in ("SPANFLEET_LISTEN", "SPANFLEET_METRICS_LISTEN"):
            address = environment(container).get(variable)
            if address and (not address.startswith("0.0.0.0:") or int(address.split(":")[1]) != named.get("http")):
                yield f"{place(document)}: listens on `{address}`, its port `http` is {named.get('http')}"
    for service in services.values():
        open_ports = [port["name"] for _, labels, spec in pods(documents) if selects(service["spec"]["selector"], labels)
                      for container in spec["containers"] for port in container.get("ports", [])]
        for port in service["spec"]["ports"]:
            if port["targetPort"] not in open_ports:
                yield f"{place(service)}: target port `{port['targetPort']}` is open in no pod"
    for ingress in of_kind(documents, "Ingress"):
        for path in (path for rule in ingress["spec"]["rules"] for path in rule["http"]["paths"]):
            backend = path["backend"]["service"]
            offered = services.get(backend["name"], {"spec": {"ports": []}})["spec"]["ports"]
            if backend["port"]["name"] not in [port["name"] for port in offered]:
                yield f"{place(ingress)}: backend `{backend['name']}` has no port `{backend['port']['name']}`"
            if path["path"].startswith(("/metrics", "/readyz")) or (path["path"] == "/" and path["pathType"] != "Exact"):
                yield f"{place(ingress)}: path `{path['path']}` shows metrics and probes to the world"


def resources(documents):
    for document, _, container in containers(documents):
        found = container.get("resources", {})
        for group, wanted in (("requests", ("cpu", "memory")), ("limits", ("memory",))):
            for name in wanted:
                if name not in found.get(group, {}):
                    yield f"{place(document)}: no resources.{group}.{name}"


def mebibytes(quantity):
    units = {"Mi": 1, "Gi": 1024}
    return int(quantity[:-2]) * units[quantity[-2:]]


def memory(documents):
    """docs/operations.md: 60 MiB + slots × (4 × largest text + splits × 30 MiB); here one split of small texts."""
    for document, _, container in containers(documents):
        if container["args"] != ["worker"]:
            continue
        wanted = 60 + int(environment(container)["SPANFLEET_SLOTS"]) * 30
        given = mebibytes(container["resources"]["requests"]["memory"])
        if given < wanted:
            yield f"{place(document)}: asks for {given} MiB, and its slots need {wanted}"


def security(documents):
    for document, _, spec in pods(documents):
        context = spec.get("securityContext", {})
        if context.get("seccompProfile", {}).get("type") != "RuntimeDefault" or not context.get("runAsNonRoot"):
            yield f"{place(document)}: the pod is not restricted (seccomp, non-root)"
        if spec.get("automountServiceAccountToken") is not False:
            yield f"{place(document)}: mounts a token of the API server"
        if spec.get("hostNetwork") or spec.get("hostPID") or spec.get("hostIPC"):
            yield f"{place(document)}: shares a namespace of the host"
        volumes = {volume["name"]: volume for volume in spec.get("volumes", [])}
        for volume in volumes.values():
            if not RESTRICTED_VOLUMES & volume.keys():
                yield f"{place(document)}: volume `{volume['name']}` is of a kind that restricted pods may not have"
        for container in spec["containers"]:
            for mount in container.get("volumeMounts", []):
                if mount["name"] not in volumes:
                    yield f"{place(document)}: mounts `{mount['name']}`, which is no volume"
    for document, _, container in containers(documents):
        context = container.get("securityContext", {})
        is_tight = context.get("readOnlyRootFilesystem") and context.get("allowPrivilegeEscalation") is False
        if not is_tight or context.get("capabilities", {}).get("drop") != ["ALL"] or context.get("privileged"):
            yield f"{place(document)}: container `{container['name']}` is not restricted"
        image = container["image"]
        if "@sha256:" not in image and (":" not in image.split("/")[-1] or image.endswith(":latest")):
            yield f"{place(document)}: image `{image}` is not pinned"


def secrets(documents):
    for document in documents:
        if document["kind"] == "Secret":
            yield f"{place(document)}: a chart holds no secret; name one that was made beforehand"
        for text in strings(document):
            if PASSWORD.search(text):
                yield f"{place(document)}: holds a password in an address"
    for document, _, container in containers(documents):
        for entry in container.get("env", []):
            if "value" in entry and SECRET_NAMES.search(entry["name"]):
                yield f"{place(document)}: `{entry['name']}` stands there plainly; take it from a Secret"


def variables(documents):
    for document, _, container in containers(documents):
        listed = [entry["name"] for entry in container.get("env", [])]
        for name in sorted({name for name in listed if listed.count(name) > 1}):
            yield f"{place(document)}: `{name}` is set twice"
        command = container["args"][0]
        if command not in binary.commands():
            yield f"{place(document)}: the binary has no command `{command}`"
        for name in binary.unknown(listed, command):
            yield f"{place(document)}: `{command}` does not read `{name}`"


def lifecycle(documents):
    accounts = [document["metadata"]["name"] for document in of_kind(documents, "ServiceAccount")]
    for document, _, spec in pods(documents):
        hook = document["metadata"].get("annotations", {}).get("helm.sh/hook", "")
        if "pre-install" in hook and spec.get("serviceAccountName") in accounts:
            yield f"{place(document)}: runs before its ServiceAccount is there"
    for document, spec, container in containers(of_kind(documents, "Deployment")):
        grace = spec.get("terminationGracePeriodSeconds", 30)
        wanted = int(environment(container).get("SPANFLEET_STOP_GRACE_SECONDS") or 0)
        wanted += container.get("lifecycle", {}).get("preStop", {}).get("sleep", {}).get("seconds", 0)
        if grace < wanted + 10:
            yield f"{place(document)}: is killed after {grace} s, and may take {wanted} s to stop"
    deployments = {document["metadata"]["name"]: document for document in of_kind(documents, "Deployment")}
    for budget in of_kind(documents, "PodDisruptionBudget"):
        if budget["spec"].get("maxUnavailable") in (0, "0%") or "minAvailable" in budget["spec"]:
            yield f"{place(budget)}: lets no node be drained"
    scaled = [document["spec"]["scaleTargetRef"]["name"] for document in of_kind(documents, "ScaledObject", "HorizontalPodAutoscaler")]
    for name in scaled:
        if name not in deployments:
            yield f"a scaler scales `{name}`, which is not there"
    for name, document in deployments.items():
        if ("replicas" in document["spec"]) == (name in scaled):
            yield f"{place(document)}: replicas are set by the chart and by a scaler, or by neither"


def scaling(documents):
    workers = [container for document, _, container in containers(documents) if container["args"] == ["worker"]]
    behaviors = [document["spec"]["behavior"] for document in of_kind(documents, "HorizontalPodAutoscaler")]
    authentications = [document["metadata"]["name"] for document in of_kind(documents, "TriggerAuthentication")]
    for scaled in of_kind(documents, "ScaledObject"):
        spec, known = scaled["spec"], environment(workers[0])
        behaviors.append(spec["advanced"]["horizontalPodAutoscalerConfig"]["behavior"])
        if not spec.get("fallback", {}).get("replicas"):
            yield f"{place(scaled)}: no fallback for when nobody can be asked"
        for trigger in spec["triggers"]:
            if trigger["authenticationRef"]["name"] not in authentications:
                yield f"{place(scaled)}: `{trigger['authenticationRef']['name']}` is not there"
            facts = trigger["metadata"]
            if trigger["type"] == "rabbitmq" and facts.get("protocol") != "http":
                yield f"{place(scaled)}: AMQP counts only what no worker has yet; write `protocol: http`"
            if trigger["type"] == "rabbitmq" and facts["queueName"] != known["SPANFLEET_QUEUE"]:
                yield f"{place(scaled)}: counts another queue than the fleet's"
            if facts.get("value", facts.get("targetQueryValue")) != known["SPANFLEET_SLOTS"]:
                yield f"{place(scaled)}: `{trigger['name']}` reckons with other slots than a worker has"
    for behavior in behaviors:
        if behavior["scaleDown"]["stabilizationWindowSeconds"] < 300:
            yield "workers go within less than 300 s of little work"


RULES = [names, selectors, ports, resources, memory, security, secrets, variables, lifecycle, scaling]


def findings(documents):
    return [finding for rule in RULES for finding in rule(documents)]
