"""`consilience tools`: what there is, whether it works, what is not allowed, and a tested package to start from."""

from __future__ import annotations

import ast
import json
import os
import socket
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from consilience.tools import Runner, catalog, encoder
from consilience.tools.catalog import Catalog
from consilience.tools.excerpt import Excerpt
from pydantic import Field

from consilience.apps import trial
from consilience.apps.extras import extras, missing_packages
from consilience.apps.tooling import _parameters, example_call
from consilience.apps.trial import trials
from consilience.core.registry import package_name
from consilience.core.settings import Settings
from consilience.observations import MODALITIES, Observation, ObservationStore, ingest
from consilience.testing import EncoderConformance

Run = Callable[..., Any]

PLUGINS = {
    "good": '''
        from consilience import encoder
        @encoder(modality="text", kinds=("note",), version="1")
        def good(excerpt):
            """Tells a note."""
            print("noise")
            yield excerpt.observe("note", {}, "a note")
        @encoder(modality="text", kinds=("note",), version="1")
        def also(excerpt):
            """Tells another."""
            yield excerpt.observe("note", {}, "another note")
        offered = [good, also]
    ''',
    "importless": "import no_such_module_at_all",
    "broken": "offered = 1 / 0",
    "leaving": "raise SystemExit('bye')",
    "recursive": "def f(): return f()\noffered = f()",
    "wrong": "offered = 'an encoder'",
    "halfwrong": "from pl_good import good\noffered = [good, 7]",
    "empty": "",
    "usurper": '''
        from consilience import encoder
        @encoder(modality="text", kinds=("note",), version="1", name="image.text")
        def offered(excerpt):
            """Takes a name that is taken."""
            yield excerpt.observe("note", {}, "mine")
    ''',
    "zdouble": '''
        from consilience import encoder
        @encoder(modality="text", kinds=("note",), version="1", name="text.good")
        def offered(excerpt):
            """Takes another plug-in's name."""
            yield excerpt.observe("note", {}, "mine")
    ''',
    "liar": """
        class Liar:
            @property
            def __class__(self):
                raise RuntimeError("no class")
        offered = Liar()
    """,
    "runs_wild": '''
        import sys
        from consilience import encoder
        @encoder(modality="text", kinds=("note",), version="1")
        def exits(excerpt):
            """Leaves."""
            sys.exit(3)
            yield
        @encoder(modality="text", kinds=("note",), version="1")
        def raises(excerpt):
            """Raises."""
            raise OSError("disk")
            yield
        @encoder(modality="text", kinds=("note",), version="1")
        def recurses(excerpt):
            """Recurses."""
            def f(): return f()
            yield f()
        @encoder(modality="text", kinds=("note",), version="1")
        def lies(excerpt):
            """Yields what is no observation."""
            yield "a string"
        offered = [exits, raises, recurses, lies]
    ''',
}


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Packages as an installer leaves them, each with an entry point; importing one leaves a trace."""
    folder = tmp_path / "site"
    folder.mkdir()
    for name, code in PLUGINS.items():
        trace = f"import pathlib\npathlib.Path({str(folder)!r}, {name + '.imported'!r}).touch()\n"
        (folder / f"pl_{name}.py").write_text(trace + textwrap.dedent(code))
        about = folder / f"pl_{name}-1.0.dist-info"
        about.mkdir()
        (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: Pl_{name}\nVersion: 1.0\n")
        (about / "entry_points.txt").write_text(f"[consilience.tools]\n{name} = pl_{name}:offered\n")
    monkeypatch.syspath_prepend(str(folder))
    yield folder
    for name in PLUGINS:
        sys.modules.pop(f"pl_{name}", None)


def imported(folder: Path) -> set[str]:
    return {path.stem for path in folder.glob("*.imported")}


# Plug-ins


def test_nothing_is_imported_that_is_not_allowed(installed: Path) -> None:
    found = catalog(Settings())
    assert not imported(installed)
    assert {plugin.name for plugin in found.waiting} == set(PLUGINS)
    assert not found.failures
    assert all(f"CONSILIENCE_PLUGINS={plugin.package}" in plugin.cure for plugin in found.waiting)


def test_only_what_is_allowed_is_imported(installed: Path) -> None:
    found = catalog(Settings(plugins=("PL.good",)))
    assert imported(installed) == {"good"}
    assert found.source("text.good") == found.source("text.also") == "pl-good 1.0"
    assert found.source("image.text") == "consilience"


def test_an_error_in_one_leaves_the_others_and_ours_alone(installed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = catalog(Settings(plugins=("*",)))
    ours = {each.name for each in catalog(Settings()).encoders}
    names = {each.name for each in found.encoders}
    wild = {"text.exits", "text.raises", "text.recurses", "text.lies"}
    assert names == ours | {"text.good", "text.also"} | wild
    told = {plugin.name: plugin.failure or "" for plugin in found.failures}
    assert set(told) == set(PLUGINS) - {"good", "runs_wild"}
    assert "no_such_module_at_all" in told["importless"]
    assert "ZeroDivisionError" in told["broken"]
    assert told["leaving"] == "SystemExit: bye"
    assert "RecursionError" in told["recursive"]
    assert "it offers str" in told["wrong"]
    assert "it offers int" in told["halfwrong"]
    assert "AttributeError" in told["empty"]
    assert "another encoder of the name image.text" in told["usurper"]
    assert "another encoder of the name text.good" in told["zdouble"]
    assert "it offers Liar" in told["liar"]
    assert found.encoder("image.text").modality == "image"
    assert not capsys.readouterr().out


async def test_what_goes_wrong_at_run_stays_with_its_encoder(installed: Path, tmp_path: Path) -> None:
    settings = Settings(plugins=("pl-runs-wild", "pl-good"), cache_dir=tmp_path)
    store = ObservationStore.open(settings)
    runner = Runner(store, catalog(settings).encoders, settings=settings)
    media = ingest("Words.", store)
    ended = {encoding.encoder: encoding async for encoding in runner.perceive([media])}
    assert {"text.passages", "text.good"} <= {name for name, each in ended.items() if not each.failure}
    assert "SystemExit: 3" in (ended["text.exits"].failure or "")
    assert "OSError: disk" in (ended["text.raises"].failure or "")
    assert "RecursionError" in (ended["text.recurses"].failure or "")
    assert ended["text.lies"].failure


@pytest.mark.parametrize(
    ("given", "names"),
    [
        ("", ()),
        ("consilience-warmth", ("consilience-warmth",)),
        ("Consilience_Warmth, other.one", ("consilience-warmth", "other-one")),
        ("*", ("*",)),
    ],
)
def test_the_setting_is_a_list_of_packages(
    given: str, names: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("CONSILIENCE_PLUGINS", given)
    assert Settings().plugins == names
    monkeypatch.delenv("CONSILIENCE_PLUGINS")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "consilience.toml").write_text(f"plugins = {json.dumps(given.split(','))}")
    assert Settings().plugins == names
    assert package_name("A__b.-C") == "a-b-c"


# list, show


def test_list_tells_all_about_each(run: Run, installed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONSILIENCE_PLUGINS", "pl-good,pl-broken")
    told = json.loads(run("tools", "list", "--json").out)
    by_name = {each["name"]: each for each in told["encoders"]}
    assert by_name["text.good"]["package"] == "pl-good 1.0"
    assert by_name["image.objects"]["weights"] == ["objects-ssd"]
    assert by_name["image.text"]["runs_by_default"]
    assert all(
        {"modality", "kinds", "cost", "extra", "allowed", "biometric"} <= each.keys() for each in told["encoders"]
    )
    assert told["failures"] == ["broken of pl-broken: ZeroDivisionError: division by zero"]
    assert "pl-wrong" in {each["package"] for each in told["not_allowed"]}
    shown = run("tools", "list").out
    assert "from pl-good 1.0" in shown
    assert "Plug-in lost: broken" in shown
    assert "Plug-in not allowed: wrong of pl-wrong 1.0" in shown
    assert "CONSILIENCE_PLUGINS=pl-wrong" in shown


def test_a_plugin_that_is_not_allowed_is_told_when_it_is_asked_for(run: Run, installed: Path) -> None:
    for name in ("text.good", "good", "pl-good"):
        refused = run("tools", "show", name)
        assert refused.code == 2
        assert "CONSILIENCE_PLUGINS=pl-good" in refused.err
    # What an entry point offers may be called otherwise: all that wait are named.
    unknown = run("tools", "show", "text.also")
    assert unknown.code == 2
    assert "not allowed by CONSILIENCE_PLUGINS" in unknown.err
    assert "pl-good" in unknown.err
    assert not imported(installed)


def test_a_package_that_is_allowed_and_not_there_is_told(
    run: Run, installed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONSILIENCE_PLUGINS", "pl-god,pytest")
    shown = run("tools", "list").out
    assert "CONSILIENCE_PLUGINS names pl-god: no such package is installed. Did you mean 'pl-good'?" in shown
    assert "names pytest: it is installed, but has no encoders." in shown
    absent = json.loads(run("tools", "list", "--json").out)["not_found"]
    assert [each["package"] for each in absent] == ["pl-god", "pytest"]
    told = {each.encoder: each for each in trials(Catalog((), (), catalog(Settings()).absent), Settings())}
    assert told["plug-in pl-god"].state == "missing"
    assert "pip install pl-god" in told["plug-in pl-god"].cure
    monkeypatch.setenv("CONSILIENCE_PLUGINS", "*")
    assert catalog(Settings()).absent == ()


@pytest.mark.parametrize(
    ("name", "variable"),
    [
        ("image.describe", "CONSILIENCE_VISION_MODEL"),
        ("audio.transcription", "CONSILIENCE_TRANSCRIPTION_MODEL"),
        ("audio.whisper", "CONSILIENCE_WHISPER_CHECKPOINT"),
    ],
)
def test_encoders_that_wait_for_a_setting_are_shown_with_it(run: Run, name: str, variable: str) -> None:
    assert f"runs where {variable} (" in run("tools", "list").out
    shown = run("tools", "show", name)
    assert shown.code == 0
    assert f"where {variable} (" in shown.out
    assert not json.loads(run("tools", "show", name, "--json").out)["runs_by_default"]
    assert name in {each["name"] for each in json.loads(run("tools", "list", "--json").out)["not_set"]}
    refused = run("tools", "doctor", name)
    assert refused.code == 2
    assert variable in refused.err


def test_show_tells_parameters_weights_and_a_call(run: Run) -> None:
    shown = run("tools", "show", "image.objects").out
    for told in ("min_score", "number", "0.4", "weights objects-ssd", "Apache-2.0", "run_blocking("):
        assert told in shown
    facts = json.loads(run("tools", "show", "image.objects", "--json").out)
    assert {key: facts["parameters"][0][key] for key in ("name", "type", "default")} == {
        "name": "min_score",
        "type": "number, at least 0, at most 1",
        "default": 0.4,
    }
    assert facts["weights"][0]["size"] > 1e6
    unknown = run("tools", "show", "image.objetcs")
    assert unknown.code == 2
    assert "Did you mean 'image.objects'?" in unknown.err


def test_the_example_call_is_right_python_and_runs(tmp_path: Path, place: Path) -> None:
    for each in catalog(Settings(biometrics=True)).encoders:
        ast.parse(example_call(each))
    (tmp_path / "note.txt").write_text("The upper room.")
    code = example_call(catalog(Settings()).encoder("text.passages")).replace("FILE", str(tmp_path / "note.txt"))
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "The upper room." in ran.stdout


def test_show_tells_types_in_words(run: Run) -> None:
    @encoder(modality="text", kinds=("note",), version="1")
    def wide(
        excerpt: Excerpt,
        *,
        share: Annotated[float, Field(ge=0, le=1)] = 0.5,
        names: tuple[str, ...] = (),
        mode: Literal["a", "b"] = "a",
        most: int | None = None,
    ) -> Iterator[Observation]:
        """Has parameters of all types.

        Args:
            share: of the whole.
        """
        yield excerpt.observe("note", {}, "x")

    told = {row["name"]: (row["type"], row["description"]) for row in _parameters(wide)}
    assert told == {
        "share": ("number, at least 0, at most 1", "of the whole."),
        "names": ("array of string", ""),
        "mode": ('"a" or "b"', ""),
        "most": ("integer or null", ""),
    }


# doctor


def test_doctor_really_runs_encoders(run: Run) -> None:
    ran = run("tools", "doctor", "image.properties", "text.passages", "--json")
    assert ran.code == 0
    told = {each["encoder"]: each for each in json.loads(ran.out)["encoders"]}
    assert {each["state"] for each in told.values()} == {"works"}
    assert "upper room" in told["text.passages"]["told"]
    assert "480 x 472" in told["image.properties"]["told"]
    assert "image.properties works" in run("tools", "doctor", "image.properties").out


def test_doctor_names_missing_weights_and_their_cure(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CONSILIENCE_CACHE_DIR", str(tmp_path / "empty"))
    ran = run("tools", "doctor", "image.objects")
    assert ran.code == 4
    assert "image.objects missing: no weights objects-ssd." in ran.out
    assert "consilience weights pull objects-ssd" in ran.out


def test_doctor_takes_what_only_runs_when_asked_for_as_optional(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("CONSILIENCE_CACHE_DIR", str(tmp_path / "empty"))
    found = catalog(Settings())
    only = Catalog(tuple(found.encoder(name) for name in ("audio.sounds", "image.properties")))
    unnamed = {each.encoder: each for each in trials(only, Settings())}
    assert unnamed["audio.sounds"].state == "skipped"
    assert "weights pull sounds-yamnet" in unnamed["audio.sounds"].cure
    assert run("tools", "doctor", "audio.sounds").code == 4


def test_doctor_names_missing_extras_and_their_cure(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trial, "missing_packages", lambda extra: ("rapidocr",))
    ran = run("tools", "doctor", "image.text")
    assert ran.code == 4
    assert "no rapidocr." in ran.out
    assert "pip install 'consilience[image]'" in ran.out


def test_doctor_tells_plugins_that_fail(run: Run, installed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONSILIENCE_PLUGINS", "*")
    ran = run("tools", "doctor", "text.exits", "text.raises", "text.recurses", "text.good", "--json")
    told = {each["encoder"]: each for each in json.loads(ran.out)["encoders"]}
    assert {name: each["state"] for name, each in told.items()} == {
        "text.exits": "failed",
        "text.raises": "failed",
        "text.recurses": "failed",
        "text.good": "works",
    }
    assert told["text.exits"]["cure"] == "Update or remove it: pip uninstall pl-runs-wild"
    assert ran.code == 4


def test_doctor_leaves_out_what_costs_money_or_measures_bodies_and_gives_up_on_what_hangs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    forever = threading.Event()

    @encoder(modality="text", kinds=("note",), version="1", cost="remote")
    def dear(excerpt: Excerpt) -> Iterator[Observation]:
        """Costs money."""
        yield excerpt.observe("note", {}, "a note")

    @encoder(modality="image", kinds=("face",), version="1", biometric=True)
    def body(excerpt: Excerpt) -> Iterator[Observation]:
        """Measures bodies."""
        yield excerpt.observe("face", {"share": 0.5}, "a face")

    @encoder(modality="text", kinds=("note",), version="1")
    def hangs(excerpt: Excerpt) -> Iterator[Observation]:
        """Never ends."""
        forever.wait()
        yield excerpt.observe("note", {}, "a note")

    @encoder(modality="video", kinds=("note",), version="1", mimes=("video/x-odd",))
    def odd(excerpt: Excerpt) -> Iterator[Observation]:
        """Reads what nobody has."""
        yield excerpt.observe("note", {}, "a note")

    @encoder(modality="text", kinds=("note",), version="1")
    def silent(excerpt: Excerpt) -> Iterator[Observation]:
        """Tells nothing."""
        yield from ()

    @encoder(modality="text", kinds=("part",), version="1")
    def divider(excerpt: Excerpt) -> Iterator[Observation]:
        """Finds nothing to divide."""
        yield from ()

    monkeypatch.setattr(trial, "_SECONDS", 0.2)
    found = Catalog((dear, body, hangs, odd, silent, divider))
    states = {each.encoder: (each.state, each.told) for each in trials(found, Settings())}
    forever.set()
    assert states["text.dear"] == ("skipped", "it may cost money.")
    assert states["image.body"][0] == "skipped"
    assert states["text.hangs"] == ("failed", "sample.txt: TimeoutError: it did not end within 0.2 s")
    assert states["video.odd"] == ("skipped", "there is no sample of a type that it reads.")
    assert states["text.silent"][0] == "failed"
    assert states["text.divider"] == ("works", "sample.txt need not be divided.")
    monkeypatch.undo()
    (named,) = trials(found, Settings(), ["text.dear"])
    assert named.state == "works"
    (allowed,) = trials(found, Settings(biometrics=True), ["image.body"])
    assert allowed.state == "works"


def test_extras_are_those_of_the_package() -> None:
    assert "fastmcp" in extras()["mcp"]
    assert {"rapidocr", "pdfplumber"} <= set(extras()["document"])
    assert missing_packages("mcp") == ()
    assert missing_packages("no such extra") == ()


# new


def test_new_packages_of_every_modality_pass_their_own_tests(run: Run, tmp_path: Path) -> None:
    sources, tests = [], []
    for modality in MODALITIES:
        name = f"{modality}_gauge"
        ran = run("tools", "new", name, "--modality", modality, "--into", tmp_path)
        assert ran.code == 0
        folder = tmp_path / f"consilience-{modality}-gauge"
        assert f"cd {folder}" in ran.out
        # What an installer would write; the packaging test really installs one.
        about = folder / f"src/consilience_{name}-0.1.0.dist-info"
        about.mkdir()
        (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {folder.name}\nVersion: 0.1.0\n")
        (about / "entry_points.txt").write_text(f"[consilience.tools]\n{name} = consilience_{name}:{name}\n")
        sources.append(str(folder / "src"))
        tests.append(str(folder / "tests"))
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-W", "error", "-o", "asyncio_mode=auto", *tests],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sources)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    checks = sum(name.startswith("test_") for name in vars(EncoderConformance))
    passed = int(done.stdout.rpartition(" passed")[0].rpartition("\n")[2].split()[-1])
    assert passed >= len(MODALITIES) * checks


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["gauge", "--modality", "smell"], "Unknown modality 'smell'"),
        (["Gauge"], "cannot name an encoder"),
        (["class"], "cannot name an encoder"),
        (["../gauge"], "cannot name an encoder"),
        (["objects"], "observes 'objects' itself"),
        (["transcript", "--modality", "audio"], "observes 'transcript' itself"),
    ],
)
def test_a_bad_name_is_told(run: Run, arguments: list[str], told: str, tmp_path: Path) -> None:
    ran = run("tools", "new", *arguments, "--into", tmp_path)
    assert ran.code == 2
    assert told in ran.err
    assert not list(tmp_path.glob("consilience-*"))


def test_nothing_is_overwritten(run: Run, tmp_path: Path) -> None:
    (tmp_path / "consilience-gauge").mkdir()
    ran = run("tools", "new", "gauge", "--into", tmp_path)
    assert ran.code == 2
    assert "is there already" in ran.err


# mcp


def test_a_server_for_others_needs_a_token(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CONSILIENCE_MCP_TOKEN", raising=False)
    ran = run("mcp", "--http", "--host", "0.0.0.0")
    assert ran.code == 2
    assert "CONSILIENCE_MCP_TOKEN" in ran.err


def test_a_server_of_nothing_is_refused(run: Run, tmp_path: Path) -> None:
    assert run("mcp", "--root", tmp_path / "missing").code == 2
    assert "Did you mean 'image.text'?" in run("mcp", "--tool", "image.txt").err


def test_a_taken_port_is_told(run: Run) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        ran = run("mcp", "--http", "--port", taken.getsockname()[1])
    assert ran.code == 2
    assert "Choose another --port" in ran.err
