"""What is in one platform's image, for who looks for known holes: JSON of SPDX 2.3 (spdx.github.io/spdx-spec/v2.3)."""

import datetime
import hashlib
import re

import contents


def document(platform: contents.Platform, image: dict, files: dict[str, tuple[int, bytes]], time: int) -> dict:
    """`image`: the descriptor of its manifest, by which the document and the image are held together."""
    version = contents.spotkeeper_version()
    title = f"spotkeeper-{version}-{platform.architecture}"
    created = datetime.datetime.fromtimestamp(time, datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    whole = _package("image", version, "NOASSERTION", "CONTAINER", title)
    whole["externalRefs"] = [
        _reference(f"pkg:oci/spotkeeper@{image['digest'].replace(':', '%3A')}?arch={platform.architecture}")
    ]
    entries = [_file(path, content) for path, (_, content) in sorted(files.items())]
    sums = "".join(sorted(entry["checksums"][0]["checksumValue"] for entry in entries))
    verification = {"packageVerificationCodeValue": hashlib.sha1(sums.encode()).hexdigest()}  # section 7.9
    whole |= {"filesAnalyzed": True, "packageVerificationCode": verification}
    program = _package("spotkeeper", version, "Apache-2.0", "APPLICATION")
    packages, relations = [whole, program], [_relation("SPDXRef-DOCUMENT", "DESCRIBES", whole["SPDXID"])]
    relations.append(_relation(whole["SPDXID"], "CONTAINS", program["SPDXID"]))
    for component in contents.LIBRARIES:
        packages.append(_library(component, platform))
        relations.append(_relation(program["SPDXID"], "STATIC_LINK", packages[-1]["SPDXID"]))
    packages.append(_library(contents.CERTIFICATES, platform))
    relations.append(_relation(whole["SPDXID"], "CONTAINS", packages[-1]["SPDXID"]))
    relations += [_relation(whole["SPDXID"], "CONTAINS", entry["SPDXID"]) for entry in entries]
    return {
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "SPDXID": "SPDXRef-DOCUMENT",
        "name": title,
        "documentNamespace": f"urn:spotkeeper:sbom:{image['digest']}",
        "creationInfo": {"created": created, "creators": ["Tool: spotkeeper-deploy-image-build"]},
        "packages": packages,
        "files": entries,
        "relationships": relations,
    }


def _library(component: contents.Component, platform: contents.Platform) -> dict:
    package = _package(component.name, platform.version(component), component.licence, "LIBRARY")
    if component.package:
        distribution = f"pkg:deb/debian/{component.package}@{package['versionInfo']}"
        package["externalRefs"] = [_reference(f"{distribution}?arch={platform.architecture}&distro=bookworm")]
    else:
        package["externalRefs"] = [_reference(f"pkg:generic/{component.name}@{package['versionInfo']}")]
    if component is contents.CERTIFICATES:
        package["primaryPackagePurpose"] = "FILE"
    return package


def _package(name: str, version: str, licence: str, purpose: str, title: str = "") -> dict:
    return {
        "SPDXID": _id("Package", name),
        "name": title or name,
        "versionInfo": version,
        "licenseConcluded": licence,
        "licenseDeclared": licence,
        "copyrightText": "NOASSERTION",
        "downloadLocation": "NOASSERTION",
        "filesAnalyzed": False,
        "primaryPackagePurpose": purpose,
    }


def _file(path: str, content: bytes) -> dict:
    return {
        "SPDXID": _id("File", path),
        "fileName": f"./{path}",
        "checksums": [
            {"algorithm": "SHA1", "checksumValue": hashlib.sha1(content).hexdigest()},
            {"algorithm": "SHA256", "checksumValue": hashlib.sha256(content).hexdigest()},
        ],
        "licenseConcluded": "NOASSERTION",
        "copyrightText": "NOASSERTION",
    }


def _reference(locator: str) -> dict:
    return {"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl", "referenceLocator": locator}


def _relation(one: str, kind: str, other: str) -> dict:
    return {"spdxElementId": one, "relationshipType": kind, "relatedSpdxElement": other}


def _id(kind: str, name: str) -> str:
    return f"SPDXRef-{kind}-" + re.sub(r"[^A-Za-z0-9.-]+", "-", name.replace("+", "p"))
