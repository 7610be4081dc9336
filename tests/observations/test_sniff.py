from __future__ import annotations

import io
import json
import re
import struct
import sys
import wave
import zlib
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import ExifTags, Image, ImageOps

from consilience.core.errors import BadMedia, UnsupportedMedia
from consilience.core.settings import Limits
from consilience.observations import Modality, Record
from consilience.observations.interchange import to_jsonl
from consilience.observations.sniff import Sniffed, sniff

Look = Callable[..., Sniffed]

WIDE = (40, 30)


def picture(form: str, size: tuple[int, int] = WIDE, **options: object) -> bytes:
    buffer = io.BytesIO()
    Image.linear_gradient("L").resize(size).convert("RGB").save(buffer, form, **options)
    return buffer.getvalue()


def rotated(form: str, orientation: int) -> bytes:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    return picture(form, exif=exif)


def wav(frames: int = 800, rate: int = 8000, channels: int = 1) -> bytes:
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(bytes(2 * frames * channels))
    return buffer.getvalue()


def recording(container: str, codec: str, rate: int = 48_000) -> bytes:
    """One second of a tone."""
    tone = (np.sin(np.arange(rate) / 20) * 8000).astype("<i2")[np.newaxis]
    frame = av.AudioFrame.from_ndarray(tone, format="s16", layout="mono")
    frame.sample_rate = rate
    buffer = io.BytesIO()
    with av.open(buffer, "w", format=container) as file:
        stream = file.add_stream(codec, rate=rate, layout="mono")
        size = stream.codec_context.frame_size or 1024
        for piece in av.AudioResampler(stream.format.name, "mono", rate, frame_size=size).resample(frame):
            file.mux(stream.encode(piece))
        file.mux(stream.encode(None))
    return buffer.getvalue()


def recording_by(artist: bytes) -> bytes:
    """An MP3 with an ID3 tag; its artist is said to be in UTF-8."""
    frame = b"TPE1" + struct.pack(">I", len(artist) + 1) + b"\0\0" + b"\3" + artist
    return b"ID3\3\0\0" + struct.pack(">I", len(frame)) + frame + recording("mp3", "libmp3lame")


def film(container: str, codec: str) -> bytes:
    """Five frames."""
    buffer = io.BytesIO()
    with av.open(buffer, "w", format=container) as file:
        stream = file.add_stream(codec, rate=5)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for shade in range(5):
            file.mux(stream.encode(av.VideoFrame.from_ndarray(np.full((48, 64, 3), shade * 40, np.uint8))))
        file.mux(stream.encode(None))
    return buffer.getvalue()


def png_chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png_of(width: int, height: int, *chunks: bytes) -> bytes:
    """A PNG that says it is of this size."""
    header = png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    pixels = png_chunk(b"IDAT", zlib.compress(bytes(100)))
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(chunks) + pixels + png_chunk(b"IEND", b"")


@pytest.fixture
def look(tmp_path: Path, limits: Limits) -> Look:
    """Sniffs bytes that people call `name`."""

    def sniff_bytes(content: bytes, name: str = "unnamed") -> Sniffed:
        path = tmp_path / "medium"
        path.write_bytes(content)
        return sniff(path, name, limits)

    return sniff_bytes


# Pictures


@pytest.mark.parametrize(
    ("form", "mime"),
    [
        ("PNG", "image/png"),
        ("JPEG", "image/jpeg"),
        ("GIF", "image/gif"),
        ("BMP", "image/bmp"),
        ("WEBP", "image/webp"),
        ("TIFF", "image/tiff"),
        ("AVIF", "image/avif"),
        ("JPEG2000", "image/jp2"),
        ("PPM", "image/x-portable-anymap"),
    ],
)
def test_pictures_are_measured(look: Look, form: str, mime: str) -> None:
    found = look(picture(form))
    assert (found.modality, found.mime, found.width, found.height) == ("image", mime, *WIDE)


@pytest.mark.parametrize("form", ["PNG", "JPEG", "GIF", "BMP", "WEBP", "TIFF", "AVIF", "JPEG2000", "PPM"])
def test_pictures_that_are_cut_off_are_refused(look: Look, form: str) -> None:
    content = picture(form)
    with pytest.raises(BadMedia, match=r"is broken or cut off .* Copy or export it again|is no readable picture"):
        look(content[: len(content) * 2 // 3])


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_pictures_have_the_size_of_their_upright_form(look: Look, form: str, orientation: int) -> None:
    content = rotated(form, orientation)
    with Image.open(io.BytesIO(content)) as opened:
        upright = ImageOps.exif_transpose(opened).size
    found = look(content)
    assert (found.width, found.height) == upright == (WIDE if orientation < 5 else WIDE[::-1])


@pytest.mark.parametrize("orientation", [0, 9, 65535])
def test_an_orientation_that_does_not_exist_turns_nothing(look: Look, orientation: int) -> None:
    found = look(rotated("JPEG", orientation))
    assert (found.width, found.height) == WIDE


@pytest.mark.parametrize("exif", [b"MM\0*", b"MM\0*\0\0\0\x08\0\x05", b"nonsense" * 3, b"II*\0\xff\xff\xff\xff"])
def test_broken_exif_leaves_the_picture_as_it_lies(look: Look, exif: bytes) -> None:
    found = look(picture("JPEG", exif=b"Exif\0\0" + exif))
    assert (found.width, found.height) == WIDE


def test_only_the_limit_on_pixels_counts(look: Look) -> None:
    assert look(picture("PNG", (100, 100))).width == 100
    with pytest.raises(BadMedia, match=r"101 x 100 pixels; the limit is 10,000 .*Raise CONSILIENCE_LIMIT_PIXELS"):
        look(picture("PNG", (101, 100)))


def test_the_limit_on_pixels_counts_before_any_is_unpacked(look: Look) -> None:
    with pytest.raises(BadMedia, match=r"^unnamed: would unpack to 12000 x 12000 pixels"):
        look(png_of(12_000, 12_000))


def test_the_setting_wins_over_the_limit_of_pillow(look: Look, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    assert look(picture("PNG", (100, 100))).width == 100
    assert Image.MAX_IMAGE_PIXELS == 1000
    with pytest.raises(BadMedia, match=r"is a decompression bomb"):
        look(png_of(200, 200))


def test_decompression_bombs_are_refused(look: Look) -> None:
    with pytest.raises(BadMedia, match=r"is a decompression bomb .*Do not open it"):
        look(png_of(100_000, 100_000))


def test_bombs_hidden_in_remarks_are_refused(look: Look) -> None:
    bomb = png_chunk(b"zTXt", b"remark\0\0" + zlib.compress(bytes(20_000_000)))
    with pytest.raises(BadMedia, match="Decompressed data too large"):
        look(png_of(10, 10, bomb))


def test_a_picture_of_which_only_the_beginning_is_right_is_refused(look: Look) -> None:
    with pytest.raises(BadMedia, match=r"is (no readable picture|broken)"):
        look(b"\x89PNG\r\n\x1a\n" + bytes(range(256)))


# Recordings


@pytest.mark.parametrize("channels", [1, 2])
def test_wav_is_measured_to_the_millisecond(look: Look, channels: int) -> None:
    found = look(wav(frames=12_345, channels=channels))
    assert (found.modality, found.mime, found.seconds) == ("audio", "audio/wave", 1.543)


@pytest.mark.parametrize(
    ("container", "codec", "mime"),
    [
        ("mp3", "libmp3lame", "audio/mpeg"),
        ("flac", "flac", "audio/flac"),
        ("ogg", "libopus", "application/ogg"),
        ("adts", "aac", "audio/aac"),
        ("aiff", "pcm_s16be", "audio/x-aiff"),
    ],
)
def test_compressed_recordings_are_measured(look: Look, container: str, codec: str, mime: str) -> None:
    found = look(recording(container, codec))
    assert (found.modality, found.mime) == ("audio", mime)
    assert found.seconds == pytest.approx(1, abs=0.1)


@pytest.mark.parametrize(
    ("container", "codec", "name"),
    [("ipod", "aac", "memo.m4a"), ("mp4", "aac", "memo.M4A"), ("webm", "libopus", "a.opus")],
)
def test_sound_in_a_films_container_is_a_recording_by_name(look: Look, container: str, codec: str, name: str) -> None:
    found = look(recording(container, codec), name)
    assert found.modality == "audio"
    assert found.mime.startswith("audio/")
    assert found.seconds == pytest.approx(1, abs=0.1)


def test_a_film_named_as_a_recording_must_hold_sound(look: Look) -> None:
    with pytest.raises(BadMedia, match=r"holds no sound\. Record it again"):
        look(film("mp4", "mpeg4"), "memo.m4a")


def test_compressed_wav_is_measured_by_a_decoder(look: Look) -> None:
    assert look(recording("wav", "adpcm_ima_wav")).seconds == pytest.approx(1, abs=0.1)


def test_without_a_decoder_compressed_recordings_are_unmeasured(look: Look, monkeypatch: pytest.MonkeyPatch) -> None:
    content = recording("mp3", "libmp3lame")
    monkeypatch.setitem(sys.modules, "av", None)
    found = look(content)
    assert (found.modality, found.seconds) == ("audio", None)


@pytest.mark.parametrize("artist", ["Beyoncé".encode(), "Beyoncé".encode("latin-1"), b"\xff\xfe\x80"])
def test_a_broken_tag_breaks_no_recording(look: Look, artist: bytes) -> None:
    assert look(recording_by(artist)).seconds == pytest.approx(1, abs=0.1)


def test_a_recording_that_is_too_long_is_refused(look: Look) -> None:
    assert look(wav(frames=80_000)).seconds == 10
    with pytest.raises(BadMedia, match=r"is too long \(11 s; the limit is 10 s\).*CONSILIENCE_LIMIT_AUDIO_SECONDS"):
        look(wav(frames=88_000))


def promising(samples: int) -> bytes:
    """A FLAC of a second whose header promises so many samples; 0: it does not know (RFC 9639, 8.2)."""
    content = bytearray(recording("flac", "flac"))
    place = content.index(b"fLaC") + 8 + 13
    content[place] &= 0xF0
    content[place + 1 : place + 5] = struct.pack(">I", samples)
    return bytes(content)


@pytest.mark.parametrize("samples", [0, 480, 48_000, 48_000 * 3600])
def test_sound_is_measured_whatever_its_header_says(look: Look, samples: int) -> None:
    assert look(promising(samples)).seconds == pytest.approx(1, abs=0.1)


@pytest.mark.parametrize("samples", [0, 480])
def test_a_recording_that_hides_its_length_is_refused(tmp_path: Path, samples: int) -> None:
    (tmp_path / "a.flac").write_bytes(promising(samples))
    # Lengths are believed to half a second, and packets counted to a second beyond the limit.
    with pytest.raises(BadMedia, match=r"is too long .*CONSILIENCE_LIMIT_AUDIO_SECONDS"):
        sniff(tmp_path / "a.flac", "a.flac", Limits(audio_seconds=0.3))


def test_sound_of_an_unknown_kind_is_refused(look: Look) -> None:
    content = recording("webm", "libopus").replace(b"A_OPUS", b"A_OPUZ")
    with pytest.raises(BadMedia, match="holds sound of an unknown kind"):
        look(content, "a.opus")


def test_wav_that_is_cut_off_is_refused(look: Look) -> None:
    with pytest.raises(BadMedia, match=r"1,600 bytes of sound promised, 1,000 there\. Copy or record it again"):
        look(wav()[:-600])


def test_wav_that_is_cut_off_inside_its_header_is_refused(look: Look) -> None:
    with pytest.raises(BadMedia, match=r"is cut off inside its header|is no readable WAV"):
        look(wav()[:30])


def test_wav_whose_parts_are_longer_than_the_whole_is_refused(look: Look) -> None:
    content = wav()
    remark = b"LIST" + struct.pack("<I", 1000) + bytes(1000)
    with pytest.raises(BadMedia, match=r"is no readable WAV \(its parts are longer than the whole\)\. Export it again"):
        look(content[:4] + struct.pack("<I", 100) + content[8:36] + remark + content[36:])


def test_wav_without_its_sound_is_refused(look: Look) -> None:
    with pytest.raises(BadMedia, match=r"is no readable WAV .*Export it again"):
        look(wav()[:36])


def test_wav_of_no_length_is_refused(look: Look) -> None:
    with pytest.raises(BadMedia, match=r"holds no sound\. Record it again"):
        look(wav(frames=0))


def test_wav_without_a_rate_is_refused(look: Look) -> None:
    content = bytearray(wav())
    content[24:28] = bytes(4)
    with pytest.raises(BadMedia, match="holds no sound"):
        look(bytes(content))


def test_a_recording_of_which_only_the_beginning_is_right_is_refused(look: Look) -> None:
    with pytest.raises(BadMedia, match=r"is no readable recording .*Export it again"):
        look(b"fLaC" + bytes(range(256)), "a.flac")


# Films and documents


@pytest.mark.parametrize(
    ("container", "codec", "mime"),
    [
        ("mp4", "mpeg4", "video/mp4"),
        ("matroska", "mpeg4", "video/x-matroska"),
        ("mov", "mpeg4", "video/quicktime"),
        ("webm", "libvpx", "video/webm"),
        ("avi", "mpeg4", "video/avi"),
        ("mpegts", "libx264", "video/mp2t"),
        ("mpeg", "mpeg4", "video/dvd"),
    ],
)
def test_films_are_known(look: Look, container: str, codec: str, mime: str) -> None:
    found = look(film(container, codec))
    assert (found.modality, found.mime) == ("video", mime)


def test_films_of_discs_have_a_time_stamp_before_each_packet(look: Look) -> None:
    content = film("mpegts", "libx264")
    packets = [content[start : start + 188] for start in range(0, len(content), 188)]
    found = look(b"".join(b"\0\0\0\0" + packet for packet in packets), "film.m2ts")
    assert (found.modality, found.mime, found.width, found.height) == ("video", "video/mp2t", 64, 48)


@pytest.mark.parametrize("packets", [1, 4])
def test_a_few_packets_are_no_film(look: Look, packets: int) -> None:
    with pytest.raises(BadMedia, match="its type is not supported"):
        look(film("mpegts", "libx264")[: packets * 188])


def test_source_code_may_end_like_a_film(look: Look) -> None:
    assert look(b"export const answer = 42;\n", "answer.ts").modality == "text"


def test_pdf_is_a_document(look: Look) -> None:
    found = look(picture("PDF"))
    assert (found.modality, found.mime) == ("document", "application/pdf")


# Text and tables


@pytest.mark.parametrize(
    ("name", "modality", "mime", "suffix"),
    [
        ("unnamed", "text", "text/plain", ".txt"),
        ("a.txt", "text", "text/plain", ".txt"),
        ("a.log", "text", "text/plain", ".log"),
        ("a.md", "text", "text/markdown", ".md"),
        ("A.Markdown", "text", "text/markdown", ".markdown"),
        ("a.csv", "table", "text/csv", ".csv"),
        ("a.TSV", "table", "text/tab-separated-values", ".tsv"),
    ],
)
def test_the_name_settles_which_text(look: Look, name: str, modality: Modality, mime: str, suffix: str) -> None:
    found = look(b"a,b\n1,2\n", name)
    assert (found.modality, found.mime, found.suffix, found.characters) == (modality, mime, suffix, 8)


def test_a_byte_order_mark_is_no_character(look: Look) -> None:
    assert look("\ufeffgrün".encode()).characters == 4


@pytest.mark.parametrize("offset", range(4))
@pytest.mark.parametrize("character", ["é", "€", "😀"])
def test_long_text_may_have_any_character_anywhere(look: Look, character: str, offset: int) -> None:
    text = "a" * offset + character * 40_000
    assert look(text.encode()).characters == len(text)


def test_text_must_be_utf_8_throughout(look: Look) -> None:
    with pytest.raises(BadMedia, match=r"is not UTF-8 throughout \(byte 100000\)\. Save it as UTF-8"):
        look(b"a" * 100_000 + b"\xff")


def test_text_that_is_too_long_is_refused(look: Look) -> None:
    assert look(b"a" * 1_000_000).characters == 1_000_000
    with pytest.raises(BadMedia, match=r"is too long .*Raise CONSILIENCE_LIMIT_TEXT_CHARACTERS"):
        look(b"a" * 1_000_001)


def test_blank_text_is_refused(look: Look) -> None:
    with pytest.raises(BadMedia, match="holds nothing but white space"):
        look(b" \n\t\r\n")


def test_a_table_with_too_many_rows_is_refused(look: Look) -> None:
    assert look(b"a,b\n" * 1000, "a.csv").modality == "table"
    with pytest.raises(BadMedia, match=r"too many rows \(1,001; the limit is 1,000\).*CONSILIENCE_LIMIT_TABLE_ROWS"):
        look(b"a,b\n" * 1001, "a.csv")


def test_a_line_break_in_a_cell_is_no_row(look: Look) -> None:
    assert look(b'"a\nb",c\n' * 1000, "a.csv").modality == "table"


def test_a_table_that_cannot_be_read_is_refused(look: Look) -> None:
    with pytest.raises(BadMedia, match=r"is no readable table .*Export it as CSV again"):
        look(b'"' + b"a" * 200_000, "a.csv")


# Names and types


@pytest.mark.parametrize(
    ("content", "name", "told"),
    [
        (b"plain words", "photo.png", "is named as a picture, but its content is text (text/plain)"),
        (b"plain words", "voice.WAV", "is named as a recording, but its content is text (text/plain)"),
        (b"plain words", "film.mp4", "is named as a video, but its content is text (text/plain)"),
        (b"plain words", "paper.pdf", "is named as a document, but its content is text (text/plain)"),
        (picture("PNG"), "voice.wav", "is named as a recording, but its content is a picture (image/png)"),
        (wav(), "photo.jpeg", "is named as a picture, but its content is a recording (audio/wave)"),
        (wav(), "film.mov", "is named as a video, but its content is a recording (audio/wave)"),
    ],
)
def test_a_name_that_lies_is_refused(look: Look, content: bytes, name: str, told: str) -> None:
    with pytest.raises(BadMedia, match=re.escape(f"{name}: {told}. Rename it, or export it again.")):
        look(content, name)


def test_a_name_may_be_wrong_about_the_format(look: Look) -> None:
    assert look(picture("PNG"), "photo.jpg").mime == "image/png"


def test_an_archive_without_its_end_is_cut_off(look: Look) -> None:
    with pytest.raises(BadMedia, match="cut off or broken: the end of the archive is missing"):
        look(b"PK\x03\x04" + bytes(100), "letter.docx")


def test_a_record_of_ours_is_no_medium(look: Look) -> None:
    for told in (next(iter(to_jsonl(Record()))), json.dumps({"schema_version": 2, "media": []})):
        with pytest.raises(UnsupportedMedia, match=r"is a record of consilience.*consilience import"):
            look(told.encode(), "records.jsonl")
    assert look(b'{"schema_version": 2, "name": "other"}', "other.json").modality == "text"


@pytest.mark.parametrize(
    "content",
    [
        bytes(100),
        b"\x7fELF" + bytes(100),
        b"\x1f\x8b\x08" + bytes(100),
        "caf\xe9 au lait".encode("latin-1"),
        b"beep \x07 beep",
    ],
)
def test_other_types_are_refused_by_what_they_are(look: Look, content: bytes) -> None:
    with pytest.raises(BadMedia, match=r"its type is not supported .*Pictures, recordings, .* are"):
        look(content)


def test_facts_are_those_of_media() -> None:
    assert Sniffed("text/plain", "text", ".txt", characters=4).facts() == {
        "mime": "text/plain",
        "modality": "text",
        "width": None,
        "height": None,
        "seconds": None,
        "channels": None,
        "pages": None,
        "characters": 4,
    }
