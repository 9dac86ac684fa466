"""A small writer of tabark archives, made from spec/format.md alone. It exists to make test vectors.

Every value can be changed on its way into the file: `changes` maps the name of a place to a function that is given
the value there and returns another. What depends on the value is computed after the change, so that a changed
value is the only fault in an archive.
"""

import pathlib
import struct
import sys
from collections import Counter
from types import SimpleNamespace as Fields

import zstandard
from blake3 import blake3

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "reference"))
from tabark_reference import (  # noqa: E402
    ALTERNATIVES,
    CATALOG,
    COMMIT,
    DATA,
    FIELDS,
    ERASURES,
    HISTORY,
    MANIFEST,
    TABLE_METADATA,
)

NOTHING = bytes(48)
FRAME_NAMES = {
    DATA: "data",
    TABLE_METADATA: "table metadata",
    CATALOG: "catalog",
    MANIFEST: "manifest",
    COMMIT: "commit",
    HISTORY: "history",
    ERASURES: "erasures",
}


class RawText(bytes):
    """A cell that the source calls text, in the source's encoding."""


class RealBits(int):
    """A real cell given by its bits."""


# §2.1
def varint(value):
    if value < 251:
        return bytes([value])
    for first, size in ((251, 2), (252, 4), (253, 8)):
        if value < 1 << (8 * size):
            return bytes([first]) + value.to_bytes(size, "little")
    raise ValueError(value)


def encode(kind, value):
    """A value of a type as the table of structures in the reader names it; structures are objects or tuples."""
    if kind in ("u32", "u64"):
        return varint(value)
    if kind in ("u8", "bool"):
        return bytes([value])
    if kind == "i64":
        return varint(-2 * value - 1 if value < 0 else 2 * value)
    if kind == "f64":
        return struct.pack("<Q", value)
    if kind == "digest":
        assert len(value) == 32
        return value
    if kind in ("string", "name", "held"):
        data = value.encode() if isinstance(value, str) else value
        return varint(len(data)) + data
    if kind.startswith("list of "):
        return varint(len(value)) + b"".join(encode(kind.split()[2], element) for element in value)
    if kind.startswith("optional "):
        return b"\0" if value is None else b"\1" + encode(kind.split()[1], value)
    if kind in ALTERNATIVES:
        number, content = value
        alternative = ALTERNATIVES[kind][number]
        return varint(number) + (b"" if alternative is None else encode(alternative, content))
    values = value if isinstance(value, tuple) else [getattr(value, name) for name, _ in FIELDS[kind]]
    return b"".join(encode(field, each) for (_, field), each in zip(FIELDS[kind], values))


def blake(data):
    return blake3(data).digest()


def derive(context, data):
    return blake3(data, derive_key_context=context).digest()


# §7
def cell(value):
    if value is None:
        return 0, None
    if isinstance(value, RealBits):
        return 2, int(value)
    if isinstance(value, int):
        return 1, value
    if isinstance(value, float):
        return 2, struct.unpack("<Q", struct.pack("<d", value))[0]
    if isinstance(value, str):
        return 3, value.encode()
    return (5 if isinstance(value, RawText) else 4), bytes(value)


def canonical(cells):
    kinds = bytes(kind for kind, _ in cells)
    one_kind = len(set(kinds)) == 1
    fixed = b"".join(struct.pack("<Q", payload % 2**64) for kind, payload in cells if kind in (1, 2))
    variable = [payload for kind, payload in cells if kind > 2]
    return (
        struct.pack("<IB", len(cells), not one_kind)
        + (kinds[:1] if one_kind else kinds)
        + fixed
        + b"".join(struct.pack("<I", len(payload)) for payload in variable)
        + b"".join(variable)
    )


def mixed(x):
    x = ((x ^ x >> 30) * 0xBF58476D1CE4E5B9) % 2**64
    x = ((x ^ x >> 27) * 0x94D049BB133111EB) % 2**64
    return x ^ x >> 31


def row_hash(cells):
    h = 0x9E3779B97F4A7C15
    for kind, payload in cells:
        h = mixed(h ^ kind)
        if kind in (1, 2):
            h = mixed(h ^ payload % 2**64)
        if kind > 2:
            padded = payload + bytes(-len(payload) % 8)
            for word in struct.unpack(f"<{len(padded) // 8}Q", padded):
                h = mixed(h ^ word)
            h = mixed(h ^ len(payload))
    return h


def row_bytes(row):
    return sum(1 if kind == 0 else 9 if kind < 3 else 5 + len(payload) for kind, payload in row)


def cut(rows, key):
    """Row groups by §7.2."""
    groups, size = [], 0
    for row in rows:
        length = row_bytes(row)
        count = len(groups[-1]) if groups else 0
        if (
            count == 0
            or count == 131072
            or size + length > 67108864
            or (count >= 32768 and row_hash([row[part.column] for part in key] if key else row) < 2**49)
        ):
            groups.append([])
            size = 0
        groups[-1].append(row)
        size += length
    return groups


def plain_numbers(words):
    """§6.1, codec 0."""
    return b"\0" + struct.pack(f"<{len(words)}Q", *words)


# §5.3
def bound(one):
    kind, payload = one
    if kind > 2 and len(payload) > 64:
        return Fields(value=(kind, payload[:64]), exact=False)
    return Fields(value=one, exact=True)


def real(bits):
    return struct.unpack("<d", struct.pack("<Q", bits))[0]


def bounds(cells):
    """Least and greatest cell that are not null, as cells; None where there are none or a NaN stands among them."""
    low = high = None
    for kind, payload in cells:
        if kind == 0:
            continue
        if kind == 2 and real(payload) != real(payload):
            return None, None
        rank = (kind, payload) if kind > 2 else (1, real(payload) if kind == 2 else payload)
        if low is None or rank < low[0]:
            low = rank, (kind, payload)
        if high is None or rank > high[0]:
            high = rank, (kind, payload)
    return (low[1], high[1]) if low else (None, None)


def bounds_of_bounds(held):
    """Bounds of a column from those of its blocks, as (minimum, maximum) each: an inexact one is above its bytes."""

    def rank(one):
        kind, payload = one.value
        return (kind, payload, not one.exact) if kind > 2 else (1, real(payload) if kind == 2 else payload)

    if not held:
        return None, None
    return min((low for low, _ in held), key=rank), max((high for _, high in held), key=rank)


def column(name, declared_type="", nullable=True, hidden=False, logical=0):
    return Fields(name=name, declared_type=declared_type, logical=logical, nullable=nullable, hidden=hidden)


def key_part(index, descending=False, collation="BINARY"):
    return Fields(column=index, descending=descending, collation=collation)


def table(
    name,
    columns,
    rows,
    key=(),
    role="table",
    definition=None,
    position=1,
    generated=(),
    options=(),
    attached=(),
    filters=(),
):
    columns = [column(one) if isinstance(one, str) else one for one in columns]
    schema = Fields(
        name=name,
        role=role,
        definition=definition or f"CREATE TABLE {name}",
        position=position,
        columns=columns,
        generated=list(generated),
        key=list(key),
        options=list(options),
        attached=list(attached),
    )
    rows = [[cell(value) for value in row] for row in rows]
    return Fields(schema=schema, filters=list(filters), rows=rows, history={})


class Writer:
    def __init__(
        self,
        changes=None,
        compress=False,
        frame_per_block=False,
        page_depth=0,
        leaf_groups=64,
        archive_id=bytes(range(0xA0, 0xB0)),
        encoders=None,
        patch_encoders=None,
        ordinals=None,
    ):
        self.changes = changes or {}
        self.encoders = encoders or {}  # by index of the column: makes a block of cells, see encoders.py
        self.patch_encoders = patch_encoders or {}  # the same, of the cells inside a patch
        self.ordinals = ordinals or plain_numbers  # makes numbers of ordinals
        self.compress, self.frame_per_block = compress, frame_per_block
        self.page_depth, self.leaf_groups = page_depth, leaf_groups
        self.id = archive_id
        header = self.changed("header", bytes.fromhex("8954424B0D0A1A0A") + struct.pack("<II", 2, 0) + self.id)
        self.data = bytearray(header + blake(header))
        self.commits, self.history, self.covered = [], None, 0
        self.erasures = None  # the reference to the newest erasure records
        self.slices = {}  # raw bytes of a slice: its frame's reference, header fields, start and label

    def changed(self, place, value):
        change = self.changes.get(place)
        return change(value) if change else value

    # §3.2
    def frame(self, kind, raw, flags=0, compress=None):
        name = FRAME_NAMES.get(kind, "other")
        raw = self.changed(f"raw {name}", raw)
        stored = raw
        if self.compress if compress is None else compress:
            smaller = zstandard.ZstdCompressor(level=19).compress(raw)
            if len(smaller) < len(raw):
                stored, flags = smaller, flags | 1
        fields = Fields(
            kind=kind,
            version=1,
            flags=flags,
            tag=self.id[:8],
            base=self.commits[-1].offset if self.commits else 0,
            stored=len(stored),
            raw=len(raw),
            body=stored,
        )
        fields = self.changed(f"frame {name}", fields)
        head = b"TBKF" + struct.pack(
            "<BBH8sQQQ32s",
            fields.kind,
            fields.version,
            fields.flags,
            fields.tag,
            fields.base,
            fields.stored,
            fields.raw,
            blake(fields.body),
        )
        reference = Fields(offset=len(self.data), length=104 + fields.stored, digest=blake(head))
        self.data += head + reference.digest + fields.body
        return reference, fields

    # §3.4
    def slice_frame(self, kind, pieces):
        """Writes the slices (raw bytes, label) that are not in the archive yet."""
        new = [(raw, label) for raw, label in dict(reversed(pieces)).items() if raw not in self.slices][::-1]
        if not new:
            return
        names = sorted({label.name for _, label in new})
        directory = Fields(
            snapshot=self.number,
            tables=names,
            slices=[
                Fields(
                    table=names.index(label.name),
                    what=label.what,
                    group=label.group,
                    column=label.column,
                    rows=label.rows,
                    length=len(raw),
                )
                for raw, label in new
            ],
        )
        encoded = encode("Directory", self.changed(f"directory {FRAME_NAMES[kind]}", directory))
        length = self.changed(f"directory length {FRAME_NAMES[kind]}", len(encoded))
        body = struct.pack("<I", length) + encoded
        starts = []
        for raw, _ in new:
            starts.append(len(body))
            body += raw
        reference, fields = self.frame(kind, body)
        for (raw, _), start in zip(new, starts):
            self.slices[raw] = Fields(reference=reference, fields=fields, start=start)

    def slice_reference(self, raw):
        place = self.slices[raw]
        return self.changed(
            "slice reference", Fields(frame=Fields(**vars(place.reference)), start=place.start, length=len(raw))
        )

    # §5, §6
    def groups_of(self, one):
        """The row groups of a table with their blocks, before these have a place."""
        groups = self.changed("groups", cut(one.rows, one.schema.key))
        return [self.group_of(one, number, rows) for number, rows in enumerate(groups)]

    def group_of(self, one, number, rows):
        """A row group of a table, layered if the table says so (see layered.py)."""
        history = one.history.get(number)
        count, key, name = self.changed("rows", len(rows)), one.schema.key, one.schema.name
        states = [state.rows for state in history.states] if history else [rows]
        layers = [self.layer_of(name, number, *pair) for pair in zip(states, history.states[1:])] if history else []
        blocks = []
        for index in range(len(one.schema.columns)):
            first = history.firsts.get(index, 0) if history else 0
            cells = [[row[index] for row in state] for state in states]
            first_count = count if first == len(states) - 1 else len(states[first])
            pieces = [self.piece_of(name, number, index, first, first_count, cells[first])]
            for at in range(first + 1, len(states)):
                patch = history.states[at]
                changed = patch.changed.get(index, [])
                if changed or patch.inserted:
                    pieces.append(self.patch_of(name, number, index, at, changed, patch.inserted, cells[at]))
            low, high = bounds(cells[-1])
            form = self.changed("canonical", canonical(cells[-1]))
            entry = Fields(
                pieces=[],
                logical_bytes=self.changed("logical", len(form)),
                nulls=sum(kind == 0 for kind, _ in cells[-1]),
                minimum=low and bound(low),
                maximum=high and bound(high),
                content=derive("tabark 1 column block content", form),
            )
            blocks.append(Fields(pieces=pieces, entry=entry, rows=count))
        group = Fields(
            rows=count,
            first_key=[bound(rows[0][part.column]) for part in key],
            last_key=[bound(rows[-1][part.column]) for part in key],
            layers=[],
            blocks=[],
        )
        return Fields(layers=layers, blocks=blocks, group=group)

    def piece_of(self, name, group, column, state, rows, cells):
        """The first piece of a block."""
        form = self.changed("canonical", canonical(cells))
        raw = self.encoders[column](cells) if column in self.encoders else b"\0" + form
        encoding = raw[0]
        raw = self.changed("block", raw)
        entry = Fields(layer=state, rows=rows, slice=None, encoding=encoding, logical_bytes=None)
        entry.logical_bytes = self.changed("logical", len(form))
        return Fields(raw=raw, entry=entry, label=Fields(name=name, what=0, group=group, column=column, rows=rows))

    def patch_of(self, name, group, column, layer, changed, inserted, cells):
        """§6.9"""
        new = [cells[ordinal] for ordinal in sorted([*changed, *inserted])]
        form = canonical(new)
        block = self.patch_encoders[column](new) if column in self.patch_encoders else b"\0" + form
        ordinals = self.changed("ordinals changed", changed)
        head = struct.pack("<I", len(ordinals)) + (self.ordinals(ordinals) if ordinals else b"")
        entry = Fields(layer=layer, rows=len(new), slice=None, encoding=block[0], logical_bytes=len(form))
        label = Fields(name=name, what=3, group=group, column=column, rows=len(new))
        return Fields(raw=self.changed("patch", head + block), entry=entry, label=label)

    def layer_of(self, name, group, rows, state):
        """§6.8: the layer that makes a state of so many rows."""
        deleted = self.changed("ordinals deleted", state.deleted)
        inserted = self.changed("ordinals inserted", state.inserted)
        raw = (self.ordinals(deleted) if deleted else b"") + (self.ordinals(inserted) if inserted else b"")
        label = Fields(name=name, what=4, group=group, column=0, rows=len(deleted) + len(inserted))
        entry = Fields(rows=len(rows), deleted=len(deleted), inserted=len(inserted), places=None)
        return Fields(raw=self.changed("places", raw) if deleted or inserted else None, entry=entry, label=label)

    def leaf(self, groups):
        frames, offsets = [], []

        def placed(raw):
            """A slice, and its share of what its frame stores (§5.1)."""
            place = self.slices[raw]
            if place.reference.offset not in offsets:
                offsets.append(place.reference.offset)
                frames.append(Fields(**vars(place.reference)))
            frame = offsets.index(place.reference.offset)
            stored = place.fields.stored * len(raw) // place.fields.raw
            return Fields(frame=frame, start=place.start, length=len(raw)), stored

        for one in groups:
            one.group.layers, one.group.blocks, one.stored = [], [], 0
            for layer in one.layers:
                if layer.raw is not None:
                    layer.entry.places, stored = placed(layer.raw)
                    one.stored += stored
                one.group.layers.append(self.changed("layer", layer.entry))
            for block in one.blocks:
                block.entry.pieces, block.stored = [], 0
                for number, piece in enumerate(block.pieces):
                    piece.entry.slice, stored = placed(piece.raw)
                    block.stored += stored
                    piece.entry = self.changed("patch entry" if number else "piece", piece.entry)
                    block.entry.pieces.append(piece.entry)
                one.group.blocks.append(self.changed("block entry", block.entry))
            one.group = self.changed("group", one.group)
        return self.changed("leaf", Fields(frames=frames, groups=[one.group for one in groups]))

    def page_label(self, name, first_group, rows):
        return Fields(name=name, what=1, group=first_group, column=0, rows=rows)

    def pages_of(self, one, groups):
        """Leaf pages of a table as (raw bytes, label, totals)."""
        pages, first = [], 0
        for start in range(0, len(groups), self.leaf_groups):
            part = groups[start : start + self.leaf_groups]
            raw = self.changed("raw page", encode("Page", (0, self.leaf(part))))
            rows = sum(group.group.rows for group in part)
            pages.append(
                (
                    raw,
                    self.page_label(one.schema.name, first, rows),
                    Fields(
                        groups=len(part), rows=rows, first_key=part[0].group.first_key, last_key=part[-1].group.last_key
                    ),
                )
            )
            first += len(part)
        return pages

    def page_entries(self, pages):
        return [
            self.changed("page entry", Fields(page=self.slice_reference(raw), **vars(totals)))
            for raw, _, totals in pages
        ]

    def parents_of(self, one, pages):
        parents = []
        for start in range(0, len(pages), 2):
            part = pages[start : start + 2]
            children = self.page_entries(part)
            rows, groups = sum(child.rows for child in children), sum(child.groups for child in children)
            raw = encode("Page", (1, Fields(children=children)))
            parents.append(
                (
                    raw,
                    self.page_label(one.schema.name, part[0][1].group, rows),
                    Fields(groups=groups, rows=rows, first_key=children[0].first_key, last_key=children[-1].last_key),
                )
            )
        return parents

    def table_manifest(self, one, groups, pages):
        schema, summaries = one.schema, []
        for index in range(len(schema.columns)):
            blocks = [group.blocks[index] for group in groups]
            entries = [block.entry for block in blocks]
            nan = any(e.minimum is None and e.nulls < block.rows for e, block in zip(entries, blocks))
            held = [] if nan else [(e.minimum, e.maximum) for e in entries if e.minimum and e.maximum]
            low, high = bounds_of_bounds(held)
            summaries.append(
                self.changed(
                    "summary",
                    Fields(
                        logical_bytes=sum(block.entry.logical_bytes for block in blocks),
                        stored_bytes=sum(block.stored for block in blocks),
                        nulls=sum(block.entry.nulls for block in blocks),
                        minimum=low,
                        maximum=high,
                        encodings=sorted(Counter(e.pieces[0].encoding for e in entries if e.pieces).items()),
                        fingerprint=derive("tabark 1 column fingerprint", b"".join(b.entry.content for b in blocks)),
                    ),
                )
            )
        entries = self.page_entries(pages)
        manifest = Fields(
            schema=schema,
            filters=one.filters,
            rows=sum(entry.rows for entry in entries),
            logical_bytes=sum(one.logical_bytes for one in summaries),
            stored_bytes=sum(one.stored_bytes for one in summaries) + sum(group.stored for group in groups),
            columns=summaries,
            page_depth=self.page_depth,
            pages=entries,
            fingerprint=None,
        )
        manifest = self.changed("table", manifest)
        if manifest.fingerprint is None:
            hashed = struct.pack("<QI", manifest.rows, len(manifest.columns))
            for one_column, summary in zip(schema.columns, manifest.columns):
                name = one_column.name.encode()
                hashed += struct.pack("<I", len(name)) + name + bytes([one_column.hidden]) + summary.fingerprint
            manifest.fingerprint = derive("tabark 1 table fingerprint", hashed)
        return manifest

    # §4
    def append(
        self, tables, number=None, time=None, tags=(), objects=(), omitted=(), settings=(), extra_frames=(), until=None,
        erasures=None,
    ):
        """Adds a snapshot; `until` names the frame after which an interrupted append ends."""
        self.number = number or (self.commits[-1].number + 1 if self.commits else 1)
        time = 1_700_000_000_000_000 + self.number if time is None else time
        tables = sorted(tables, key=lambda one: one.schema.name.encode())
        for kind, flags, body in extra_frames:
            self.frame(kind, body, flags, compress=False)
        groups = [self.groups_of(one) for one in tables]
        pieces = [
            (piece.raw, piece.label)
            for each in groups
            for group in each
            for piece in [*group.layers, *(piece for block in group.blocks for piece in block.pieces)]
            if piece.raw is not None
        ]
        if self.frame_per_block:
            for piece in pieces:
                self.slice_frame(DATA, [piece])
        else:
            self.slice_frame(DATA, pieces)
        if until == "data":
            return self
        pages = [self.pages_of(one, each) for one, each in zip(tables, groups)]
        self.slice_frame(TABLE_METADATA, [page[:2] for each in pages for page in each])
        # A reference leads to an earlier frame, so that each level of pages needs a frame of its own.
        for _ in range(self.page_depth):
            pages = [self.parents_of(one, each) for one, each in zip(tables, pages)]
            self.slice_frame(TABLE_METADATA, [page[:2] for each in pages for page in each])
        manifests = [self.table_manifest(*each) for each in zip(tables, groups, pages)]
        raws = [self.changed("raw table", encode("TableManifest", manifest)) for manifest in manifests]
        self.slice_frame(
            TABLE_METADATA,
            [
                (raw, Fields(name=one.schema.name, what=2, group=0, column=0, rows=manifest.rows))
                for raw, one, manifest in zip(raws, tables, manifests)
            ],
        )
        entries = [
            self.changed(
                "table entry",
                Fields(
                    name=one.schema.name,
                    manifest=self.slice_reference(raw),
                    rows=manifest.rows,
                    fingerprint=manifest.fingerprint,
                ),
            )
            for one, raw, manifest in zip(tables, raws, manifests)
        ]
        made = self.changed("catalog", Fields(tables=entries, objects=list(objects)))
        catalog = encode("Catalog", made)
        if catalog not in self.slices:
            self.slices[catalog] = self.frame(CATALOG, catalog)[0]
        self.catalog_reference = self.slices[catalog]
        hashed = struct.pack("<I", len(made.tables))
        for entry in made.tables:
            hashed += struct.pack("<I", len(entry.name.encode())) + entry.name.encode() + entry.fingerprint
        source = Fields(engine="sqlite", engine_version="3.45.0", name="main", settings=list(settings))
        manifest = self.changed(
            "manifest",
            Fields(
                number=self.number,
                time=time,
                tags=list(tags),
                source=source,
                writer="vectors 1",
                catalog=Fields(**vars(self.slices[catalog])),
                tables=len(made.tables),
                rows=sum(entry.rows for entry in made.tables),
                logical_bytes=sum(one.logical_bytes for one in manifests),
                fingerprint=derive("tabark 1 snapshot fingerprint", hashed),
                omitted=list(omitted),
            ),
        )
        reference = self.frame(MANIFEST, encode("SnapshotManifest", manifest))[0]
        self.last_reference = reference
        if until == "manifest":
            return self
        if erasures is not None:
            records = self.changed("erasures", Fields(records=list(erasures)))
            self.erasures = self.frame(ERASURES, encode("ErasureRecords", records))[0]
        if len(self.commits) - self.covered == 64:
            self.history_page()
        self.commit(
            Fields(
                number=self.number,
                time=time,
                offset=len(self.data),
                reader_features=0,
                writer_features=0,
                tables=manifest.tables,
                rows=manifest.rows,
                manifest=reference,
                previous=self.commits[-1].reference if self.commits else None,
                history=self.history,
                snapshots=len(self.commits) + 1,
                erasures=self.erasures.offset if self.erasures else 0,
                erasures_digest=self.erasures.digest if self.erasures else bytes(32),
                tags=manifest.tags,
            )
        )
        return self

    def history_page(self):
        self.covered += 64
        page = self.changed(
            "history page",
            Fields(
                previous=self.history,
                covered=self.covered,
                entries=[
                    Fields(
                        number=one.number,
                        time=one.time,
                        tags=one.tags,
                        tables=one.tables,
                        rows=one.rows,
                        bytes_added=one.bytes_added,
                        manifest=one.manifest,
                    )
                    for one in self.commits[-64:]
                ],
            ),
        )
        self.history = self.frame(HISTORY, encode("HistoryPage", page))[0]

    def commit(self, fields):
        before = self.commits[-1].reference if self.commits else None
        fields.bytes_added = len(self.data) + 360 - (before.offset + before.length if before else 0)
        fields = self.changed("commit", fields)
        references = [
            one and struct.pack("<QQ32s", one.offset, one.length, one.digest) or NOTHING
            for one in (fields.manifest, fields.previous, fields.history)
        ]
        fields.reference = self.frame(
            COMMIT,
            struct.pack(
                "<QqQQQQQQ48s48s48sQQ32s",
                fields.number,
                fields.time,
                fields.offset,
                fields.reader_features,
                fields.writer_features,
                fields.tables,
                fields.rows,
                fields.bytes_added,
                *references,
                fields.snapshots,
                fields.erasures,
                fields.erasures_digest,
            ),
            compress=False,
        )[0]
        self.commits.append(fields)
