package allow

_is_twin(finding) if finding.server.name == "k8s-1"
