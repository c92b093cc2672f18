"""Strict JSON schemas for kubeconform: what Kubernetes does not know is an error.

    python schemas.py OUT 1.34.0 certificates.yaml...

Those of releases of Kubernetes are in the package kubernetes-validate, and become OUT/<release>/<kind>...; those of
definitions of custom resources become OUT/custom/<group>/<kind>_<version>.json.
"""

import importlib.util
import json
import pathlib
import sys

import yaml


def write_release(release: str, out: pathlib.Path) -> None:
    # The package itself needs others, which are not needed here.
    package = pathlib.Path(importlib.util.find_spec("kubernetes_validate").origin).parent
    target = out / release
    target.mkdir(parents=True)
    for file in (package / "kubernetes-json-schema" / f"v{release}-local-strict").glob("*.json"):
        schema = json.loads(file.read_text())
        # A place in the web, where references would be looked up.
        schema.pop("$id", None)
        text = json.dumps(schema).replace("/api/_definitions.json", "_definitions.json")
        (target / file.name).write_text(text)


def write_definition(file: pathlib.Path, out: pathlib.Path) -> None:
    spec = yaml.safe_load(file.read_text())["spec"]
    target = out / "custom" / spec["group"]
    target.mkdir(parents=True, exist_ok=True)
    for version in spec["versions"]:
        schema = closed(version["schema"]["openAPIV3Schema"])
        name = f"{spec['names']['kind'].lower()}_{version['name']}.json"
        (target / name).write_text(json.dumps(schema))


def closed(schema: object) -> object:
    """No properties but those that are named."""
    if isinstance(schema, list):
        return [closed(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    inner = {key: closed(part) for key, part in schema.items()}
    if isinstance(schema.get("properties"), dict) and not schema.get("x-kubernetes-preserve-unknown-fields"):
        inner.setdefault("additionalProperties", False)
    return inner


out, *sources = sys.argv[1:]
for source in sources:
    if source.endswith(".yaml"):
        write_definition(pathlib.Path(source), pathlib.Path(out))
    else:
        write_release(source, pathlib.Path(out))
