"""The layers of an image, with their sizes as they lie on a disk and as they travel."""

import gzip
import json
import tempfile
from pathlib import Path
from typing import NamedTuple

from tests.image.function import buildah

OWN = ("OPA", "Python packages and their byte code", "function and policies")
"""What the Dockerfile adds to the base image, in its order."""


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

        def blob(descriptor: dict[str, str]) -> Path:
            return blobs / descriptor["digest"].removeprefix("sha256:")

        [described] = json.loads((Path(folder) / "index.json").read_text())["manifests"]
        manifest = json.loads(blob(described).read_text())
        sizes = [(_unpacked(blob(layer)), layer["size"]) for layer in manifest["layers"]]
        contents = ["base image"] * (len(sizes) - len(OWN)) + [*OWN]
        return [Layer(content, *size) for content, size in zip(contents, sizes, strict=True)]


def _unpacked(blob: Path) -> int:
    size = 0
    with gzip.open(blob) as content:
        while part := content.read(1 << 20):
            size += len(part)
    return size
