"""The layers of an image, with their sizes as they lie on a disk and as they travel."""

import gzip
import json
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

from tests.image.function import buildah


class Layer(NamedTuple):
    """What a layer holds, and its bytes."""

    content: str
    size: int
    compressed: int

    def __str__(self) -> str:
        """Give a line of a table: megabytes, compressed megabytes, what it holds."""
        return f"{self.size / 1e6:7.1f} {self.compressed / 1e6:7.1f}  {self.content}"


def layers(name: str) -> list[Layer]:
    """Return the layers of an image from the base upwards."""
    with tempfile.TemporaryDirectory() as folder:
        buildah("push", "--quiet", name, f"oci:{folder}")
        blobs = Path(folder) / "blobs" / "sha256"

        def blob(descriptor: dict[str, Any]) -> Path:
            return blobs / str(descriptor["digest"]).removeprefix("sha256:")

        [described] = json.loads((Path(folder) / "index.json").read_text())["manifests"]
        manifest = json.loads(blob(described).read_text())
        history = json.loads(blob(manifest["config"]).read_text())["history"]
        made = [step.get("created_by", "") for step in history if not step.get("empty_layer")]
        copied = [made_by.partition(" in ")[2].strip() or "base image" for made_by in made]
        return [
            Layer(content, _unpacked(blob(layer)), layer["size"])
            for content, layer in zip(copied, manifest["layers"], strict=True)
        ]


def _unpacked(blob: Path) -> int:
    size = 0
    with gzip.open(blob) as content:
        while part := content.read(1 << 20):
            size += len(part)
    return size
