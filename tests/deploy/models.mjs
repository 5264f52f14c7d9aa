// Custom resources on standard input (a JSON array), what is wrong with them on standard output (the same).
// Their schemas come from packages made from the definitions that KEDA and the Prometheus operator publish; a copy
// of this file runs beside them, because a module finds only packages beside it.
import { readFileSync } from "node:fs";

const packages = { "keda.sh": "@kubernetes-models/keda", "monitoring.coreos.com": "@kubernetes-models/prometheus-operator" };

async function finding(resource) {
  const [group, version] = resource.apiVersion.split("/");
  const models = await import(`${packages[group]}/${group}/${version}/${resource.kind}`);
  try {
    new models[resource.kind](resource).validate();
    return null;
  } catch (error) {
    return `${resource.kind}/${resource.metadata.name}: ${error.message}`;
  }
}

const findings = await Promise.all(JSON.parse(readFileSync(0, "utf8")).map(finding));
process.stdout.write(JSON.stringify(findings.filter(Boolean)));
