"""Makes the bad and odd files of the tests: each a few hundred bytes, or large only where it says so of itself."""

import bz2
import gzip
import io
import json
import lzma
import struct
import warnings
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow
from pyarrow import feather, ipc, parquet

ROW = {"question": "Where?", "answer": "Here."}
LINE = json.dumps(ROW)
TABLE = "question,answer\nWhere?,Here.\nWhen?,Now.\n"

#: A workbook of Excel 97 with 问题, 回答; one pair; and "=cmd()", 3.
XLS = (
    "c-rk)O=wd=5dL<PG(WUyQd6N7YA9IS+Jhp3m-MNiJsDaR6|vN`$w6Av5WJ|M)taLqNTG_CLN8vbUeurmy?GESiWCY;q8C9B1O*Rmp0ksEm}(9U*rKxEV`"
    "t~h%)XuM%ue3Em-FGm%>C9PenBr>DA|70RmcQ2zjG4;>1|uFPVb{;8~ju7`zVlg9z1S%;Z-qI@h(E*p8FY5;61gI$RIwRPDR%d``CwsP(H+n3fv}15H0L"
    "g6Vnl<8<^f@%O_0tu;d!k7}*xY3CvsZ?%g_zkIQz}1)-k%kjE^tWCxn@TxId4>!NJy!QSlY#Ms}dXmi(N78JL>R63PSj1>@}0M6o@9R<ERJN0SQ$k$gcK="
    "SV^<=!gt8`2F-z&^zZo}=RW##IjR;U(;%D1#d*KTl0hQ}^!ZkqaJ(!azQQp^sCWZ5PB~JfD%<Y2U_1&Llg#0;)*!rVg#x)D4{M^+c0sWIoI(AEL6obmz;"
    "fgTwvS5KAVwkeAE-7UdyqTvj7!aF8|ZB-?f~-Ny6^KXnuHtxO~2KJ^{_&6+td$u?J6+d=c}WW2VvR`8v~=ROTQYRi4Fx`?0aE1r+cEm$*Xrxi-lcy&#pN"
    "A!qWHx=@h(+gc1-ZE|ZtxWi2Nc(Q<|FlLdBfxB!Y57jAj?ng^ioIZasqF>ZyR^NmVlUZVt>r}-(5tW3vR5|Yfl^Y@`iTGx3=9km3=9km4AulfzsReXSGP"
    "WIsN;fHf7e;2Rx+PS{#zWvI9+GyV7eb^>a#dkQ~qp(M>x+Cs~qEeFH|^2vu81iVfJIR=KQ7Oo~Zmis~#Bob6cp^`AfC<xyJMV0QY~(H2"
)

Make = Callable[[Path], Path]


def file(name: str, data: bytes | str | Callable[[], bytes | str]) -> Make:
    """A file of these bytes; what is large is made when it is asked for."""

    def make(folder: Path) -> Path:
        path = folder / name
        made = data() if callable(data) else data
        path.write_bytes(made if isinstance(made, bytes) else made.encode())
        return path

    return make


def packed(members: dict[str, bytes | str] | list[tuple[str, bytes | str]], **how: Any) -> bytes:
    """A zip archive."""
    found = io.BytesIO()
    with zipfile.ZipFile(found, "w", zipfile.ZIP_DEFLATED) as archive, warnings.catch_warnings():
        # two members of one name are meant
        warnings.simplefilter("ignore")
        for name, data in members.items() if isinstance(members, dict) else members:
            info = zipfile.ZipInfo(name, (2024, 1, 5, 0, 0, 0))
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = how.get("mode", 0o600) << 16
            archive.writestr(info, data)
    return found.getvalue()


def bomb(size: int) -> bytes:
    """A zip archive with one file of `size` equal letters, written in pieces."""
    found = io.BytesIO()
    with zipfile.ZipFile(found, "w", zipfile.ZIP_DEFLATED) as archive:
        info = zipfile.ZipInfo("rows.jsonl")
        info.compress_type = zipfile.ZIP_DEFLATED
        with archive.open(info, "w", force_zip64=True) as member:
            for _piece in range(size >> 20):
                member.write(b"a" * (1 << 20))
    return found.getvalue()


def liar(size: int) -> bytes:
    """A bomb whose tables say that it is small."""
    data = bytearray(bomb(size))
    said = size.to_bytes(4, "little")
    while (at := data.find(said)) >= 0:
        data[at : at + 4] = (1000).to_bytes(4, "little")
    return bytes(data)


def encrypted(data: bytes) -> bytes:
    """A zip archive whose first member says that it is encrypted."""
    changed = bytearray(data)
    changed[6] |= 1
    at = changed.rfind(b"PK\1\2")
    changed[at + 8] |= 1
    return bytes(changed)


def damaged(data: bytes) -> bytes:
    """A zip archive with a wrong checksum for its first member."""
    changed = bytearray(data)
    changed[changed.find(b"PK\1\2") + 16] ^= 0xFF
    return bytes(changed)


def sparse(name: str, size: int, head: bytes = b"") -> Make:
    """A file that takes no room on the disk and says that it is huge."""

    def make(folder: Path) -> Path:
        path = folder / name
        with path.open("wb") as stream:
            stream.write(head)
            stream.truncate(size)
        return path

    return make


_W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_TYPES = (
    '<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Default Extension="xml" ContentType="application/xml"/></Types>'
)


def paragraph(text: str, style: str = "") -> str:
    """A paragraph of a document."""
    how = f'<w:pPr><w:pStyle w:val="{style}"/></w:pPr>' if style else ""
    return f'<w:p>{how}<w:r><w:t xml:space="preserve">{text}</w:t></w:r></w:p>'


def table(*rows: tuple[str, ...]) -> str:
    """A table of a document."""
    cells = ("".join(f"<w:tc>{paragraph(cell)}</w:tc>" for cell in row) for row in rows)
    return f"<w:tbl>{''.join(f'<w:tr>{row}</w:tr>' for row in cells)}</w:tbl>"


def docx(body: str, head: str = "", **more: bytes | str) -> bytes:
    """A document of Word with this body; `head` stands before the root element."""
    document = f'<?xml version="1.0"?>{head}<w:document xmlns:w="{_W}"><w:body>{body}</w:body></w:document>'
    styles = (
        f'<w:styles xmlns:w="{_W}"><w:style w:styleId="1"><w:name w:val="heading 1"/></w:style>'
        '<w:style w:styleId="a"><w:name w:val="Normal"/></w:style></w:styles>'
    )
    return packed({"[Content_Types].xml": _TYPES, "word/document.xml": document, "word/styles.xml": styles, **more})


def xlsx(**sheets: list[list[Any]]) -> bytes:
    """A workbook; a row is a list of cells."""
    import openpyxl

    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    found = io.BytesIO()
    book.save(found)
    return found.getvalue()


def xlsx_with(change: Callable[[str], str], part: str = "xl/worksheets/sheet1.xml") -> bytes:
    """A workbook one part of which was changed by hand."""
    found: dict[str, bytes | str] = {}
    with zipfile.ZipFile(io.BytesIO(xlsx(S=[["question", "answer"], ["Where?", "Here."]]))) as archive:
        for name in archive.namelist():
            text = archive.read(name).decode()
            found[name] = change(text) if name == part else text
    return packed(found)


def merged_xlsx() -> bytes:
    """A title over the columns, and one question for two answers."""
    import openpyxl

    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    for row in (["客服问答", None], ["问题", "回答"], ["几点？", "九点。"], [None, "周日十点。"]):
        sheet.append(row)
    sheet.merge_cells("A1:B1")
    sheet.merge_cells("A3:A4")
    found = io.BytesIO()
    book.save(found)
    return found.getvalue()


def ods(*rows: str) -> bytes:
    """A workbook of LibreOffice; a row is the XML of its cells."""
    names = ("office", "table", "text")
    spaces = " ".join(f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"' for name in names)
    body = "".join(rows)
    content = (
        f'<?xml version="1.0"?><office:document-content {spaces}><office:body><office:spreadsheet>'
        f'<table:table table:name="S">{body}</table:table></office:spreadsheet></office:body></office:document-content>'
    )
    return packed({"mimetype": "application/vnd.oasis.opendocument.spreadsheet", "content.xml": content})


def ods_row(*cells: str, rows: int = 1, columns: int = 1) -> str:
    """A row of such a workbook; it and its last cell say how often they are there."""
    last = len(cells) - 1
    found = "".join(
        f'<table:table-cell table:number-columns-repeated="{columns if at == last else 1}">'
        f"<text:p>{cell}</text:p></table:table-cell>"
        for at, cell in enumerate(cells)
    )
    return f'<table:table-row table:number-rows-repeated="{rows}">{found}</table:table-row>'


def pdf(*pages: str, loop: bool = False, password: str | None = None) -> bytes:
    """A PDF file with a line of ASCII text on each page; "" makes a page without text."""
    objects = ["<< /Type /Catalog /Pages 2 0 R >>", "", "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"]
    kids = []
    for text in pages:
        lines = "".join(f"({line}) Tj 0 -14 Td " for line in text.split("\n")) if text else ""
        stream = f"BT /F1 12 Tf 72 700 Td {lines}ET" if text else ""
        objects.append(f"<< /Length {len(stream)} >>\nstream\n{stream}\nendstream")
        objects.append(
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 600 800] /Contents {len(objects)} 0 R "
            "/Resources << /Font << /F1 3 0 R >> >> >>"
        )
        kids.append(f"{len(objects)} 0 R")
    if loop:
        kids.append("2 0 R")
    objects[1] = f"<< /Type /Pages /Kids [{' '.join(kids)}] /Count {len(kids)} >>"
    data, places = b"%PDF-1.4\n", []
    for number, text in enumerate(objects, 1):
        places.append(len(data))
        data += f"{number} 0 obj\n{text}\nendobj\n".encode()
    rows = "".join(f"{place:010} 00000 n \n" for place in places)
    start = len(data)
    data += f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{rows}".encode()
    data += f"trailer\n<< /Size {len(objects) + 1} /Root 1 0 R >>\nstartxref\n{start}\n%%EOF\n".encode()
    return data if password is None else locked_pdf(data, password)


def pdf_bomb(size: int) -> bytes:
    """A page whose text unpacks to so many bytes."""
    press = zlib.compressobj(9)
    packed = b"".join(press.compress(bytes(1 << 20)) for _piece in range(size >> 20)) + press.flush()
    data = pdf("x").replace(b"stream\nBT /F1 12 Tf 72 700 Td (x) Tj 0 -14 Td ET", b"stream\n" + packed)
    return data.replace(b"<< /Length 41 >>", b"<< /Filter /FlateDecode /Length %d >>" % len(packed))


def locked_pdf(data: bytes, password: str) -> bytes:
    """The same behind a password; "" locks only printing."""
    import pypdf

    writer = pypdf.PdfWriter(clone_from=io.BytesIO(data))
    writer.encrypt(password, "owner", algorithm="AES-256")
    found = io.BytesIO()
    writer.write(found)
    return found.getvalue()


def rows_of(*rows: dict[str, Any]) -> pyarrow.Table:
    """Rows as a table of Arrow."""
    return pyarrow.Table.from_pylist(list(rows))


def parquet_of(table: pyarrow.Table, **how: Any) -> bytes:
    """A Parquet file."""
    found = io.BytesIO()
    parquet.write_table(table, found, **how)
    return found.getvalue()


def feather_of(table: pyarrow.Table) -> bytes:
    """A Feather file, which is an Arrow file."""
    found = io.BytesIO()
    feather.write_feather(table, found)
    return found.getvalue()


def stream_of(table: pyarrow.Table) -> bytes:
    """A stream of Arrow, as `datasets` writes it."""
    found = io.BytesIO()
    with ipc.new_stream(found, table.schema) as writer:
        writer.write_table(table)
    return found.getvalue()


def endless_parquet() -> bytes:
    """A thousand bytes that say they are millions of equal rows."""
    values = pyarrow.repeat("a", 5_000_000)
    return parquet_of(pyarrow.table({"question": values, "answer": values}), compression="zstd")


def wild_arrow() -> bytes:
    """An Arrow stream whose texts begin and end outside of their bytes."""
    data = stream_of(rows_of(ROW, ROW))
    good = struct.pack("<3i", 0, 6, 12)
    assert good in data
    return data.replace(good, struct.pack("<3i", 0, 1 << 30, 1 << 30))


def gz(text: str) -> bytes:
    """Packed by gzip."""
    return gzip.compress(text.encode(), mtime=0)


def bz(text: str) -> bytes:
    """Packed by bzip2."""
    return bz2.compress(text.encode())


def xz(text: str) -> bytes:
    """Packed by xz."""
    return lzma.compress(text.encode())


def nested(depth: int) -> bytes:
    """Archives in archives."""
    data: bytes | str = LINE
    name = "rows.jsonl"
    for _level in range(depth):
        data, name = packed({name: data}), "inner.zip"
    assert isinstance(data, bytes)
    return data


def many_names(count: int) -> bytes:
    """An archive of so many empty files, made fast."""
    local = b"PK\3\4\x14\0\0\0\0\0\0\0\0\0" + bytes(12) + b"\1\0\0\0a"
    entry = b"PK\1\2\x14\0\x14\0\0\0\0\0\0\0\0\0" + bytes(12) + b"\1\0" + bytes(16) + b"a"
    end = b"PK\5\6" + struct.pack("<HHHHIIH", 0, 0, count & 0xFFFF, count & 0xFFFF, len(entry) * count, len(local), 0)
    return local + entry * count + end
