"""Models from ModelScope, by its plain HTTP interface.

Its client package brings a second HTTP library, six megabytes and a cache of its own; two addresses are all it takes.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from core.hub.answers import patiently
from core.hub.network import client_of_hub
from core.hub.source import Listing, RemoteFile
from core.hub.wanted import wanted
from core.problems import Code, Trouble

ENDPOINT = "https://modelscope.cn"
_TIMEOUT = 20.0
_REVISION = "master"


class ModelScope:
    """One repository of ModelScope; `model` is its id there, owner/name."""

    name = "modelscope"

    def __init__(self, model: str, endpoint: str = ENDPOINT) -> None:
        self.model, self._endpoint = model, endpoint.rstrip("/")
        self.page = f"{self._endpoint}/models/{model}"

    def listing(self) -> Listing:
        """See core.hub.source.Origin. Raises Trouble."""
        answer = patiently(self, self._files)
        rows = answer.get("Files") if isinstance(answer, dict) else answer
        if not isinstance(rows, list):
            raise Trouble(Code.DOWNLOAD_BROKEN, what=self.page)
        files = [_file(row) for row in rows if isinstance(row, dict) and row.get("Type") != "tree"]
        return Listing(self.model, self.name, wanted(self.model, files), _REVISION, self.page)

    def address(self, file: RemoteFile, revision: str) -> str:
        """See core.hub.source.Origin."""
        return f"{self._api()}/repo?Revision={quote(revision, safe='')}&FilePath={quote(file.path, safe='')}"

    def headers(self) -> Mapping[str, str]:
        """See core.hub.source.Origin."""
        return {}

    def _api(self) -> str:
        return f"{self._endpoint}/api/v1/models/{quote(self.model)}"

    def _files(self) -> Any:
        from huggingface_hub.utils import hf_raise_for_status

        # the top folder only: all that is needed lies there, and longer lists are cut off without a word
        asked = {"Revision": _REVISION, "Recursive": "False"}
        response = client_of_hub().get(f"{self._api()}/repo/files", params=asked, timeout=_TIMEOUT)
        hf_raise_for_status(response)
        return response.json().get("Data")


def _file(row: Mapping[str, Any]) -> RemoteFile:
    size = row.get("Size")
    return RemoteFile(
        str(row.get("Path") or row.get("Name")),
        size if isinstance(size, int) else -1,
        str(row.get("Sha256") or ""),
    )
