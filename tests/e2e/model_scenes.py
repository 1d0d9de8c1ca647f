"""What the Model page shows of sources and downloads, for pictures: nothing is asked for, and nothing is fetched."""

from typing import Any

from core.catalog import spec_of
from core.events import Stage, StageName
from core.hub.source import Listing, RemoteFile
from core.problems import Code, Problem
from gui.pages.model_fetch import Offer

FETCHED, GATED, GB = "Qwen/Qwen2.5-7B-Instruct", "google/gemma-2-9b-it", 10**9
#: The sizes of the real files.
_SHARDS = (3_945_441_440, 3_864_726_352, 3_864_726_424, 3_556_377_672)


def offer() -> Offer:
    """What Hugging Face gives of a 7B model."""
    shards = tuple(
        RemoteFile(f"model-{n:05}-of-00004.safetensors", size, "0" * 64) for n, size in enumerate(_SHARDS, 1)
    )
    rest = (("config.json", 663), ("generation_config.json", 243), ("merges.txt", 1_671_839),
            ("model.safetensors.index.json", 27_752), ("tokenizer.json", 7_031_645),
            ("tokenizer_config.json", 7_305), ("vocab.json", 2_776_833))  # fmt: skip
    files = (*(RemoteFile(name, size) for name, size in rest), *shards)
    page = f"https://huggingface.co/{FETCHED}"
    return Offer(FETCHED, Listing(FETCHED, "huggingface", files, "main", page, False, "apache-2.0"), 0, {"known": True})


def search(page: Any) -> None:
    """Words and a filter."""
    page.head.search.setText("qwen")
    page.head.filters.fits.setChecked(True)
    page.head.filters.licence.setCurrentIndex(1)


def offered(page: Any) -> None:
    """The exact bytes before a download."""
    page.choose(spec_of(FETCHED))
    page.fetching.offers[FETCHED] = offer()
    page.show_state(page.state)


def fetching(page: Any, phase: str = "fetching") -> None:
    """In the middle of a download."""
    spec, found = spec_of(FETCHED), offer()
    page.choose(spec)
    page.fetching.model, page.fetching.title, page.fetching.phase = spec.id, spec.title, phase
    page.fetching.stage = Stage(
        stage=StageName.DOWNLOADING, done=6_231 * 10**6, total=found.listing.bytes, unit="bytes", pace=11.4e6,
        seconds=790.0, files_done=8, files=len(found.listing.files),
    )  # fmt: skip
    page.fetching.changed.emit()


def gated(page: Any) -> None:
    """A licence that has to be accepted first."""
    page.choose(spec_of(GATED))
    facts = {"model": GATED, "source": "huggingface", "licence_page": f"https://huggingface.co/{GATED}"}
    page.troubles.show_gate(Problem(Code.GATED_MODEL, facts))


def plain(page: Any) -> None:
    """The page as it was."""
    page.fetching.phase, page.fetching.stage = "", None
    page.fetching.offers.clear()
    page.fetching.changed.emit()
    page.troubles.clear()
    page.head.adding.hide()
    page.head.reset()
    page.bring_to_top(page.title)
