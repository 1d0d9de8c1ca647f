"""Models from the Hugging Face Hub, or from a mirror that speaks like it."""

from collections.abc import Mapping
from typing import Any

from core.hub.answers import patiently
from core.hub.network import client_of_hub
from core.hub.source import Listing, RemoteFile
from core.hub.wanted import wanted

#: Seconds to wait for a list of files.
_TIMEOUT = 20.0


class HuggingFace:
    """One repository at `endpoint`. `name` is "huggingface" or "mirror"; `token` may be empty."""

    def __init__(self, model: str, endpoint: str, *, name: str = "huggingface", token: str = "") -> None:
        self.name, self.model = name, model
        self._endpoint, self._token = endpoint.rstrip("/"), token
        self.page = f"{self._endpoint}/{model}"

    def listing(self) -> Listing:
        """See core.hub.source.Origin. Raises Trouble."""
        client_of_hub()
        from huggingface_hub import HfApi

        # False: the library must not pick up a token by itself and send it to a mirror
        api = HfApi(endpoint=self._endpoint, token=self._token or False, library_name="solotune")
        info = patiently(self, lambda: api.model_info(self.model, files_metadata=True, timeout=_TIMEOUT))
        files = [_file(sibling) for sibling in info.siblings or ()]
        return Listing(
            model=self.model,
            source=self.name,
            files=wanted(self.model, files),
            revision=str(info.sha or "main"),
            page=self.page,
            gated=bool(info.gated),
            licence=_licence(info.card_data),
        )

    def address(self, file: RemoteFile, revision: str) -> str:
        """See core.hub.source.Origin."""
        from huggingface_hub import constants, hf_hub_url

        # the library knows no other endpoint than the one it was imported with
        url = str(hf_hub_url(self.model, file.path, revision=revision))
        return self._endpoint + url.removeprefix(constants.ENDPOINT)

    def headers(self) -> Mapping[str, str]:
        """See core.hub.source.Origin. The HTTP client sends them to no other host that it is sent on to."""
        return {"authorization": f"Bearer {self._token}"} if self._token else {}


def _file(sibling: Any) -> RemoteFile:
    size = sibling.size if isinstance(sibling.size, int) else -1
    sha256 = sibling.lfs.sha256 if sibling.lfs else ""
    # of a file in LFS git only knows the pointer
    return RemoteFile(str(sibling.rfilename), size, sha256, "" if sibling.lfs else str(sibling.blob_id or ""))


def _licence(card: Any) -> str:
    found = card.get("license") if card is not None else ""
    return found if isinstance(found, str) else ""
