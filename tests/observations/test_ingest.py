from __future__ import annotations

import base64
import hashlib
import io
import os
import struct
import tracemalloc
import wave
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import ExifTags, Image

from consilience.core.errors import BadMedia
from consilience.core.settings import Limits
from consilience.observations import Media, ObservationStore, Source, ingest

Take = Callable[..., Media]


def encoded(picture: Image.Image, form: str = "PNG", **options: object) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, form, **options)
    return buffer.getvalue()


PNG = encoded(Image.linear_gradient("L").resize((40, 30)))
RED = Image.new("RGB", (4, 3), "#ff0000")


def wav(frames: int = 800) -> bytes:
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(bytes(2 * frames))
    return buffer.getvalue()


def bomb() -> bytes:
    """A PNG of a few bytes that says it is 100,000 pixels wide and high."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 100_000, 100_000, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(bytes(10))) + chunk(b"IEND", b"")


def base64_of(content: bytes) -> str:
    return base64.b64encode(content).decode()


def blobs_of(store: ObservationStore) -> list[Path]:
    return [path for path in store.root.rglob("*") if path.is_file() and not path.name.startswith("index.")]


@pytest.fixture
def take(store: ObservationStore, limits: Limits) -> Take:
    """Takes an input into the store of the test."""

    def ingest_into_store(source: Source, name: str | None = None) -> Media:
        return ingest(source, store, limits=limits, name=name)

    return ingest_into_store


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ObservationStore]:
    with ObservationStore(tmp_path_factory.mktemp("shared")) as opened:
        yield opened


# Every form of input


def test_a_path(take: Take, store: ObservationStore, tmp_path: Path) -> None:
    source = tmp_path / "scene.png"
    source.write_bytes(PNG)
    media = take(source)
    assert media == Media(
        id=f"sha256:{hashlib.sha256(PNG).hexdigest()}",
        mime="image/png",
        modality="image",
        name="scene.png",
        size=len(PNG),
        width=40,
        height=30,
    )
    assert store.path(media).read_bytes() == source.read_bytes() == PNG
    assert store.media(media.id) == media


def test_a_path_as_a_string(take: Take, tmp_path: Path) -> None:
    (tmp_path / "scene.png").write_bytes(PNG)
    assert take(str(tmp_path / "scene.png")) == take(tmp_path / "scene.png")


def test_a_path_that_is_a_link(take: Take, tmp_path: Path) -> None:
    (tmp_path / "scene.png").write_bytes(PNG)
    (tmp_path / "link.png").symlink_to(tmp_path / "scene.png")
    assert take(tmp_path / "link.png").name == "link.png"


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_bytes(take: Take, store: ObservationStore, kind: type) -> None:
    media = take(kind(PNG))
    assert (media.name, media.mime, media.size) == ("bytes.png", "image/png", len(PNG))
    assert store.path(media).read_bytes() == PNG


@pytest.mark.parametrize(
    "text",
    [
        "Where does the train leave?",
        "two\nlines.txt",
        "A sentence that ends in a full.stop with more",
        "see https://example.com",
        "word",
        "a" * 2000,
        "nul\u20de",
    ],
)
def test_text(take: Take, store: ObservationStore, text: str) -> None:
    media = take(text)
    assert (media.name, media.modality, media.characters) == ("text.txt", "text", len(text))
    assert store.path(media).read_text(encoding="utf-8") == text


def test_a_pil_image(take: Take, store: ObservationStore) -> None:
    media = take(RED)
    assert (media.name, media.mime, media.width, media.height) == ("picture.png", "image/png", 4, 3)
    with Image.open(store.path(media)) as kept:
        assert kept.tobytes() == RED.tobytes()


@pytest.mark.parametrize(
    "mode", ["1", "L", "LA", "P", "PA", "I", "I;16", "RGB", "RGBA", "RGBa", "RGBX", "CMYK", "YCbCr", "HSV"]
)
def test_a_pil_image_of_any_common_mode(take: Take, mode: str) -> None:
    media = take(Image.new(mode, (4, 3)))
    assert (media.width, media.height) == (4, 3)


@pytest.mark.parametrize("mode", ["CMYK", "YCbCr", "HSV", "RGBX"])
def test_a_pil_image_keeps_its_colours(take: Take, store: ObservationStore, mode: str) -> None:
    with Image.open(store.path(take(RED.convert(mode)))) as kept:
        assert kept.getpixel((0, 0)) == pytest.approx((255, 0, 0), abs=2)


def test_a_pil_image_of_16_bits_keeps_them(take: Take, store: ObservationStore) -> None:
    with Image.open(store.path(take(Image.new("I", (4, 3), 40_000)))) as kept:
        assert kept.getpixel((0, 0)) == 40_000


def test_a_pil_image_that_lies_on_its_side_is_set_upright(take: Take, store: ObservationStore) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    lying = Image.new("RGB", (4, 3), "#000000")
    lying.putpixel((0, 2), (255, 0, 0))
    with Image.open(io.BytesIO(encoded(lying, exif=exif))) as opened:
        media = take(opened)
    assert (media.width, media.height) == (3, 4)
    with Image.open(store.path(media)) as kept:
        assert kept.getpixel((0, 0)) == (255, 0, 0)


@pytest.mark.parametrize("rate", [8000, np.int64(8000)])
@pytest.mark.parametrize(
    ("samples", "expected"),
    [
        (np.array([0.0, 0.5, -1.0, 2.0, np.nan, -np.inf]), [0, 16384, -32767, 32767, 0, -32767]),
        (np.array([[0.0, 1.0], [-1.0, 0.0]], np.float32), [0, 32767, -32767, 0]),
        (np.array([-32768, 0, 32767], np.int16), [-32768, 0, 32767]),
        (np.array([-32768, 258], ">i2"), [-32768, 258]),
        ([0.0, 1.0], [0, 32767]),
    ],
)
def test_samples_and_their_rate(
    take: Take, store: ObservationStore, samples: object, expected: list[int], rate: int
) -> None:
    media = take((samples, rate))
    assert (media.name, media.mime) == ("recording.wav", "audio/wave")
    with wave.open(str(store.path(media)), "rb") as file:
        assert (file.getframerate(), file.getsampwidth()) == (8000, 2)
        assert file.getnchannels() == (np.ndim(samples))
        assert np.frombuffer(file.readframes(file.getnframes()), "<i2").tolist() == expected


def test_samples_know_how_long_they_last(take: Take) -> None:
    assert take((np.zeros((12_000, 2)), 8000)).seconds == 1.5


def test_a_data_frame(take: Take, store: ObservationStore) -> None:
    frame = pd.DataFrame({"city": ["York", "Bath, Avon"], "trains": [3, 4]})
    media = take(frame)
    assert (media.name, media.modality, media.mime) == ("table.csv", "table", "text/csv")
    assert pd.read_csv(store.path(media)).equals(frame)


def test_a_medium(take: Take) -> None:
    media = take(PNG, "scene.png")
    assert take(media) is media


@pytest.mark.parametrize(
    ("block", "content", "name"),
    [
        ({"type": "text", "text": "plain words"}, b"plain words", "text.txt"),
        ({"type": "text-plain", "text": "plain words", "mime_type": "text/plain"}, b"plain words", "text.txt"),
        ({"type": "image", "base64": base64_of(PNG), "mime_type": "image/png"}, PNG, "image.png"),
        ({"type": "image", "url": f"data:image/png;base64,{base64_of(PNG)}"}, PNG, "image.png"),
        ({"type": "image", "source_type": "base64", "data": base64_of(PNG)}, PNG, "image.png"),
        ({"type": "image_url", "image_url": {"url": f"data:image/png;base64,{base64_of(PNG)}"}}, PNG, "image_url.png"),
        ({"type": "image_url", "image_url": f"data:image/png;base64,{base64_of(PNG)}"}, PNG, "image_url.png"),
        ({"type": "audio", "base64": base64_of(wav()), "mime_type": "audio/wav"}, wav(), "audio.wav"),
        ({"type": "input_audio", "input_audio": {"data": base64_of(wav()), "format": "wav"}}, wav(), "recording.wav"),
        ({"type": "file", "base64": base64_of(b"a,b"), "mime_type": "text/csv"}, b"a,b", "file.txt"),
        ({"type": "file", "url": "data:text/plain,two%20words"}, b"two words", "file.txt"),
        ({"base64": base64_of(PNG)}, PNG, "content block.png"),
    ],
)
def test_a_content_block(
    take: Take, store: ObservationStore, block: dict[str, object], content: bytes, name: str
) -> None:
    media = take(block)
    assert media.name == name
    assert store.path(media).read_bytes() == content


# What a medium is called


def test_the_name_given_wins(take: Take, tmp_path: Path) -> None:
    (tmp_path / "scene.png").write_bytes(PNG)
    assert take(tmp_path / "scene.png", "holiday.png").name == "holiday.png"
    assert take(PNG, "holiday").name == "holiday.png"
    assert take("# Title", "notes.md").mime == "text/markdown"


def test_a_table_stays_a_table_under_a_name_of_its_own(take: Take) -> None:
    media = take(pd.DataFrame({"a": [1]}), "scores")
    assert (media.name, media.modality) == ("scores.csv", "table")


def test_a_hostile_name_is_made_harmless(take: Take) -> None:
    media = take(PNG, "\x1b[31m" + "x" * 300 + "\nname.png")
    assert media.name.isprintable()
    assert len(media.name) == 255
    assert media.name.endswith("x?name.png")


# Laws


@given(st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1).filter(str.strip))
def test_same_bytes_have_the_same_id(shared: ObservationStore, text: str) -> None:
    content = text.encode()
    media = ingest(content, shared)
    assert media.id == f"sha256:{hashlib.sha256(content).hexdigest()}"
    assert ingest({"type": "text", "text": text}, shared).id == media.id == ingest(content, shared, name="b.txt").id
    assert shared.path(media).read_bytes() == content


@given(st.data())
def test_damaged_media_are_taken_in_or_refused_but_nothing_else(shared: ObservationStore, data: st.DataObject) -> None:
    content = bytearray(data.draw(st.sampled_from(SPECIMENS)))
    for _ in range(data.draw(st.integers(0, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    damaged = bytes(content[: data.draw(st.integers(0, len(content)))])
    try:
        ingest(damaged, shared)
        taken = True
    except BadMedia:
        taken = False
    assert shared.blob(hashlib.sha256(damaged).hexdigest()).exists() == taken


# What is refused


def test_a_missing_file(take: Take, tmp_path: Path) -> None:
    with pytest.raises(BadMedia, match=r"there is no such file\. Check the path") as caught:
        take(tmp_path / "missing.png")
    assert caught.value.name == str(tmp_path / "missing.png")


@pytest.mark.parametrize("name", ["missing.png", "folder/missing file.png", "./missing.csv"])
def test_a_string_that_looks_like_a_missing_file(take: Take, name: str) -> None:
    with pytest.raises(BadMedia, match="there is no such file"):
        take(name)


def test_a_file_inside_a_file(take: Take, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("words")
    with pytest.raises(BadMedia, match="there is no such file"):
        take(tmp_path / "file" / "scene.png")


def test_a_path_that_no_file_can_have(take: Take, tmp_path: Path) -> None:
    with pytest.raises(BadMedia, match="there is no such file"):
        take(tmp_path / "nul\0.png")
    with pytest.raises(BadMedia, match=r"cannot be read \(File name too long\)"):
        take(tmp_path / ("x" * 300))


def test_a_folder(take: Take, tmp_path: Path) -> None:
    for folder in (tmp_path, str(tmp_path)):
        with pytest.raises(BadMedia, match=r"is not a file\. Name the files one by one"):
            take(folder)


def test_a_pipe_is_not_waited_for(take: Take, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    with pytest.raises(BadMedia, match="is not a file"):
        take(tmp_path / "pipe.png")


@pytest.mark.parametrize("source", [b"", "", {"type": "text", "text": ""}, {"type": "image", "base64": ""}])
def test_empty_input(take: Take, source: Source) -> None:
    with pytest.raises(BadMedia, match=r"is empty \(0 bytes\)\. Export or copy it again"):
        take(source)


def test_an_empty_file(take: Take, tmp_path: Path) -> None:
    (tmp_path / "empty.png").touch()
    with pytest.raises(BadMedia, match=r"empty\.png: is empty \(0 bytes\)"):
        take(tmp_path / "empty.png")


def test_more_bytes_than_allowed(store: ObservationStore, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"a" * 11)
    assert ingest(b"a" * 10, store, limits=Limits(media_bytes=10)).size == 10
    for source in (b"a" * 11, tmp_path / "a.txt"):
        with pytest.raises(BadMedia, match=r"is too large \(11 bytes; the limit is 10\).*LIMIT_MEDIA_BYTES"):
            ingest(source, store, limits=Limits(media_bytes=10))


REFUSED = [
    pytest.param(PNG[:-30], "scene.png", r"is broken or cut off .*Copy or export it again", id="truncated PNG"),
    pytest.param(wav()[:-600], "voice.wav", r"is cut off: 1,600 bytes .*Copy or record it again", id="truncated WAV"),
    pytest.param(
        b"words", "photo.png", r"named as a picture, but .*Rename it, or export it again", id="text named .png"
    ),
    pytest.param(bomb(), "photo.png", r"is a decompression bomb .*Do not open it", id="decompression bomb"),
    pytest.param(bytes(100), "a.bin", r"type is not supported .*Pictures, recordings, .* are", id="unsupported type"),
    pytest.param(b" \n", "a.txt", r"nothing but white space.* Save it again", id="blank text"),
]


@pytest.mark.parametrize(("content", "name", "message"), REFUSED)
@pytest.mark.parametrize("form", ["path", "bytes", "block"])
def test_hostile_media_in_every_form(
    take: Take, store: ObservationStore, tmp_path: Path, content: bytes, name: str, message: str, form: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    source = {"path": path, "bytes": content, "block": {"type": "file", "base64": base64_of(content)}}[form]
    with pytest.raises(BadMedia, match=message) as caught:
        take(source, name)
    assert (caught.value.name, caught.value.exit_code) == (name, 3)
    assert caught.value.cure
    assert blobs_of(store) == []


def test_a_refusal_takes_no_good_medium_with_it(take: Take, store: ObservationStore) -> None:
    media = take(b"plain words", "notes.txt")
    with pytest.raises(BadMedia, match="is named as a picture"):
        take(b"plain words", "photo.png")
    assert store.path(media).read_bytes() == b"plain words"


def test_a_medium_whose_bytes_are_gone(take: Take, photo: Media) -> None:
    with pytest.raises(BadMedia, match=r"no longer in the store\. Pass the file again"):
        take(photo)


@pytest.mark.parametrize("source", [None, 3, 3.5, [], {1}, object(), (1, 2, 3)])
def test_an_input_of_no_known_form(take: Take, source: Source) -> None:
    with pytest.raises(BadMedia, match=r"is not understood\. Pass a path, bytes, text, a PIL image") as caught:
        take(source)
    assert caught.value.name == type(source).__name__


@pytest.mark.parametrize(
    "pair",
    [
        pytest.param((np.zeros(0), 8000), id="no samples"),
        pytest.param((np.zeros((2, 2, 2)), 8000), id="three dimensions"),
        pytest.param((np.zeros((2, 100_000)), 8000), id="channels first"),
        pytest.param((np.zeros(8, np.int32), 8000), id="32-bit integers"),
        pytest.param((np.zeros(8, np.uint8), 8000), id="8-bit integers"),
        pytest.param((np.array(["a"]), 8000), id="words"),
        pytest.param(([[1.0], [1.0, 2.0]], 8000), id="ragged"),
        pytest.param((8000, np.zeros(8)), id="rate first"),
        pytest.param((np.zeros(8), 8000.5), id="broken rate"),
        pytest.param((np.zeros(8), 0), id="no rate"),
        pytest.param((np.zeros(8), -8000), id="negative rate"),
        pytest.param((np.zeros(8), 2**40), id="absurd rate"),
    ],
)
def test_a_pair_that_is_no_sound(take: Take, pair: tuple[object, object]) -> None:
    with pytest.raises(BadMedia, match=r"is no sound.*Pass floats in -1 to 1 or int16"):
        take(pair)


@pytest.mark.parametrize("picture", [Image.new("F", (4, 3)), Image.new("LAB", (4, 3)), Image.new("RGB", (0, 0))])
def test_a_pil_image_that_png_cannot_hold(take: Take, picture: Image.Image) -> None:
    with pytest.raises(BadMedia, match=r"cannot be kept as PNG .*convert it to RGB"):
        take(picture)


def test_a_pil_image_whose_file_is_cut_off(take: Take) -> None:
    with Image.open(io.BytesIO(PNG[:-30])) as opened, pytest.raises(BadMedia, match=r"cannot be kept.*Open it again"):
        take(opened)


@pytest.mark.parametrize(
    "source",
    [
        "https://example.com/photo.png",
        "HTTP://example.com",
        {"type": "image", "url": "https://example.com/photo.png"},
        {"type": "image_url", "image_url": {"url": "https://example.com/photo.png"}},
        {"type": "file", "url": "file:///etc/passwd"},
    ],
)
def test_urls_are_not_fetched(take: Take, source: Source) -> None:
    with pytest.raises(BadMedia, match=r"URLs are not fetched\. Download it and pass the file"):
        take(source)


@pytest.mark.parametrize(
    ("block", "message"),
    [
        ({}, "carries no base64 data"),
        ({"type": "image", "file_id": "file-1"}, "carries no base64 data"),
        ({"type": "text", "text": None}, "carries no base64 data"),
        ({"type": "input_audio"}, "carries no base64 data"),
        ({"type": "input_audio", "input_audio": "words"}, "carries no base64 data"),
        ({"type": "image", "base64": "not base64!"}, "base64 data is broken"),
        ({"type": "image", "base64": "é"}, "base64 data is broken"),
        ({"type": "image", "url": "data:image/png;base64,%%"}, "base64 data is broken"),
    ],
)
def test_a_content_block_without_content(take: Take, block: dict[str, object], message: str) -> None:
    with pytest.raises(BadMedia, match=message) as caught:
        take(block)
    assert caught.value.cure


@pytest.mark.parametrize("source", ["half a \ud83d", {"type": "text", "text": "half a \ud83d"}])
def test_text_with_half_a_character(take: Take, source: Source) -> None:
    with pytest.raises(BadMedia, match=r"half a character .*Read it as UTF-8 again"):
        take(source)


SPECIMENS = [
    PNG,
    wav(50),
    b"plain words",
    *(encoded(RED, form) for form in ("JPEG", "GIF", "BMP", "WEBP", "TIFF", "PPM", "PDF", "ICO", "JPEG2000", "AVIF")),
]


def test_a_picture_taken_in_again_is_not_decoded_again(
    store: ObservationStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, copy = tmp_path / "one.png", tmp_path / "two.png"
    Image.new("RGB", (40, 30), "navy").save(path)
    copy.write_bytes(path.read_bytes())
    first = ingest(path, store)
    monkeypatch.setattr("PIL.Image.open", lambda *_: pytest.fail("decoded again"))
    assert ingest(path, store) == first
    renamed = ingest(copy, store)
    assert renamed == first.model_copy(update={"name": "two.png"})
    assert store.media(first.id).name == "two.png"


def test_known_bytes_are_still_held_to_name_and_limits(store: ObservationStore, tmp_path: Path) -> None:
    path, liar = tmp_path / "one.png", tmp_path / "one.wav"
    Image.new("RGB", (40, 30), "navy").save(path)
    liar.write_bytes(path.read_bytes())
    ingest(path, store)
    with pytest.raises(BadMedia, match="is named as a recording"):
        ingest(liar, store)
    with pytest.raises(BadMedia, match="the limit is 100"):
        ingest(path, store, limits=Limits(pixels=100))


def test_a_long_recording_is_not_read_into_memory(store: ObservationStore, tmp_path: Path) -> None:
    path = tmp_path / "long.wav"
    path.write_bytes(wav(16_000_000))
    tracemalloc.start()
    media = ingest(path, store)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert media.seconds == 16_000_000 / 8000
    assert most < 8_000_000
