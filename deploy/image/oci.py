"""An OCI image layout, written so that the same input gives the same digest: nothing in it tells who made it, or when.

github.com/opencontainers/image-spec, v1.0: image-layout.md, image-index.md, manifest.md, config.md, layer.md.
"""

import datetime
import gzip
import hashlib
import io
import json
import pathlib
import tarfile

INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"


def tar(files: dict[str, tuple[int, bytes]], time: int) -> bytes:
    """Sorted, owned by root, everything of one time; the folders that are wanted come before what is in them."""
    folders = {str(parent) for path in files for parent in pathlib.PurePosixPath(path).parents} - {"."}
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for path in sorted([*folders, *files]):
            entry = tarfile.TarInfo(path)
            entry.mtime = time
            if path in folders:
                entry.type, entry.mode = tarfile.DIRTYPE, 0o755
                archive.addfile(entry)
            else:
                entry.mode, content = files[path]
                entry.size = len(content)
                archive.addfile(entry, io.BytesIO(content))
    return out.getvalue()


class Layout:
    """A folder with blobs by digest. `close` makes it whole; until then a reader finds no image in it."""

    def __init__(self, folder: pathlib.Path):
        self._folder = folder
        (folder / "blobs/sha256").mkdir(parents=True)

    def add(self, content: bytes, media_type: str, **more) -> dict:
        """Its descriptor."""
        digest = hashlib.sha256(content).hexdigest()
        (self._folder / "blobs/sha256" / digest).write_bytes(content)
        return {"mediaType": media_type, "digest": f"sha256:{digest}", "size": len(content), **more}

    def add_json(self, document: dict, media_type: str, **more) -> dict:
        return self.add(dump(document), media_type, **more)

    def add_image(self, architecture: str, files: dict[str, tuple[int, bytes]], time: int, labels: dict) -> dict:
        """One platform's image. It runs as uid 1000 and writes nothing: a read-only root is enough for it."""
        archive = tar(files, time)
        created = datetime.datetime.fromtimestamp(time, datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        config = {
            "created": created,
            "architecture": architecture,
            "os": "linux",
            "config": {
                "User": "1000:1000",
                "Env": ["PATH=/usr/bin"],
                "Entrypoint": ["/usr/bin/spotkeeper"],
                "WorkingDir": "/",
                "Labels": labels,
            },
            "rootfs": {"type": "layers", "diff_ids": ["sha256:" + hashlib.sha256(archive).hexdigest()]},
            "history": [{"created": created, "created_by": "deploy/image/build"}],
        }
        manifest = {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": self.add_json(config, CONFIG),
            "layers": [self.add(gzip.compress(archive, compresslevel=9, mtime=0), LAYER)],
            "annotations": labels,
        }
        return self.add_json(manifest, MANIFEST, platform={"architecture": architecture, "os": "linux"})

    def close(self, images: list[dict], name: str, labels: dict) -> dict:
        """The index of all platforms, under this name. Returns its descriptor."""
        index = {"schemaVersion": 2, "mediaType": INDEX, "manifests": images, "annotations": labels}
        descriptor = self.add_json(index, INDEX)
        named = descriptor | {"annotations": {"org.opencontainers.image.ref.name": name}}
        (self._folder / "oci-layout").write_bytes(dump({"imageLayoutVersion": "1.0.0"}))
        (self._folder / "index.json").write_bytes(dump({"schemaVersion": 2, "mediaType": INDEX, "manifests": [named]}))
        return descriptor

    def compressed_size(self, image: dict) -> int:
        """What a node fetches for it."""
        manifest = json.loads((self._folder / "blobs" / image["digest"].replace(":", "/")).read_text())
        return image["size"] + manifest["config"]["size"] + sum(layer["size"] for layer in manifest["layers"])


def dump(document: dict) -> bytes:
    return (json.dumps(document, indent=1, sort_keys=True) + "\n").encode()
