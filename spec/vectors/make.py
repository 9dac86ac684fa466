#!/usr/bin/env python3
"""Makes the test vectors, always the same bytes: `make.py` writes them, `make.py --check` compares them."""

import argparse
import hashlib
import importlib.metadata
import json
import pathlib
import struct
import sys
from types import SimpleNamespace as Fields

import zstandard

from changes import changing, only, sub
from encoded import good_encodings
from encoded_bad import bad_encodings
from erased import bad_erasures, good_erasures
from layered import good_layers
from layered_bad import bad_layers
from writer import RawText, RealBits, Writer, bound, cell, column, key_part, row_hash, table

ZSTD_VERSION, PCODEC_VERSION = (1, 5, 7), "1.1.0"  # others may compress to other bytes
LARGEST_ROWS_FILE = 16384
VECTORS = {}


def vector(name, describes, made, expect="ok", layer=None, needs=None, cat=None, rows=()):
    """One vector: `rows` names what cat gives, as (table name, snapshot number or None for the newest, rows)."""
    assert name not in VECTORS
    lines = [f"describes: {describes}", f"expect: {expect}"]
    if layer:
        lines += [f"layer: {layer}", f"needs: {needs}"]
    if cat:
        lines.append(f"cat: {cat}")
    files = {f"{name}.tabark": bytes(made.data if isinstance(made, Writer) else made)}
    for number, (one, at) in enumerate(rows):
        names = [each.name for each in one.schema.columns]
        text = "".join(
            json.dumps(dict(zip(names, map(json_cell, row))), ensure_ascii=False, separators=(",", ":")) + "\n"
            for row in one.rows
        ).encode()
        where = one.schema.name + (f" at {at}" if at else "")
        if len(text) > LARGEST_ROWS_FILE:
            lines.append(f"rows: {where}: sha256 {hashlib.sha256(text).hexdigest()}")
        else:
            file = f"{name}.{one.schema.name}{f'.{at}' if at else ''}.jsonl"
            files[file] = text
            lines.append(f"rows: {where}: {file}")
    files[f"{name}.txt"] = "".join(line + "\n" for line in lines).encode()
    VECTORS[name] = files


def json_cell(one):
    kind, payload = one
    if kind < 2:
        return payload
    if kind == 2:
        return {"real": struct.pack(">Q", payload).hex()}
    return payload.decode() if kind == 3 else {"bytes" if kind == 4 else "rawtext": payload.hex()}


def good(name, describes, tables, writer=None, at=None, expected=None, earlier=(), **options):
    """`earlier` are (table, snapshot number) of snapshots that the writer has made before."""
    made = (writer or Writer()).append(tables, **options)
    vector(name, describes, made, rows=[*earlier, *[(one, at) for one in expected or tables]])
    return made


def tiny(name="t", rows=((1, "one"), (2, "two"), (3, None))):
    return table(
        name,
        [column("id", "INTEGER"), column("name", "TEXT")],
        rows,
        key=[key_part(0)],
        definition=f"CREATE TABLE {name}(id INTEGER PRIMARY KEY, name TEXT)",
        options=[("rowid", "id")],
    )


def numbers(count, name="n", start=0):
    return table(name, ["a", "b"], [(start + i, "xyz" * (i % 5)) for i in range(count)], key=[key_part(0)])


def row_with_boundary():
    """The first integer whose row, alone in a table without key, starts a row group by its hash."""
    return next(number for number in range(1 << 24) if row_hash([(1, number)]) < 1 << 49)


def good_vectors():
    good("tiny", "one small table, nothing compressed", [tiny()])
    good("compressed", "compressed frames", [numbers(200)], Writer(compress=True))
    mixed = [
        None,
        0,
        -1,
        2**63 - 1,
        -(2**63),
        0.5,
        -0.0,
        float("inf"),
        RealBits(0x7FF8000000000001),
        "",
        "a\0b",
        "é\U0001f600",
        b"",
        b"\x00\xff",
        RawText(b"\xff\xfe"),
        RawText(b""),
    ]
    good(
        "kinds",
        "every kind of cell in one column; a NaN, so that there are no bounds",
        [table("t", ["v"], [[value] for value in mixed])],
    )
    good(
        "kinds-with-bounds",
        "every kind of cell and no NaN: the greatest is a raw text",
        [table("t", ["v"], [[value] for value in mixed if not isinstance(value, RealBits)])],
    )
    good(
        "numbers",
        "bounds by exact numeric value; of equal ones the first is held",
        [
            table(
                "t",
                ["a", "b", "c", "d"],
                [
                    (2**53 + 1, 1.0, -0.0, None),
                    (9007199254740992.0, 1, 0, None),
                    (2**53 - 1, 1, 0.0, float("-inf")),
                    (2.5, 1, 0, 2**63 - 1),
                ],
            )
        ],
    )
    good(
        "packed",
        "several tables in one data frame",
        [tiny("a"), numbers(20, "b"), tiny("c", [(5, "five")])],
        Writer(compress=True),
    )
    good(
        "frame-per-block",
        "a frame for each column block",
        [tiny("a"), numbers(40, "b")],
        Writer(compress=True, frame_per_block=True),
    )
    good("shared-within", "two tables of the same cells, whose blocks are the same slices", [tiny("a"), tiny("b")])
    first, second = [tiny(), numbers(30)], [tiny(), numbers(30, start=7), tiny("u")]
    made = Writer(compress=True).append(first, tags=[("a", "1"), ("b", "")]).append(second)
    vector(
        "two-snapshots",
        "the second snapshot shares slices with the first",
        made,
        rows=[(one, 1) for one in first] + [(one, None) for one in second],
    )
    made = Writer().append([tiny("old")]).append([tiny("new")], number=9).append([tiny()], number=10)
    vector("numbers-with-gaps", "snapshots 1, 9 and 10", made, rows=[(tiny("new"), 9), (tiny(), None)])
    for count in (64, 65, 130):
        made = Writer(compress=True)
        for number in range(1, count + 1):
            made.append([tiny()], tags=[("n", str(number))] if number % 10 == 0 else ())
        vector(
            f"history-{count}",
            f"{count} snapshots, {(count - 1) // 64} history pages",
            made,
            rows=[(tiny(), 1), (tiny(), None)],
        )
    start = row_with_boundary()
    groups = [[None if row == 1 + group else start for row in range(32768)] for group in range(5)]
    pages = table("t", ["v"], [[value] for group in groups for value in group])
    good(
        "inner-pages",
        "inner pages above leaves of two row groups each",
        [pages],
        Writer(compress=True, page_depth=1, leaf_groups=2),
    )
    good("deep-pages", "two levels of inner pages", [pages], Writer(compress=True, page_depth=2, leaf_groups=1))
    good("deepest-pages", "eight levels of inner pages above one leaf", [tiny()], Writer(page_depth=8))
    good("inner-page-of-one", "one inner page above one leaf", [tiny()], Writer(page_depth=1))
    good("no-rows", "a table without rows", [tiny(rows=())])
    good("no-columns", "a table with rows and no columns", [table("t", [], [[]] * 3)])
    good("no-tables", "a snapshot of no tables", [])
    hidden = [column("rowid", "INTEGER", False, True), column("v", "TEXT")]
    good(
        "hidden-key",
        "a hidden row id is the key",
        [table("t", hidden, [(-5, "a"), (0, None), (2**40, "b")], key=[key_part(0)])],
    )
    good(
        "composite-key",
        "keys of several parts: descending, NOCASE, RTRIM, a null that repeats",
        [
            table(
                "t",
                ["v", "a", "b"],
                [
                    (1, "Z", b"blob"),
                    (2, "Z", "y"),
                    (3, "Z", 2.5),
                    (4, "a", "B"),
                    (5, "a", "A"),
                    (6, "a", None),
                    (7, "b", None),
                ],
                key=[key_part(1), key_part(2, True)],
                options=[("without_rowid", "1")],
            ),
            table(
                "u",
                ["a", "b", "c"],
                [("x", 9, "k"), ("X", 3.5, "k "), ("x", 3, "k  "), ("y", None, "a"), ("y", None, "a "), ("Z", -1, "")],
                key=[key_part(0, False, "NOCASE"), key_part(1, True), key_part(2, False, "RTRIM")],
                options=[("without_rowid", "1")],
            ),
        ],
    )
    good(
        "key-kinds",
        "key order over all kinds of cell",
        [
            table(
                "t",
                ["k"],
                [
                    [value]
                    for value in (
                        None,
                        None,
                        float("-inf"),
                        -(2**63),
                        1,
                        1.5,
                        2**53,
                        2**53 + 1,
                        1e300,
                        "",
                        "A",
                        "a",
                        RawText(b"a\xff"),
                        "b",
                        b"",
                        b"\0",
                        b"a",
                    )
                ],
                key=[key_part(0)],
            )
        ],
    )
    good(
        "key-nocase-nul",
        "NOCASE compares as SQLite does: to the first NUL, then by length",
        [table("t", ["k"], [["A\0z"], ["a\0bb"], ["a\0aaa"], ["ab"]], key=[key_part(0, False, "NOCASE")])],
    )
    good(
        "key-utf16",
        "BINARY compares the bytes of the source's encoding, here UTF-16le",
        [table("t", ["k"], [["Ā"], ["ȁ"], ["b"]], key=[key_part(0)])],
        settings=[("encoding", "UTF-16le")],
    )
    good(
        "key-utf16-raw",
        "BINARY in a UTF-16 database: texts in its encoding, raw texts as they are stored",
        [table("t", ["k"], [["Ā"], [RawText(b"\x00\xd8")], ["ȁ"], [RawText(b"a")], ["b"]], key=[key_part(0)])],
        settings=[("encoding", "UTF-16le")],
    )
    good(
        "key-rtrim-utf16",
        "RTRIM compares UTF-8 in a UTF-16 database too, without trailing spaces",
        [table("t", ["k"], [["b  "], ["Ā"], ["ȁ "], ["ȁ!"]], key=[key_part(0, False, "RTRIM")])],
        settings=[("encoding", "UTF-16le")],
    )
    good(
        "key-raw-text-unchecked",
        "a raw text in a NOCASE part of the key in a UTF-16 database is not compared with its neighbours",
        [table("t", ["k"], [["b"], [RawText(b"a")], ["a"]], key=[key_part(0, False, "NOCASE")])],
        settings=[("encoding", "UTF-16le")],
    )
    good(
        "key-engine-unknown",
        "a key in a source of an engine whose order is not known: it is not checked",
        [tiny(rows=[(2, "b"), (1, "a")])],
        Writer(changes={"manifest": lambda manifest: changing(source=changing(engine="other"))(manifest)}),
    )
    good(
        "key-postgresql",
        "keys of PostgreSQL are ordered as BINARY orders them in UTF-8, whatever the setting `encoding` says",
        [table("t", ["k"], [[-5], [7], ["A"], ["b"], ["infinity"], ["Ā"], ["ȁ"]], key=[key_part(0)])],
        Writer(changes={"manifest": lambda manifest: changing(source=changing(engine="postgresql"))(manifest)}),
        settings=[("encoding", "UTF-16le")],
    )
    good(
        "key-postgresql-collation",
        "a key of PostgreSQL with another collation than BINARY is not checked",
        [table("t", ["k"], [["b"], ["a"]], key=[key_part(0, False, "NOCASE")])],
        Writer(changes={"manifest": lambda manifest: changing(source=changing(engine="postgresql"))(manifest)}),
    )
    good(
        "key-collation-unknown",
        "a key with a collation that only the source knows is not checked",
        [table("t", ["k"], [["b"], ["a"]], key=[key_part(0, False, "german")])],
    )
    long = "é" * 31 + "x"  # 63 bytes
    good(
        "long-text",
        "values around 64 bytes: bounds and keys that are not exact",
        [
            table(
                "t",
                ["k", "v"],
                [
                    (long, "a" * 64),
                    (long + "ab", b"a" * 65),
                    (long + "é", RawText(b"\xff" * 65)),
                    (long + "éa", "a" * 65),
                ],
                key=[key_part(0)],
            )
        ],
    )
    good(
        "raw-text",
        "texts that are not valid UTF-8",
        [table("t", ["v"], [[RawText(b"\xc3")], [RawText(b"\xed\xa0\x80")], ["ok"]])],
    )
    good(
        "unknown-optional",
        "frames of an unknown kind, and of a reserved one, that are optional",
        [tiny()],
        extra_frames=[(200, 1 << 15, b"from later"), (7, 1 << 15, b"")],
    )
    good(
        "writer-feature",
        "a writer feature bit, which a reader need not know",
        [tiny()],
        Writer(changes={"commit": changing(writer_features=1 << 63)}),
    )
    good(
        "zstd-window-largest",
        "a Zstandard frame with a window of 128 MiB",
        [table("t", ["a"], [["x" * 400]])],
        Writer(changes={"frame data": compressed_by(lambda body: windowed(body, 27))}),
    )
    objects = [Fields(kind="view", name="w", table="w", definition="CREATE VIEW w AS SELECT 1", position=2**40)]
    index = Fields(kind="index", name="i", table="t", definition="CREATE INDEX i ON t(a)", position=2)
    good(
        "schema",
        "all that a schema can say, names with unusual characters, the least time",
        [
            table(
                "t",
                [column("rowid", "", False, True), column("a", "INT", False), "b"],
                [(1, 2, 3)],
                key=[key_part(0)],
                generated=["g"],
                options=[("autoincrement", "1"), ("strict", "1")],
                attached=[index],
            ),
            table("t_data", ['\u00e9 "x"\n'], [(1,)], role="shadow", options=[("virtual_table", "t")]),
            table("sqlite_sequence", ["name", "seq"], [("t", 1)], role="internal"),
        ],
        objects=objects,
        omitted=[Fields(what="table x", reason="no key")],
        tags=[("k", "v"), ("\u00e9", "")],
        settings=[("encoding", "UTF-8"), ("page_size", "4096")],
        time=-(2**63),
    )
    filters = [where("a > 1"), expire("b", 60_000_000, -1), expire("a", 2**64 - 1, -(2**63)), where("")]
    good("filters", "a table that filters have left rows out of", [table("t", ["a", "b"], [(2, 3)], filters=filters)])
    good("logical", "every logical type, with nulls and with values that only a text can hold", [logical_types()])
    copied = table("t", ["archive"], [[bytes(Writer().append([tiny()]).data)]])
    good("archive-in-cell", "a cell holds an archive of the same id, so that its body holds frames", [copied])
    cutting = (
        [[None]] * 100 + [[start]] + [[None]] * 32666 + [[start]] * 2 + [[None]] * 40000 + [[start]] + [[None]] * 5
    )
    good(
        "cut-by-hash",
        "row groups cut by the row hash: not before 32768 rows, then at once",
        [table("t", ["v"], cutting)],
        Writer(compress=True),
    )
    good("cut-by-rows", "a row group of 131072 rows", [table("t", ["v"], [[None]] * 131073)])
    good(
        "cut-by-bytes",
        "row groups of at most 67108864 row bytes, but for a row that is larger alone",
        [table("t", ["v"], [["x" * (1 << 23)]] * 9 + [["y" * ((1 << 26) - 5)], ["z" * (1 << 26)], ["z"]])],
        Writer(compress=True),
    )


def logical_types():
    least = -(2**63)
    columns = {
        0: (1, "any", b""),
        1: (0, 1, None),
        2: (least, 2**63 - 1, 0),
        3: (-0.0, RealBits(0x7FF8000000000000), 0.10000000149011612),
        4: ("", "a", RawText(b"\xff")),
        5: (b"", b"\0", None),
        6: (least, 20513, "infinity"),
        7: (0, 86_400_000_000, None),
        8: (least, 2**63 - 1, "294276-12-31 23:59:59.999999"),
        9: (-1, "294247-01-10 04:00:54.775808+00", "infinity"),
        10: ("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", None, None),
        11: ('{"a" :  [1.50]}', "null", RawText(b'"\xff"')),
        12: (-5, "0.50", "NaN"),
        13: ("1 year -2 days +04:05:06.7", "00:00:00", None),
        14: ("[0:1]={1,NULL}", "", RawText(b"{\xff}")),
    }
    columns |= {32 + scale: (150, "NaN", "-123456789012345678901234567890" + ".5"[: 2 * scale]) for scale in range(19)}
    names = [column(f"c{number}", logical=number) for number in columns]
    return table("t", names, list(zip(*columns.values())))


def bad(
    name, layer, needs, describes, changes=None, tables=None, writer=None, expect=None, cat=None, rows=(), **options
):
    expect = expect or ("unsupported" if layer == "unsupported" else "damaged")
    if writer is None:
        writer = Writer(changes=changes).append([tiny()] if tables is None else tables, **options)
    vector(name, describes, writer, expect, layer, needs, cat, rows)


def sound():
    return Writer().append([tiny()])


def bad_headers():
    whole = bytes(sound().data)
    header = whole[:32]
    bad("header-empty", "header", "open", "an empty file", writer=b"")
    bad("header-magic", "header", "open", "another magic", writer=b"\x88" + whole[1:], expect="not-an-archive")
    bad(
        "header-newlines",
        "header",
        "open",
        "newlines were converted",
        writer=whole.replace(b"\r\n", b"\n"),
        expect="not-an-archive",
    )
    bad("header-truncated", "header", "open", "a file that ends within the header", writer=whole[:63])
    bad(
        "header-digest",
        "header",
        "open",
        "a bit of the archive id was flipped",
        writer=header[:16] + bytes([header[16] ^ 1]) + whole[17:],
    )
    for version in (1, 3):
        change = {"header": sub(b"\2\0\0\0", bytes([version]) + bytes(3))}
        describes = f"format version {version}, which is {'older' if version == 1 else 'newer'}"
        bad(f"header-version-{version}", "unsupported", "open", describes, change)
    bad(
        "header-reserved",
        "header",
        "open",
        "a reserved byte is set",
        {"header": lambda data: data[:15] + b"\1" + data[16:]},
    )
    bad("header-only", "commit", "open", "no frames at all", writer=whole[:64])
    bad(
        "header-and-frames",
        "commit",
        "open",
        "the first append was interrupted",
        writer=Writer().append([tiny()], until="manifest"),
    )


def bad_commits():
    def only_commit(name, layer, describes, place="commit", change=None, writer=None, **values):
        changes = {place: change or changing(**values)}
        bad(name, layer, "open", describes, changes, writer=writer, cat="refuse")

    only_commit("commit-offset", "commit", "the only commit says another offset than its own", offset=lambda at: at + 1)
    only_commit("commit-optional", "commit", "the only commit has a flag set", "frame commit", flags=1 << 15)
    only_commit("commit-version-0", "commit", "the only commit is of kind version 0", "frame commit", version=0)
    whole = bytes(sound().data)
    flipped = whole[:-10] + bytes([whole[-10] ^ 1]) + whole[-9:]
    only_commit("commit-flipped", "commit", "a bit in the body of the only commit was flipped", writer=flipped)
    only_commit("commit-truncated", "commit", "the only commit is cut off", writer=whole[:-1])
    only_commit("commit-version-2", "unsupported", "a commit of kind version 2", "frame commit", version=2)
    longer = changing(version=2, stored=264, raw=264, body=lambda body: body + bytes(8))
    describes = "a commit of kind version 2 with a longer body"
    only_commit("commit-version-2-longer", "unsupported", describes, "frame commit", longer)
    only_commit("commit-reader-feature", "unsupported", "an unknown reader feature", reader_features=1 << 40)
    only_commit("commit-no-manifest", "commit", "the commit refers to no manifest", manifest=None)
    only_commit("commit-no-snapshots", "commit", "the commit counts no snapshots", snapshots=0)
    only_commit("commit-number-0", "commit", "the number of the snapshot is below the count of snapshots", number=0)
    only_commit("commit-base", "commit", "the base of the first commit is not 0", "frame commit", base=64)
    added = {"commit": changing(bytes_added=lambda count: count - 1)}
    bad("commit-bytes-added", "commit", "verify", "bytes added are wrong", added)
    bad("commit-rows", "totals", "full", "rows of the commit are wrong", {"commit": changing(rows=4)})
    bad("commit-tables", "totals", "full", "tables of the commit are wrong", {"commit": changing(tables=0)})

    def second(name, layer, needs, describes, place="commit", cat="refuse", number=None, **values):
        made = Writer(changes={place: only(2, changing(**values))}).append([tiny()])
        bad(name, layer, needs, describes, writer=made.append([tiny()], number=number), cat=cat)

    for name, layer, what, values in (
        ("commit-feature-second", "unsupported", "has an unknown reader feature", {"reader_features": 1}),
        ("commit-count-second", "commit", "counts more snapshots than its number", {"snapshots": 3}),
        ("commit-previous-lost", "commit", "has no previous one", {"previous": None}),
    ):
        second(name, layer, "open", f"the second commit {what}; that the first is right does not matter", **values)
    describes = "the second commit is of kind version 2; that the first is right does not matter"
    second("commit-version-2-second", "unsupported", "open", describes, "frame commit", version=2)
    second("commit-base-second", "commit", "open", "the base of the second commit is 0", "frame commit", base=0)
    second("commit-count", "commit", "verify", "the count of snapshots is wrong", cat=None, number=5, snapshots=3)
    second(
        "commit-previous-digest",
        "reference",
        "verify",
        "the reference to the previous commit has another digest",
        cat=None,
        previous=lambda one: Fields(offset=one.offset, length=one.length, digest=bytes(31) + b"\1"),
    )
    made = Writer().append([tiny()], number=3).append([tiny()], number=3)
    bad("commit-number", "commit", "verify", "the snapshot number does not ascend", writer=made)
    for kind, field in (("", "writer_features"), ("reader-", "reader_features")):
        made = Writer(changes={"commit": only(1, changing(**{field: 5}))}).append([tiny()]).append([tiny()])
        describes = f"a {field.replace('_features', '')} feature bit of the previous commit is missing"
        bad(f"commit-{kind}feature-lost", "commit", "verify", describes, writer=made)
    bad(
        "commit-planted",
        "commit",
        "verify",
        "an append that broke off in a cell that holds a valid commit for its place, which is not on the chain",
        writer=planted_commit(),
        rows=[(tiny(), None)],
        cat="ok",
    )


def planted_commit():
    """An append of a data frame that is cut off behind a commit within it. All that the commit refers to is sound."""
    made = Writer().append([tiny()])
    manifest = made.append([tiny()], until="manifest").last_reference
    before = made.commits[-1].reference
    start = len(made.data) + 104 + 6  # behind the header of the data frame and some bytes of its body
    body = struct.pack(
        "<QqQQQQQQ48s48s48sQ40s",
        2,
        1_700_000_000_000_002,
        start,
        0,
        0,
        1,
        3,
        start + 360 - before.offset - before.length,
        struct.pack("<QQ32s", manifest.offset, manifest.length, manifest.digest),
        struct.pack("<QQ32s", before.offset, before.length, before.digest),
        bytes(48),
        2,
        bytes(40),
    )
    inner = Writer()
    inner.commits = [Fields(offset=before.offset)]
    del inner.data[:]
    inner.frame(5, body)
    made.frame(1, b"begins" + bytes(inner.data) + b"and goes on")
    return bytes(made.data)[: start + 360]


def bad_frames():
    def frame(name, layer, needs, describes, cat="refuse", place="data", tables=None, **values):
        bad(name, layer, needs, describes, {f"frame {place}": only(1, changing(**values))}, tables, cat=cat)

    frame("frame-tag", "frame", "verify", "the data frame has another archive's tag", tag=b"another ")
    frame("frame-encrypted", "unsupported", "verify", "a frame says that it is encrypted", flags=2)
    frame("frame-reserved-flag", "frame", "verify", "a reserved flag is set", flags=1 << 9)
    frame("frame-version-2", "unsupported", "verify", "a catalog of kind version 2", place="catalog", version=2)
    frame(
        "frame-version-2-optional",
        "unsupported",
        "verify",
        "a catalog of kind version 2, which is optional but needed",
        place="catalog",
        version=2,
        flags=1 << 15,
    )
    frame("frame-version-0", "frame", "verify", "a catalog of kind version 0", place="catalog", version=0)
    frame("frame-base", "frame", "verify", "the base is no commit", cat=None, base=64)
    frame(
        "frame-lengths", "frame", "verify", "not compressed, but raw and stored length differ", raw=lambda raw: raw + 1
    )
    frame(
        "frame-compressed-longer",
        "frame",
        "verify",
        "compressed, but not smaller",
        flags=1,
        body=lambda body: raw_zstd(body),
        stored=lambda stored: stored + len(raw_zstd(b"")),
    )
    frame(
        "frame-catalog-limit",
        "frame",
        "verify",
        "a catalog of more than 67108864 raw bytes",
        place="catalog",
        flags=1,
        raw=(1 << 26) + 1,
    )
    frame("frame-data-limit", "frame", "verify", "a data frame of 4294967296 raw bytes", flags=1, raw=1 << 32)
    bad(
        "frame-overflow",
        "frame",
        "verify",
        "a frame with a stored length near 2^64",
        {"frame other": changing(stored=2**64 - 1, raw=2**64 - 1)},
        extra_frames=[(200, 1 << 15, b"from later")],
    )
    later = Writer().append([tiny()], extra_frames=[(200, 1 << 15, b"from later")])
    for name, describes, values in (
        ("flag", "a reserved flag", {"flags": 1 << 15 | 1 << 9}),
        ("lengths", "another raw length than stored length, though not compressed", {"raw": 7}),
        ("digest", "a wrong body digest", {}),
        ("version-0", "kind version 0", {"version": 0}),
    ):
        bad(
            f"frame-unknown-{name}",
            "frame",
            "verify",
            f"an optional frame of unknown kind, which nothing leads to, with {describes}",
            {"frame other": changing(**values)},
            writer=bytes(later.data).replace(b"from later", b"from Later") if name == "digest" else None,
            extra_frames=[(200, 1 << 15, b"from later")],
        )
    bad(
        "frame-unknown",
        "unsupported",
        "verify",
        "a frame of unknown kind that is not optional",
        extra_frames=[(200, 0, b"from later")],
        rows=[(tiny(), None)],
    )
    bad(
        "frame-kind-reserved",
        "unsupported",
        "verify",
        "a frame of reserved kind 7 that is not optional",
        extra_frames=[(7, 0, b"parity")],
        rows=[(tiny(), None)],
    )
    whole = bytes(sound().data)
    at = whole.index(b"onetwo")
    bad(
        "frame-body-flipped",
        "frame",
        "verify",
        "a bit of a cell was flipped",
        cat="refuse",
        writer=whole[:at] + b"n" + whole[at + 1 :],
    )
    at = 64 + 104 + struct.unpack("<Q", whole[64 + 24 : 64 + 32])[0]
    bad(
        "frame-header-flipped",
        "frame",
        "verify",
        "a bit of the second frame's header was flipped",
        cat="refuse",
        writer=whole[: at + 50] + bytes([whole[at + 50] ^ 4]) + whole[at + 51 :],
    )
    longer = bytes(sound().append([tiny("u")]).data)
    at = len(whole) + 50
    bad(
        "frame-header-flipped-second",
        "frame",
        "verify",
        "a bit of a header was flipped in the second append",
        writer=longer[:at] + bytes([longer[at] ^ 4]) + longer[at + 1 :],
    )


def raw_zstd(data, dictionary=b""):
    """A Zstandard frame made by hand, of one raw block (RFC 8878, 3.1.1)."""
    flags = 0xA0 | (1 if dictionary else 0)
    block = (len(data) << 3 | 1).to_bytes(3, "little") + data
    return struct.pack("<IB", 0xFD2FB528, flags) + dictionary + struct.pack("<I", len(data)) + block


def squeeze(body):
    return zstandard.ZstdCompressor(level=3).compress(body)


def windowed(body, exponent):
    """A Zstandard frame that names its window instead of being one segment (RFC 8878, 3.1.1.1)."""
    frame = squeeze(body)
    assert frame[4] & 0x20
    return frame[:4] + bytes([frame[4] & ~0x20, exponent - 10 << 3]) + frame[5:]


def compressed_by(body, raw=lambda raw: raw):
    def change(fields):
        fields.raw, fields.body, fields.flags = raw(fields.raw), body(fields.body), 1
        fields.stored = len(fields.body)
        return fields

    return change


def bad_compression():
    data = [table("t", ["a"], [["x" * 400]])]

    def packed(name, describes, body, raw=lambda raw: raw):
        bad(name, "frame", "full", describes, {"frame data": compressed_by(body, raw)}, data, cat="refuse")

    packed(
        "zstd-raw-length-higher", "a compressed body has fewer bytes than its raw length", squeeze, lambda raw: raw + 1
    )
    packed(
        "zstd-raw-length-lower",
        "a compressed body has more bytes than its raw length",
        lambda body: squeeze(body + b"!"),
    )
    packed("zstd-bomb-claimed", "a raw length of 4294967295 and a short content", squeeze, lambda raw: 2**32 - 1)
    packed(
        "zstd-bomb",
        "a content of 64 MiB where the raw length says 10000",
        lambda _: squeeze(bytes(1 << 26)),
        lambda raw: 10000,
    )
    packed("zstd-bytes-after", "bytes after the Zstandard frame", lambda body: squeeze(body) + b"\0")
    packed("zstd-two-frames", "two Zstandard frames", lambda body: squeeze(body[:300]) + squeeze(body[300:]))
    packed(
        "zstd-skippable",
        "a skippable frame before the Zstandard frame",
        lambda body: struct.pack("<II", 0x184D2A50, 4) + b"skip" + squeeze(body),
    )
    packed("zstd-cut-off", "a Zstandard frame that ends too early", lambda body: squeeze(body)[:-1])
    packed("zstd-garbage", "no Zstandard frame at all", lambda body: b"\x5a" * 50)
    packed("zstd-window", "a Zstandard frame with a window of 256 MiB", lambda body: windowed(body, 28))
    packed("zstd-dictionary", "a Zstandard frame that wants a dictionary", lambda body: raw_zstd(body[:300], b"\7"))
    long_schema = [table("t", ["a"], [], definition="CREATE TABLE t(" + "a, " * 200 + ")")]
    bad(
        "zstd-metadata",
        "frame",
        "verify",
        "a compressed table manifest is shorter than its raw length",
        writer=Writer(compress=True, changes={"frame table metadata": changing(raw=lambda raw: raw + 1)}).append(
            long_schema
        ),
        cat="refuse",
    )


def bad_references():
    def catalog(name, layer, describes, **values):
        bad(
            name,
            layer,
            "verify",
            describes,
            {"manifest": lambda manifest: changing(catalog=changing(**values))(manifest)},
            cat="refuse",
        )

    catalog("reference-forward", "reference", "a reference leads to what comes after", offset=lambda at: at + 4096)
    catalog("reference-length", "reference", "a reference has another length than its frame", length=lambda n: n - 1)
    catalog("reference-digest", "reference", "a reference has another digest than its frame", digest=bytes(32))
    catalog("reference-overflow", "reference", "a reference whose end exceeds 2^64", offset=2**64 - 8)
    catalog("reference-into-header", "reference", "a reference leads into the archive header", offset=0)
    catalog("reference-between", "reference", "a reference leads to where no frame begins", offset=lambda at: at - 1)

    made = Writer()
    made.changes = {"manifest": lambda manifest: changing(catalog=next(iter(made.slices.values())).reference)(manifest)}
    bad(
        "reference-kind",
        "reference",
        "verify",
        "a reference to a catalog leads to a data frame",
        writer=made.append([tiny()]),
        cat="refuse",
    )
    made = Writer()
    unknown = made.frame(99, b"body", 1 << 15)[0]
    made.changes = {"manifest": changing(catalog=unknown)}
    bad(
        "reference-unknown-kind",
        "unsupported",
        "verify",
        "a reference leads to a frame of unknown kind",
        writer=made.append([tiny()]),
        cat="refuse",
    )

    made = Writer(changes={"manifest": only(3, lambda manifest: changing(catalog=planted)(manifest))}).append([tiny()])
    catalog_place = made.catalog_reference
    frame = bytes(made.data[catalog_place.offset : catalog_place.offset + catalog_place.length])
    made.append([tiny(), table("c", ["copy"], [[frame]])])
    planted = Fields(**vars(catalog_place) | {"offset": made.data.rindex(frame)})
    assert planted.offset > catalog_place.offset
    bad(
        "reference-off-chain",
        "reference",
        "verify",
        "a reference to a catalog leads to a copy of one that lies within a cell",
        writer=made.append([tiny()]),
    )

    def slices(name, describes, number, **values):
        bad(name, "reference", "verify", describes, {"slice reference": only(number, changing(**values))}, cat="refuse")

    slices("slice-beyond-body", "a page reaches beyond its frame's body", 1, length=lambda length: length + 1)
    slices("slice-overflow", "a slice whose end exceeds 2^64", 1, start=2**64 - 8)
    slices("slice-in-directory", "a table manifest begins within the directory", 2, start=4)


def bad_metadata():
    def raw(name, describes, change, place="catalog", **options):
        bad(name, "metadata", "verify", describes, {f"raw {place}": change}, cat="refuse", **options)

    raw("metadata-varint-long", "a varint longer than necessary", lambda data: b"\xfb\1\0" + data[1:])
    raw(
        "metadata-varint-long-64",
        "a varint of eight bytes for a value of four",
        lambda data: b"\xfd\1\0\0\1\0\0\0\0" + data[1:],
    )
    raw("metadata-varint-254", "a varint that begins with 254", lambda data: b"\xfe" + bytes(16) + data[1:])
    raw("metadata-varint-255", "a varint that begins with 255", lambda data: b"\xff" + data[1:])
    raw("metadata-left-over", "bytes left over", lambda data: data + b"\0")
    raw("metadata-cut-off", "input that ends too early", lambda data: data[:-1])
    raw("metadata-empty", "an empty body", lambda data: b"")
    raw("metadata-count", "a list of 2^63 elements", lambda data: b"\xfd" + bytes(7) + b"\x80" + data[1:])
    raw(
        "metadata-string-length", "a string of 2^64 - 1 bytes", lambda data: data[:1] + b"\xfd" + b"\xff" * 8 + data[2:]
    )
    bad(
        "metadata-name-limit",
        "metadata",
        "verify",
        "a name of 65536 bytes",
        cat="refuse",
        writer=Writer(compress=True, changes={"raw catalog": sub(b"\1t", b"\xfc\0\0\1\0" + b"t" * 65536)}).append(
            [tiny()]
        ),
    )
    raw("metadata-utf8", "a string that is not UTF-8", sub(b"\1t", b"\1\xc3"))
    raw("metadata-surrogate", "a string with an encoded surrogate", sub(b"\1t", b"\3\xed\xa0\x80"))
    raw("metadata-bool", "a bool of 2", sub(b"\x07INTEGER\0\1\0", b"\x07INTEGER\0\2\0"), "table")
    raw("metadata-optional", "an optional byte of 2", sub(b"\1\3\3one\1", b"\2\3\3one\1"), "page")
    raw("metadata-alternative", "an unknown alternative of a page", lambda data: b"\2" + data[1:], "page")
    raw(
        "metadata-bound-limit",
        "a bound that holds 65 bytes",
        sub(b"\3" + b"\x40" + b"v" * 64 + b"\1", b"\3" + b"\x41" + b"v" * 65 + b"\1"),
        "page",
        tables=[table("t", ["a"], [["v" * 64]])],
    )
    raw(
        "metadata-bound-inexact",
        "a bound of three bytes that says it is not exact",
        sub(b"\3\3abc\1", b"\3\3abc\0"),
        "page",
        tables=[table("t", ["a"], [["abc"]])],
    )
    raw(
        "metadata-row-groups",
        "a leaf page of 65 row groups",
        lambda data: repeated_group(data),
        "page",
        tables=[table("t", [], [[]])],
    )
    bad("metadata-u32", "metadata", "verify", "a depth of 2^32", {"table": changing(page_depth=2**32)}, cat="refuse")


def where(expression):
    return 0, Fields(expression=expression)


def expire(column_name, age, instant):
    return 1, Fields(column=column_name, age=age, instant=instant)


def repeated_group(data):
    assert data == b"\0\0\1\1\0\0\0\0"
    return b"\0\0\x41" + b"\1\0\0\0\0" * 65


def bad_manifests():
    def place(name, where, describes, layer="manifest", needs="verify", tables=None, change=None, cat=None, **values):
        bad(name, layer, needs, describes, {where: change or changing(**values)}, tables, cat=cat)

    two = [tiny("a"), tiny("b", [(7, "seven")])]
    place(
        "catalog-unsorted",
        "catalog",
        "tables are not sorted",
        tables=two,
        change=changing(tables=lambda tables: tables[::-1]),
    )
    place(
        "catalog-duplicate",
        "catalog",
        "a table stands in the catalog twice",
        tables=two,
        change=changing(tables=lambda tables: tables[:1] * 2),
    )
    place(
        "catalog-name",
        "catalog",
        "a table has another name in the catalog",
        tables=two,
        change=lambda catalog: changing(tables=[catalog.tables[0], changing(name="c")(catalog.tables[1])])(catalog),
    )
    place("tags-unsorted", "manifest", "tags are not sorted", tags=[("b", ""), ("a", "")])
    place("tags-duplicate", "manifest", "a tag stands there twice", tags=[("a", "1"), ("a", "2")])
    place("tags-empty-key", "manifest", "a tag with an empty key", tags=[("", "x")])
    place("manifest-number", "manifest", "the manifest has another number than the commit", number=2)
    place("manifest-time", "manifest", "the manifest has another time than the commit", time=0)
    place(
        "manifest-tables",
        "manifest",
        "tables of the manifest are wrong",
        "totals",
        "full",
        tables=two,
        change=changing(tables=1),
    )
    place("manifest-rows", "manifest", "rows of the manifest are wrong", "totals", "full", rows=4)
    place(
        "manifest-logical-bytes",
        "manifest",
        "logical bytes of the manifest are wrong",
        "totals",
        "full",
        logical_bytes=0,
    )
    place(
        "manifest-fingerprint",
        "manifest",
        "the fingerprint of the snapshot is wrong",
        "fingerprint",
        "full",
        fingerprint=bytes(32),
    )
    place(
        "table-entry-fingerprint",
        "table entry",
        "a table has another fingerprint in the catalog",
        "fingerprint",
        "full",
        fingerprint=bytes(32),
    )
    bad(
        "table-depth",
        "manifest",
        "verify",
        "nine levels of inner pages",
        writer=Writer(page_depth=9).append([tiny()]),
        cat="refuse",
    )
    place("table-summaries", "table", "a summary is missing", columns=lambda columns: columns[:1])
    place("table-pages-missing", "table", "rows, but no pages", pages=[])
    place("table-pages-limit", "table", "65 pages in a table manifest", "metadata", pages=lambda pages: pages * 65)

    def schema(name, layer, describes, **values):
        one = tiny()
        changing(**values)(one.schema)
        place(name, "none", describes, layer, tables=[one])

    place("filter-column", "table", "a filter by a column that is not", filters=[expire("x", 1, 1)])
    shadow = table("t_data", ["a"], [(1,)], role="shadow", filters=[where("a")])
    place("filter-role", "none", "a filter on the storage of a virtual table", tables=[shadow])
    schema("schema-role", "manifest", "a role that is none of the three", role="system")
    twice = [column("id"), column("id")]
    schema("schema-names", "manifest", "two columns of one name", columns=twice)
    second_hidden = [column("id"), column("name", hidden=True)]
    schema("schema-hidden", "manifest", "the second column is hidden", columns=second_hidden)
    logical = [column("id"), column("name", logical=255)]
    schema("schema-logical", "unsupported", "a column of a logical type that version 2 does not know", columns=logical)
    schema("schema-options-unsorted", "manifest", "table options are not sorted", options=[("b", ""), ("a", "")])
    place(
        "schema-key-column",
        "table",
        "a key part of a column that is not",
        change=lambda manifest: changing(schema=changing(key=[key_part(2)]))(manifest),
    )
    place("table-rows", "table", "rows of a table are wrong", "totals", "full", rows=4)
    place("table-logical-bytes", "table", "logical bytes of a table are wrong", "totals", "full", logical_bytes=1)
    place("table-stored-bytes", "table", "stored bytes of a table are wrong", "totals", "full", stored_bytes=1)
    place(
        "table-fingerprint",
        "table",
        "the fingerprint of a table is wrong",
        "fingerprint",
        "full",
        fingerprint=bytes(32),
    )
    first = {
        "logical_bytes": ("logical bytes", 0),
        "stored_bytes": ("stored bytes", 0),
        "nulls": ("nulls", 2),
        "minimum": ("minimum", bound(cell(0))),
        "maximum": ("maximum", bound(cell(4))),
        "encodings": ("encodings", [(0, 2)]),
    }
    for field, (text, value) in first.items():
        change = changing(**{field: value})
        if field in ("logical_bytes", "stored_bytes"):
            # Two summaries that are wrong by one each leave the table's sum right.
            steps = iter((1, -1))
            change = (lambda name, steps: lambda one: changing(**{name: lambda n: n + next(steps)})(one))(field, steps)
        else:
            change = only(1, change)
        place(
            f"summary-{field.replace('_', '-')}",
            "summary",
            f"{text} of a column are wrong",
            "totals",
            "full",
            change=change,
        )
    for field, text, value in (
        ("alone", "a maximum, but no minimum", None),
        ("null", "a null as minimum", bound((0, None))),
    ):
        change = only(1, changing(minimum=value))
        place(f"summary-bound-{field}", "summary", f"a column has {text}", "metadata", change=change, cat="refuse")
    place(
        "summary-fingerprint",
        "summary",
        "the fingerprint of a column is wrong",
        "fingerprint",
        "full",
        change=only(1, changing(fingerprint=bytes(32))),
    )


def bad_pages():
    def place(
        name, where, describes, layer="page", needs="verify", change=None, cat=None, times=None, tables=None, **values
    ):
        change = change or changing(**values)
        bad(name, layer, needs, describes, {where: only(times, change) if times else change}, tables, cat=cat)

    place("page-kind", "table", "the depth says inner page, but the page is a leaf", cat="refuse", page_depth=1)
    place("page-group-rows", "group", "a row group of 131073 rows", cat="refuse", rows=131073)
    place("page-group-blocks", "group", "a block is missing", cat="refuse", blocks=lambda blocks: blocks[:1])
    place("page-key-parts", "group", "a first key of no cells", "totals", "full", first_key=[])
    start = row_with_boundary()
    bad(
        "page-group-without-rows",
        "page",
        "verify",
        "a row group of 0 rows before another one",
        writer=Writer(compress=True, changes={"group": only(1, changing(rows=0))}).append(
            [table("t", ["v"], [[None]] * 32768 + [[start]])]
        ),
        cat="refuse",
    )
    twice = [table("t", ["v"], ([[start]] + [[None]] * 32767) * 2)]
    bad(
        "page-twice",
        "page",
        "verify",
        "two leaf pages that are the same slice",
        writer=Writer(compress=True, leaf_groups=1).append(twice),
        cat="refuse",
    )
    rows = {"rows": lambda _: 131072, "canonical": lambda _: struct.pack("<IBB", 131072, 0, 0)}
    wide = Writer(compress=True, changes=rows | {"block entry": changing(nulls=131072)})
    bad(
        "page-cells",
        "page",
        "verify",
        "a row group of 131072 rows of 513 columns, which has more than 67108864 row bytes",
        writer=wide.append([table("t", [f"c{number}" for number in range(513)], [[None] * 513])]),
        cat="refuse",
    )
    place("page-frame-unused", "leaf", "a page names a frame twice", frames=lambda frames: frames * 2)
    outside = changing(slice=changing(frame=1))
    place("page-frame-index", "piece", "a block in a frame that the page does not name", cat="refuse", change=outside)
    bad(
        "page-frames-order",
        "page",
        "verify",
        "a page's frames are not in the order of first use",
        writer=Writer(frame_per_block=True, changes={"leaf": reversed_frames}).append([tiny()]),
    )
    place(
        "page-first-key",
        "group",
        "the first key of a row group is wrong",
        "totals",
        "full",
        first_key=[bound(cell(0))],
    )
    place(
        "page-entry-first-key",
        "page entry",
        "the first key of a page entry is wrong",
        "totals",
        "full",
        first_key=[bound(cell(0))],
    )
    place("page-entry-rows", "page entry", "rows of a page entry are wrong", "totals", "full", rows=4)
    place("page-entry-groups", "page entry", "row groups of a page entry are wrong", "totals", "full", groups=2)
    for name, describes, needs, values in (
        ("beyond-frame", "a block reaches beyond its frame's body", "verify", {"start": lambda start: start + 10000}),
        ("overflow", "a block whose end exceeds 2^64", "verify", {"start": 2**64 - 8}),
        ("in-directory", "a block begins within the directory", "full", {"start": 4}),
        ("empty", "a block of no bytes", "full", {"length": 0}),
    ):
        change = changing(slice=changing(**values))
        place(f"block-{name}", "piece", describes, "block", needs, cat="refuse", change=change)
    unknown = {"block": lambda raw: b"\x09" + raw[1:], "piece": changing(encoding=9)}
    bad("block-encoding-unknown", "unsupported", "full", "an encoding that is not known", unknown, cat="refuse")
    place(
        "block-encoding-differs",
        "block",
        "a block has another encoding than its page says",
        "block",
        "full",
        cat="refuse",
        change=lambda raw: b"\1" + raw[1:],
    )
    place("block-nulls", "block entry", "nulls of a block are wrong", "totals", "full", times=1, nulls=3)
    one = {"block entry": only(1, changing(logical_bytes=1)), "piece": only(1, changing(logical_bytes=1))}
    bad("block-logical-bytes", "block", "full", "logical bytes of a block are wrong", one, cat="refuse")
    describes = "logical bytes of a block are not those of its only piece"
    place("block-logical-bytes-differ", "block entry", describes, cat="refuse", times=1, logical_bytes=1)
    place("block-no-pieces", "block entry", "a block has no pieces", cat="refuse", times=2, pieces=[])
    place(
        "block-minimum",
        "block entry",
        "the minimum of a block is wrong",
        "totals",
        "full",
        times=1,
        minimum=bound(cell(0)),
    )
    place(
        "block-maximum",
        "block entry",
        "the maximum of a block is wrong",
        "totals",
        "full",
        times=1,
        maximum=bound(cell(4)),
    )
    alone, null = {"maximum": None}, {"minimum": bound((0, None)), "maximum": bound((0, None))}
    for name, text, values in (("alone", "a minimum, but no maximum", alone), ("null", "bounds of null", null)):
        place(f"block-bound-{name}", "block entry", f"a block has {text}", "metadata", cat="refuse", times=1, **values)
    place(
        "block-content",
        "block entry",
        "the content digest of a block is wrong",
        "content",
        "full",
        times=1,
        content=bytes(32),
    )


def reversed_frames(leaf):
    leaf.frames.reverse()
    for group in leaf.groups:
        for entry in group.blocks:
            entry.pieces[0].slice.frame = len(leaf.frames) - 1 - entry.pieces[0].slice.frame
    return leaf


def bad_cells():
    def form(name, describes, rows, change, layer="cells"):
        bad(name, layer, "full", describes, {"canonical": change}, [table("t", ["a"], rows)], cat="refuse")

    form(
        "cells-rows",
        "a block of another number of rows than its row group",
        [[None]],
        sub(b"\1\0\0\0", b"\2\0\0\0"),
        "block",
    )
    form("cells-one-kind", "form 1 with cells of one kind", [["x"]] * 2, lambda data: data[:4] + b"\1\3\3" + data[6:])
    form("cells-form", "form 2", [["x"]], lambda data: data[:4] + b"\2" + data[5:])
    form("cells-kind", "a cell of unknown kind", [["x"], [None]], lambda data: data[:6] + b"\6" + data[7:])
    form("cells-kind-of-all", "all cells are of an unknown kind", [[None]], lambda data: data[:5] + b"\6")
    form("cells-utf8", "a text that is not UTF-8", [["xy"]], lambda data: data[:-1] + b"\xc3")
    form("cells-surrogate", "a text with an encoded surrogate", [["xyz"]], lambda data: data[:-3] + b"\xed\xa0\x80")
    form(
        "cells-utf8-joined",
        "two texts that are valid UTF-8 only together",
        [["x"], ["y"]],
        lambda data: data[:-2] + b"\xc3\xa9",
    )
    form("cells-left-over", "bytes after the last payload", [["x"]], lambda data: data + b"y")
    form("cells-cut-off", "a payload is cut off", [["xyz"]], lambda data: data[:-1])
    form("cells-fixed-cut-off", "a fixed payload is cut off", [[1]], lambda data: data[:-1])
    form("cells-length", "a length near 2^32", [["xyz"]], lambda data: data[:6] + b"\xff" * 4 + data[10:])
    form("cells-kinds-cut-off", "the kinds are cut off", [[1], [None]], lambda data: data[:6])
    for number, name, value in ((1, "boolean", "t"), (3, "real", 1), (10, "uuid", RawText(b"")), (34, "decimal", 1.5)):
        one = table("t", [column("a", logical=number)], [[None], [value]])
        describes = f"a cell of a kind that the logical type {name} has not"
        bad(f"logical-{name}", "cells", "full", describes, tables=[one], cat="ok", rows=[(one, None)])


def bad_rows():
    def rows(name, layer, describes, tables, changes=None, **options):
        bad(name, layer, "full", describes, changes, tables, rows=[(one, None) for one in tables], **options)

    rows("order-descends", "order", "rows are not in the key's order", [tiny(rows=[(2, "a"), (1, "b")])])
    rows("order-duplicate", "order", "two rows have one key", [tiny(rows=[(2, "a"), (2, "b")])])
    rows("order-equal-numbers", "order", "the keys 1 and 1.0 are equal", [tiny(rows=[(1, "a"), (1.0, "b")])])
    rows(
        "order-ascends", "order", "rows ascend, the key descends", [table("t", ["a"], [[1], [2]], [key_part(0, True)])]
    )
    rows(
        "order-nocase",
        "order",
        "two keys are equal under NOCASE",
        [table("t", ["a"], [["a"], ["A"]], [key_part(0, False, "NOCASE")])],
    )
    rows(
        "order-rtrim",
        "order",
        "two keys are equal under RTRIM",
        [table("t", ["a"], [["a "], ["a"]], [key_part(0, False, "RTRIM")])],
    )
    rows("order-nan", "order", "a NaN in the key", [table("t", ["a"], [[float("nan")]], [key_part(0)])])
    rows(
        "order-utf16",
        "order",
        "rows in the order of UTF-8, but not of the source's UTF-16le",
        [table("t", ["a"], [["b"], ["Ā"]], [key_part(0)])],
        settings=[("encoding", "UTF-16le")],
    )
    rows(
        "order-nocase-nul",
        "order",
        "two keys that NOCASE compares up to a NUL only, the longer one first",
        [table("t", ["a"], [["a\0aaa"], ["A\0z"]], [key_part(0, False, "NOCASE")])],
    )
    rows(
        "order-postgresql",
        "order",
        "rows of a table of PostgreSQL are not in the key's order",
        [tiny(rows=[(2, "a"), (1, "b")])],
        {"manifest": lambda manifest: changing(source=changing(engine="postgresql"))(manifest)},
    )
    rows("order-kinds", "order", "bytes before a text", [table("t", ["a"], [[b"a"], ["b"]], [key_part(0)])])
    rows(
        "cut-too-early",
        "boundaries",
        "a row group ends where none should",
        [tiny()],
        {"groups": lambda groups: [groups[0][:1], groups[0][1:]]},
    )
    start = row_with_boundary()
    rows(
        "cut-too-late",
        "boundaries",
        "a row group goes on where another should begin",
        [table("t", ["a"], [[None]] * 32768 + [[start]])],
        {"groups": lambda groups: [groups[0] + groups[1]]},
    )


def bad_directories():
    def directory(name, describes, place="data", **values):
        bad(
            name,
            "directory",
            "full",
            describes,
            {f"directory {place}": only(1, changing(**values))},
            rows=[(tiny(), None)],
        )

    def label(**values):
        return lambda slices: [changing(**values)(slices[0])] + slices[1:]

    directory("directory-snapshot", "the directory names another snapshot", snapshot=2)
    directory("directory-table-name", "the directory names another table", tables=["u"])
    directory("directory-table-index", "a label of a table that is not named", slices=label(table=1))
    directory("directory-what", "a block is labelled as a page", slices=label(what=1))
    directory("directory-group", "a block is labelled as of another row group", slices=label(group=1))
    directory("directory-column", "a block is labelled as of another column", slices=label(column=1))
    directory("directory-rows", "a label has other rows than its block", slices=label(rows=4))
    directory("directory-sum", "the lengths of the slices exceed the body", slices=label(length=10000))
    directory(
        "directory-split",
        "two labels for the two halves of a block",
        slices=lambda slices: [
            Fields(**vars(slices[0]) | {"length": slices[0].length - 3}),
            Fields(**vars(slices[0]) | {"length": 3}),
        ]
        + slices[1:],
    )
    directory("directory-block", "a page is labelled as a block", place="table metadata", slices=label(what=0))
    directory("directory-page", "a page is labelled as a table manifest", place="table metadata", slices=label(what=2))
    bad(
        "directory-length",
        "directory",
        "full",
        "a directory longer than its frame's body",
        {"directory length data": lambda length: 2**32 - 1},
        cat="refuse",
    )


def bad_history():
    def history(name, layer, describes, places):
        made = Writer(compress=True, changes=places)
        for _ in range(66):
            made.append([])
        bad(name, layer, "verify", describes, writer=made)

    history(
        "history-missing",
        "commit",
        "the commit refers to no history page",
        {"commit": lambda commit: changing(history=None)(commit)},
    )
    history(
        "history-covered", "commit", "a history page says that it covers more", {"history page": changing(covered=65)}
    )
    history(
        "history-entries",
        "metadata",
        "a history page has one entry less",
        {"history page": changing(entries=lambda entries: entries[1:])},
    )
    history(
        "history-lost",
        "commit",
        "an earlier commit than the last does not refer to the history page",
        {"commit": only(65, lambda commit: changing(history=None)(commit))},
    )
    history(
        "history-rows",
        "commit",
        "a history page tells of other rows than the commit",
        {
            "history page": changing(
                entries=lambda entries: [changing(rows=7)(Fields(**vars(entries[0])))] + entries[1:]
            )
        },
    )
    history(
        "history-order",
        "manifest",
        "the entries of a history page descend",
        {"history page": changing(entries=lambda entries: entries[::-1])},
    )


def bad_tails():
    def tail(name, describes, data):
        bad(name, "tail", "verify", describes, writer=data, rows=[(tiny(), None)], cat="ok")

    whole = sound()
    tail("tail-garbage", "bytes after the last commit", bytes(whole.data) + b"garbage")
    tail("tail-zeros", "zeros after the last commit", bytes(whole.data) + bytes(1000))
    tail(
        "tail-append",
        "an append that was interrupted before its commit",
        sound().append([tiny("u", [(9, "nine")])], until="manifest"),
    )
    longer = sound().append([tiny("u", [(9, "nine")])])
    tail("tail-cut-commit", "an append whose commit is cut off", bytes(longer.data)[:-100])
    tail("tail-flipped-commit", "an append whose commit was damaged", bytes(longer.data)[:-1] + b"\1")
    newer = Writer(changes={"frame commit": only(2, changing(version=2))}).append([tiny()]).append([tiny("u")])
    large = Writer(compress=True).append([tiny()], tags=[("k", "x" * 65536)])
    bad("metadata-tag-limit", "metadata", "verify", "tags of 65,537 bytes", writer=large)
    describes = "a commit of kind version 2 behind the last one that is known, and an append that broke off"
    bad("tail-version-2", "unsupported", "open", describes, writer=bytes(newer.data) + b"garbage")
    copied = sound().append([tiny("u")])
    cell_of_copy = table("copy", ["archive"], [[bytes(copied.data)]])
    bad(
        "tail-copy-in-cell",
        "tail",
        "verify",
        "an interrupted append of a cell that holds a copy of this archive, with headers whose base is an older commit",
        writer=copied.append([cell_of_copy], until="data"),
        rows=[(tiny("u"), None)],
        cat="ok",
    )
    another = Writer(archive_id=bytes(16)).append([tiny("u")])
    tail("tail-another-archive", "another archive was put behind this one", bytes(whole.data) + bytes(another.data))


def main():
    parser = argparse.ArgumentParser(description="Makes the test vectors.")
    parser.add_argument("--check", action="store_true", help="compare instead of writing")
    options = parser.parse_args()
    found = zstandard.ZSTD_VERSION, importlib.metadata.version("pcodec")
    if found != (ZSTD_VERSION, PCODEC_VERSION):
        sys.exit(f"zstd and pcodec {found} may compress to other bytes than {ZSTD_VERSION, PCODEC_VERSION} did")
    good_vectors()
    good_encodings(good)
    good_erasures(vector, tiny)
    good_layers(good)
    for make in (
        bad_headers,
        bad_commits,
        bad_frames,
        bad_compression,
        bad_references,
        bad_metadata,
        bad_manifests,
        bad_pages,
        bad_cells,
        bad_rows,
        bad_directories,
        bad_history,
        bad_tails,
    ):
        make()
    bad_erasures(bad, changing, only, tiny)
    bad_encodings(bad)
    bad_layers(bad)
    folder = pathlib.Path(__file__).resolve().parent
    made = {name: data for files in VECTORS.values() for name, data in files.items()}
    found = {path.name: path for suffix in ("tabark", "txt", "jsonl") for path in folder.glob(f"*.{suffix}")}
    wrong = sorted(
        name for name in made.keys() | found.keys() if name not in found or made.get(name) != found[name].read_bytes()
    )
    for name in wrong:
        if options.check:
            print(f"{name} is not what make.py makes")
        elif name in made:
            (folder / name).write_bytes(made[name])
        else:
            found[name].unlink()
    print(
        f"{len(VECTORS)} vectors, {sum(map(len, made.values()))} bytes, {len(wrong)} files "
        + ("differ" if options.check else "written")
    )
    return 1 if options.check and wrong else 0


if __name__ == "__main__":
    sys.exit(main())
