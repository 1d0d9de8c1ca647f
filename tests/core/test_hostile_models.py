"""Model folders that mean harm are refused with the reason, or come to nothing, within bounded memory and time."""

import json
import os
import pickle
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from core.hub.folder import check_model_folder, looks_whole
from core.problems import Code, Trouble
from tests.hub_server import small_model

ROOT = Path(__file__).parents[2]
#: What checking any folder may take. All of them are checked in some seconds; the other seconds are for slow machines.
_MEMORY_BYTES, _SECONDS = 400_000_000, 400


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A whole model of two shards, as it is published."""
    folder = tmp_path / "models" / "model"
    folder.mkdir(parents=True)
    for name, body in small_model().items():
        if "/" not in name and not name.endswith((".bin", ".gguf")) and "consolidated" not in name:
            (folder / name).write_bytes(body)
    return folder


SHARD = "model-00001-of-00002.safetensors"


def settings(name: str, **facts: Any) -> Callable[[Path], object]:
    def change(folder: Path) -> None:
        (folder / name).write_text(json.dumps(json.loads((folder / name).read_text()) | facts))

    return change


def template(text: str) -> Callable[[Path], object]:
    return lambda folder: (folder / "chat_template.jinja").write_text(text)


def shard(header: Any, body: bytes = b"", length: int | None = None) -> Callable[[Path], object]:
    def change(folder: Path) -> None:
        head = header if isinstance(header, bytes) else json.dumps(header).encode()
        (folder / SHARD).write_bytes(struct.pack("<Q", len(head) if length is None else length) + head + body)

    return change


def tensor(offsets: Any, shape: Any = (4,), dtype: Any = "BF16") -> dict[str, Any]:
    return {"dtype": dtype, "shape": shape, "data_offsets": offsets}


class Boom:
    """A pickle that leaves a mark when it is opened."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Any, ...]:
        return (os.system, (f"touch {self.mark}",))


def pickled(folder: Path) -> None:
    for path in folder.glob("*.safetensors*"):
        path.unlink()
    (folder / "pytorch_model.bin").write_bytes(pickle.dumps(Boom(folder / "opened")))


def linked(name: str) -> Callable[[Path], object]:
    def change(folder: Path) -> None:
        outside = folder.parent.parent / "secret"
        outside.write_bytes((folder / name).read_bytes())
        (folder / name).unlink()
        (folder / name).symlink_to(outside)

    return change


def huge_header(folder: Path) -> None:
    """A sparse file whose header claims to be, and is, 90 MB of nothing."""
    with (folder / SHARD).open("wb") as file:
        file.write(struct.pack("<Q", 90_000_000))
        file.truncate(90_000_008)


def many_tensors(folder: Path) -> None:
    """A header of 60 MB that is JSON: read as objects it would take gigabytes."""
    one = '"t%d": {"dtype": "BF16", "shape": [0], "data_offsets": [0, 0]}'
    shard(("{" + ", ".join(one % i for i in range(900_000)) + "}").encode())(folder)


def sparse(name: str, size: int) -> Callable[[Path], object]:
    """A file of nothing that takes no room on the disk, and all memory when it is read."""

    def change(folder: Path) -> None:
        (folder / name).touch()
        os.truncate(folder / name, size)

    return change


def index(name: str) -> Callable[[Path], object]:
    return lambda folder: (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": {"a": name}}))


def linked_to_itself(folder: Path) -> None:
    (folder / SHARD).unlink()
    (folder / SHARD).symlink_to(SHARD)


def another_template(folder: Path) -> None:
    """Where transformers looks for templates too."""
    (folder / "additional_chat_templates").mkdir()
    (folder / "additional_chat_templates" / "tool_use.jinja").write_text("{{ ''.__class__.__mro__ }}")


def doubling(first: str, again: str, then: str) -> Callable[[Path], object]:
    """Two things that are equal down to the last, and hold themselves twice 60 times over."""
    return template(
        f"{{% set n = namespace(a={first}, b={first}) %}}{{% for i in range(60) %}}"
        f"{{% set n.a = {again.format('n.a')} %}}{{% set n.b = {again.format('n.b')} %}}{{% endfor %}}{{{{ {then} }}}}"
    )


LOOP = "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}"
HOSTILE: dict[str, tuple[Callable[[Path], object], Code]] = {
    "pickle": (pickled, Code.MODEL_PICKLE),
    "code in config": (settings("config.json", auto_map={"AutoModel": "evil.Model"}), Code.MODEL_CUSTOM_CODE),
    "code in a part of it": (
        settings("config.json", text_config={"auto_map": {"AutoConfig": "evil.C"}}), Code.MODEL_CUSTOM_CODE,
    ),
    "code in the tokenizer": (
        settings("tokenizer_config.json", auto_map={"AutoTokenizer": ["evil.T", None]}), Code.MODEL_CUSTOM_CODE,
    ),
    "code to generate": (
        lambda f: (f / "generation_config.json").write_text('{"custom_generate": "maker/evil"}'),
        Code.MODEL_CUSTOM_CODE,
    ),
    "template reaches for attributes": (
        template("{{ ''.__class__.__mro__[1].__subclasses__() }}"), Code.MODEL_TEMPLATE,
    ),
    "template reaches by another way": (
        template("{{ (messages|attr('__init__'))['__globals__'] }}"), Code.MODEL_TEMPLATE,
    ),
    "template in the tokenizer's settings": (
        settings("tokenizer_config.json", chat_template="{{ cycler.__init__.__globals__.os.system('x') }}"),
        Code.MODEL_TEMPLATE,
    ),
    "one of several templates": (
        settings("tokenizer_config.json", chat_template=[
            {"name": "default", "template": "{{ messages }}"}, {"name": "rag", "template": LOOP},
        ]), Code.MODEL_TEMPLATE,
    ),
    "template without end": (template(LOOP), Code.MODEL_TEMPLATE),
    "template that calls itself twice": (
        template("{% macro f(n) %}{% if n %}{{ f(n-1) }}{{ f(n-1) }}{% endif %}{% endmacro %}{{ f(90) }}"),
        Code.MODEL_TEMPLATE,
    ),
    "template that writes 10 GB": (template("{{ 'a' * 10**10 }}"), Code.MODEL_TEMPLATE),
    "template that doubles": (
        template("{% set n=namespace(s='ab') %}{% for i in range(90) %}{% set n.s=n.s~n.s %}{% endfor %}{{ n.s }}"),
        Code.MODEL_TEMPLATE,
    ),
    "template that pads": (template("{{ '%9999999999d' % 1 }}{{ 'a'.ljust(9999999999) }}"), Code.MODEL_TEMPLATE),
    "template that compares without end": (doubling("[1]", "[{0}, {0}]", "n.a == n.b"), Code.MODEL_TEMPLATE),
    "template that hashes without end": (doubling("(1,)", "({0}, {0})", "{n.a: 1}"), Code.MODEL_TEMPLATE),
    "template that compares tables without end": (
        doubling("dict(x=1)", "dict(a={0}, b={0})", "n.a == n.b"), Code.MODEL_TEMPLATE,
    ),
    "template in a folder of its own": (another_template, Code.MODEL_TEMPLATE),
    "shard that is a link to itself": (linked_to_itself, Code.MODEL_INCOMPLETE),
    "name longer than any file's": (index("x" * 5000), Code.MODEL_CORRUPT),
    "name that is no text": (
        lambda f: (f / "model.safetensors.index.json").write_text('{"weight_map": {"a": "\\ud800"}}'),
        Code.MODEL_INCOMPLETE,
    ),
    "index that names a pickle": (
        lambda f: (pickled(f), (f / "a.bin").write_bytes(b"\x80\x04." * 9), index("a.bin")(f)), Code.MODEL_CORRUPT,
    ),
    "tokenizer of 2 GB": (sparse("tokenizer.json", 2 << 30), Code.MODEL_CORRUPT),
    "another tokenizer of 2 GB": (sparse("tokenizer.model", 2 << 30), Code.MODEL_CORRUPT),
    "an adapter that names another base": (
        lambda f: (f / "adapter_config.json").write_text('{"base_model_name_or_path": "https://evil.example/x"}'),
        Code.MODEL_UNSUPPORTED,
    ),
    "quantized in a part of it": (
        settings("config.json", text_config={"quantization_config": {"quant_method": "evil.Class"}}),
        Code.MODEL_UNSUPPORTED,
    ),
    "name that leads out": (
        lambda f: (f / "model.safetensors.index.json").write_text('{"weight_map": {"a": "../../secret"}}'),
        Code.MODEL_CORRUPT,
    ),
    "weights are a link": (linked(SHARD), Code.MODEL_OUTSIDE),
    "settings are a link": (linked("tokenizer.json"), Code.MODEL_OUTSIDE),
    "header cut off": (lambda f: (f / SHARD).write_bytes(b"\x10\0\0"), Code.MODEL_CORRUPT),
    "header longer than the file": (shard({}, length=2**40), Code.MODEL_CORRUPT),
    "header of 90 MB of nothing": (huge_header, Code.MODEL_CORRUPT),
    "header with 900,000 tensors": (many_tensors, Code.MODEL_CORRUPT),
    "header as deep as it goes": (shard(b"[" * 1_000_000), Code.MODEL_CORRUPT),
    "tensor beyond the file": (shard({"a": tensor([0, 2**40], [2**39])}, b"\0" * 8), Code.MODEL_INCOMPLETE),
    "tensor before the file": (shard({"a": tensor([-8, 0])}, b"\0" * 8), Code.MODEL_CORRUPT),
    "tensor backwards": (shard({"a": tensor([8, 0])}, b"\0" * 8), Code.MODEL_CORRUPT),
    "tensors on each other": (
        shard({"a": tensor([0, 8]), "b": tensor([4, 12])}, b"\0" * 12), Code.MODEL_CORRUPT,
    ),
    "tensor larger than its bytes": (shard({"a": tensor([0, 8], [2**40])}, b"\0" * 8), Code.MODEL_CORRUPT),
    "shape that overflows": (shard({"a": tensor([0, 8], [2**47] * 16)}, b"\0" * 8), Code.MODEL_CORRUPT),
    "numbers of no kind": (shard({"a": tensor([0, 8], dtype="EVIL")}, b"\0" * 8), Code.MODEL_CORRUPT),
    "hidden bytes behind the tensors": (shard({"a": tensor([0, 8])}, b"\0" * 5000), Code.MODEL_CORRUPT),
    "a vocabulary of 10 GB": (settings("config.json", vocab_size=4_000_000, hidden_size=1280), Code.MODEL_CORRUPT),
    "a vocabulary that cannot be": (settings("config.json", vocab_size=10**15), Code.MODEL_CORRUPT),
    "layers without weights": (settings("config.json", num_hidden_layers=1000), Code.MODEL_CORRUPT),
    "settings of 1 GB": (
        lambda f: os.truncate(f / "config.json", 1_000_000_000), Code.MODEL_CORRUPT,
    ),
    "template of 1 GB": (
        lambda f: (template("{{ messages }}")(f), os.truncate(f / "chat_template.jinja", 1_000_000_000)),
        Code.MODEL_TEMPLATE,
    ),
}  # fmt: skip

#: Checks a folder with no more memory than it may take, and says what came of it.
BOUNDED = """
import resource, sys
from pathlib import Path
from core.hub.folder import check_model_folder
from core.problems import Trouble
before = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (before + int(sys.argv[1]),) * 2)
for name in sys.argv[2:]:
    try:
        check_model_folder(Path(name))
        print("whole")
    except Trouble as trouble:
        print(trouble.problem.code)
"""


@pytest.mark.skipif(os.name != "posix", reason="makes links")
@pytest.mark.parametrize("harm", HOSTILE)
def test_what_means_harm_is_refused_with_the_reason(model: Path, harm: str) -> None:
    assert looks_whole(model)
    spoil, code = HOSTILE[harm]
    spoil(model)
    with pytest.raises(Trouble) as refused:
        check_model_folder(model)
    assert refused.value.problem.code is code
    assert not (model / "opened").exists()


@pytest.mark.skipif(sys.platform != "linux", reason="limits memory as Linux does")
def test_every_check_takes_bounded_memory_and_time(model: Path, tmp_path: Path) -> None:
    import shutil

    folders, codes = [], []
    for number, (spoil, code) in enumerate(HOSTILE.values()):
        folder = Path(shutil.copytree(model, tmp_path / f"{number}" / "model"))
        spoil(folder)
        folders.append(str(folder))
        codes.append(str(code))
    done = subprocess.run(
        [sys.executable, "-c", BOUNDED, str(_MEMORY_BYTES), *folders],
        capture_output=True, text=True, timeout=_SECONDS, check=False, cwd=ROOT,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-500:]
    assert done.stdout.split() == codes


def test_an_honest_template_is_none_of_this(model: Path) -> None:
    template(
        "{%- for m in messages %}{% if loop.first and m.role != 'system' %}{{ bos_token }}{% endif %}"
        "{{ '<|' ~ m['role'] ~ '|>' + m.content.strip()|replace('\\n', ' ') }}{% if not loop.last %}{{ '__end__' }}"
        "{% endif %}{%- endfor %}{{ '%s of %05d' % ('last', messages|length) }}{{ '{:>8}'.format('x') }}"
        "{{ messages|map(attribute='role')|join(', ') }}{{ raise_exception('not now') if messages|length > 99 }}"
    )(model)
    check_model_folder(model)


def test_bounds_change_nothing_that_a_template_writes() -> None:
    """Word for word what the plain sandbox writes, with loops that look ahead and texts of several parts."""
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    from core.data.sandbox import BoundedSandbox

    text = (
        "{% set n = namespace(seen=[]) %}{% for m in messages if m.role != 'x' %}{{ loop.index }}/{{ loop.length }}"
        "{{ loop.previtem.role if loop.previtem }}|{{ loop.nextitem.role if not loop.last }}{{ m.content | trim }}"
        "{% set n.seen = n.seen + [m.role] %}{% else %}none{% endfor %}{{ n.seen | join('-') }}{{ n.seen * 2 }}"
        "{% for k, v in {'b': 1, 'a': [2]}.items() | sort %}{{ k ~ '=' ~ v ~ ';' }}{% endfor %}{{ 7 % 4 }}{{ 2 ** 10 }}"
        "{{ 'a\\nb' | indent(2) }}{{ 'aXbX' | replace('X', 'yy', 1) }}{{ 'aXb'.replace('X', 'z') }}"
        "{{ ','.join(['p', 'q']) }}{{ none_such }}"
        "{% macro say(t, w=3) %}<{{ t.ljust(w) }}>{{ caller() if caller }}{% endmacro %}{{ say('k') }}"
        "{% call say('c') %}inside{% endcall %}{% filter upper %}loud{% endfilter %}{{ 'z' | center(5) }}"
    )
    messages = [{"role": "user", "content": " hi "}, {"role": "x", "content": ""}, {"role": "bot", "content": "yo"}]
    written = [kind(trim_blocks=True).from_string(text).render(messages=messages) for kind in
               (ImmutableSandboxedEnvironment, BoundedSandbox)]  # fmt: skip
    assert written[0] == written[1]
    assert "user" in written[0]


def test_the_work_of_a_template_has_an_end(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Few steps, each of which looks through all the letters that a text may have."""
    from core.data import budget

    template("{% set s = 'a' * 100000 %}{% for i in range(9999) %}{{ s.count('aab') }}{% endfor %}")(model)
    monkeypatch.setattr(budget, "MOST_SECONDS", 0.0)
    with pytest.raises(Trouble) as refused:
        check_model_folder(model)
    assert refused.value.problem.code is Code.MODEL_TEMPLATE
    assert refused.value.problem.facts["text"] == "the template takes too long"


@pytest.mark.skipif(os.name != "posix", reason="makes links")
def test_links_that_lead_nowhere_are_no_trouble_by_themselves(model: Path) -> None:
    """A link to itself makes some ways of following links fail."""
    (model / "a").symlink_to("b")
    (model / "b").symlink_to("a")
    (model / "all").symlink_to(model)
    check_model_folder(model)
