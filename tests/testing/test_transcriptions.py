from __future__ import annotations

from typing import Any

import httpx2
import openai
import pytest

from consilience.testing import Fault, ModelServer


def test_a_recording_is_transcribed() -> None:
    with (
        ModelServer(["Platform six. Mind the gap!"]) as server,
        openai.OpenAI(base_url=server.base_url, api_key="k") as client,
    ):
        told = client.audio.transcriptions.create(
            file=("call.wav", b"RIFF\r\n\x00\xff", "audio/wav"),
            model="whisper-1",
            language="en",
            response_format="verbose_json",
            timestamp_granularities=["word", "segment"],
        )
        (call,) = server.calls
    assert (told.text, told.language, told.duration) == ("Platform six. Mind the gap!", "en", 2.5)
    assert [(part.text, part.start, part.end) for part in told.segments] == [
        (" Platform six.", 0.0, 1.0),
        (" Mind the gap!", 1.0, 2.5),
    ]
    assert [(word.word, word.start) for word in told.words][:2] == [("Platform", 0.0), ("six.", 0.5)]
    assert call.body["file"] == {
        "filename": "call.wav",
        "content_type": "audio/wav",
        "content": b"RIFF\r\n\x00\xff",
    }
    assert call.body["timestamp_granularities[]"] == ["word", "segment"]


def test_a_transcription_in_its_other_forms() -> None:
    own = {"text": "hi", "segments": [], "duration": 9.0}
    with (
        ModelServer([lambda request: request["file"]["filename"], "as text", own, "refused"]) as server,
        openai.OpenAI(base_url=server.base_url, api_key="k", max_retries=0) as client,
    ):
        create = client.audio.transcriptions.create
        assert create(file=("a.wav", b"a"), model="m").text == "a.wav"
        assert create(file=("a.wav", b"a"), model="m", response_format="text").strip() == "as text"
        verbose = create(file=("a.wav", b"a"), model="m", response_format="verbose_json")
        assert (verbose.duration, verbose.segments) == (9.0, [])
        with httpx2.Client() as plain:
            response = plain.post(f"{server.base_url}/audio/transcriptions", data={"model": "m"})
        assert response.json()["error"]["code"] == "missing_file"


@pytest.mark.parametrize(("kind", "text"), [("empty", ""), ("length", "Platform ")])
def test_a_transcription_meets_faults(kind: Any, text: str) -> None:
    with (
        ModelServer(lambda request: "Platform sixteen.", faults=[Fault("rate_limit"), Fault(kind)]) as server,
        openai.OpenAI(base_url=server.base_url, api_key="k", max_retries=0) as client,
    ):
        with pytest.raises(openai.RateLimitError):
            client.audio.transcriptions.create(file=("a.wav", b"a"), model="m")
        assert client.audio.transcriptions.create(file=("a.wav", b"a"), model="m").text == text[:8]
