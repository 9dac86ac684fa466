"""Verification: frames, references and, in full, everything an archive says about its content (§10)."""

import contextlib
import struct
from types import SimpleNamespace

from tabark_format import (
    BLOCK,
    BYTES,
    COMMIT,
    DATA,
    FLAG_OPTIONAL,
    FRAME_HEADER_LENGTH,
    GROUP_BOUNDARY_BITS,
    HEADER_LENGTH,
    INTEGER,
    KIND_NAMES,
    KNOWN_KIND_VERSION,
    MAX_BOUND_BYTES,
    MAX_GROUP_BYTES,
    MAX_GROUP_ROWS,
    MIN_GROUP_ROWS,
    NULL,
    PAGE,
    REAL,
    TABLE_MANIFEST,
    TABLE_METADATA,
    TEXT,
    U64,
    Fault,
    decode_whole,
    derive,
    require,
)


# §7.2
def mix(x):
    x ^= x >> 30
    x = x * 0xBF58476D1CE4E5B9 & U64
    x ^= x >> 27
    x = x * 0x94D049BB133111EB & U64
    return x ^ x >> 31


def row_hash(cells):
    h = 0x9E3779B97F4A7C15
    for kind, payload in cells:
        h = mix(h ^ kind)
        if kind in (INTEGER, REAL):
            h = mix(h ^ payload & U64)
        elif kind >= TEXT:
            for start in range(0, len(payload), 8):
                h = mix(h ^ int.from_bytes(payload[start : start + 8], "little"))
            h = mix(h ^ len(payload))
    return h


def cell_bytes(cell):
    kind, payload = cell
    return 1 if kind == NULL else 5 + len(payload) if kind >= TEXT else 9


def starts_group(rows_before, bytes_before, row_bytes, hash_of_row):
    """Whether a row starts a new row group; the hash is computed only where it matters."""
    return rows_before > 0 and (
        rows_before == MAX_GROUP_ROWS
        or bytes_before + row_bytes > MAX_GROUP_BYTES
        or (rows_before >= MIN_GROUP_ROWS and hash_of_row() >> (64 - GROUP_BOUNDARY_BITS) == 0)
    )


def number_of(cell):
    kind, payload = cell
    return payload if kind == INTEGER else struct.unpack("<d", struct.pack("<Q", payload))[0]


# §5.3
def bound_of(cell):
    kind, payload = cell
    exact = kind < TEXT or len(payload) <= MAX_BOUND_BYTES
    return SimpleNamespace(value=(kind, payload if exact else payload[:MAX_BOUND_BYTES]), exact=exact)


def zone_rank(cell, exact=True):
    kind, payload = cell
    return (0, number_of(cell), 0) if kind <= REAL else (kind, payload, not exact)


def is_nan(cell):
    return cell[0] == REAL and (value := number_of(cell)) != value


def bounds_of(cells):
    present = [cell for cell in cells if cell[0] != NULL]
    if not present or any(map(is_nan, present)):
        return None, None
    # min and max both give the first of equals, as the specification wants.
    return bound_of(min(present, key=zone_rank)), bound_of(max(present, key=zone_rank))


def bounds_of_blocks(bounds):
    """The bounds of a column, from (minimum, maximum, whether all cells are null) of its blocks."""
    if any(minimum is None and not all_null for minimum, _, all_null in bounds):
        return None, None
    held = [(minimum, maximum) for minimum, maximum, _ in bounds if minimum is not None]
    if not held:
        return None, None
    rank = lambda bound: zone_rank(bound.value, bound.exact)  # noqa: E731
    return min((low for low, _ in held), key=rank), max((high for _, high in held), key=rank)


# §10, key order of SQLite
def order_rank(cell, collation, encoding):
    kind, payload = cell
    if kind == NULL:
        return (0, 0)
    if kind <= REAL:
        return (1, number_of(cell))
    if kind == BYTES:
        return (3, payload)
    if collation == "NOCASE":
        # As SQLite does it, the comparison of the bytes ends at a NUL, and the lengths decide the rest.
        return (2, payload.split(b"\0", 1)[0].lower() + (b"\0" if b"\0" in payload else b""), len(payload))
    if collation == "RTRIM":
        return (2, payload.rstrip(b" "))
    if kind == TEXT and encoding in ("UTF-16le", "UTF-16be"):
        return (2, payload.decode("utf-8").encode(encoding))
    return (2, payload)


class Verifier:
    """Finds all that is wrong in an archive, as far as what is wrong allows to look further."""

    def __init__(self, archive, full):
        self.archive, self.full = archive, full
        self.findings = []
        self.appended_by = {}  # offset of a frame: number of the commit that follows it
        self.headers = {}
        self.checked = set()  # table manifests and inner pages that a plain verification has looked at
        self.rows_found = {}  # by table manifest that a full verification has looked at; None if some are unreadable
        self.uses = {}  # slice: the labels that snapshots would give it

    def report(self, fault, where=""):
        finding = (fault.layer, fault.offset, f"{where}{fault.text}")
        if finding not in self.findings:
            self.findings.append(finding)

    @contextlib.contextmanager
    def noting(self, where=""):
        try:
            yield
        except Fault as fault:
            self.report(fault, where)

    def expect(self, condition, layer, offset, text, where=""):
        if not condition:
            self.report(Fault(layer, offset, text), where)

    def run(self):
        end = self.archive.last.header.end
        self.walk_frames(end)
        self.expect(
            self.archive.last.offset in self.headers,
            "commit",
            self.archive.last.offset,
            "the last commit does not stand where a frame begins",
        )
        self.archive.chain = set(self.headers)
        self.expect(
            end == self.archive.size,
            "tail",
            end,
            f"{self.archive.size - end} bytes follow the last commit and belong to no snapshot",
        )
        commits = []
        with self.noting():
            commit = self.archive.last
            while commit:
                commits.append(commit)
                commit = self.archive.commit_before(commit)
        with self.noting():
            self.check_history({commit.number: commit for commit in commits})
        # Oldest first, so that a slice is met first in the snapshot that wrote it.
        for commit in reversed(commits):
            self.check_snapshot(commit)
        if self.full:
            self.check_directories()
        return self.findings

    def walk_frames(self, end):
        position, base, waiting = HEADER_LENGTH, 0, []
        while position < end:
            try:
                header = self.archive.parse_frame_header(position)
            except Fault as fault:
                self.report(fault)
                position = self.next_frame(position + 1, end)
                continue
            self.headers[position] = header
            waiting.append(position)
            with self.noting():
                require(header.end <= end, "frame", position, "a frame reaches beyond the last commit")
                self.archive.check_stored(header)
                self.expect(header.base == base, "frame", position, "the base is not the last commit before")
                if self.archive.knows(header) or not header.flags & FLAG_OPTIONAL:
                    require(
                        self.archive.knows(header),
                        "unsupported",
                        position,
                        f"a frame of kind {header.kind} version {header.version}",
                    )
                    require(header.version, "frame", position, "the kind version is 0")
                self.archive.frame_header(position)
            if header.kind == COMMIT:
                with self.noting():
                    commit = self.archive.commit_at(position)
                    require(commit, "commit", position, "not a valid commit")
                    base = position
                    self.appended_by.update((offset, commit.number) for offset in waiting)
                    waiting = []
            position = header.end if header.end <= end else self.next_frame(position + 1, end)

    def next_frame(self, position, end):
        """Where the next frame with a sound header begins: what lies between cannot be read as frames."""
        for offset in sorted(self.archive.frame_magics_backwards()):
            if position <= offset < end:
                with contextlib.suppress(Fault):
                    return self.archive.parse_frame_header(offset).offset
        return end

    def check_history(self, commits):
        for holder, page in self.archive.history_pages():
            for entry in page.entries:
                commit = commits.get(entry.number)
                self.expect(
                    commit
                    and all(
                        getattr(commit, name) == getattr(entry, name)
                        for name in ("time", "tables", "rows", "bytes_added", "manifest")
                    ),
                    "commit",
                    holder.offset,
                    f"the history page tells of snapshot {entry.number} otherwise than its commit",
                )
                with self.noting(f"snapshot {entry.number}: "):
                    header, manifest = self.archive.snapshot_manifest(entry.manifest, holder)
                    require(manifest.tags == entry.tags, "commit", holder.offset, "tags differ from the manifest's")

    def check_snapshot(self, commit):
        where = f"snapshot {commit.number}: "
        with self.noting(where):
            header, manifest = self.archive.snapshot_manifest(commit.manifest, commit.header)
            require(
                (manifest.number, manifest.time) == (commit.number, commit.time),
                "manifest",
                header.offset,
                "number or time differ from the commit's",
            )
            catalog_header, catalog = self.archive.catalog(manifest.catalog, header)
            logical, sound = 0, True
            for entry in catalog.tables:
                before = len(self.findings)
                logical += self.check_table(entry, catalog_header, manifest.source, commit.number) or 0
                sound = sound and before == len(self.findings)
            if not self.full:
                return
            totals = len(catalog.tables), sum(entry.rows for entry in catalog.tables)
            self.expect(
                (manifest.tables, manifest.rows) == totals and (not sound or manifest.logical_bytes == logical),
                "totals",
                header.offset,
                "totals of the manifest are wrong",
                where,
            )
            self.expect((commit.tables, commit.rows) == totals, "totals", commit.offset, "totals are wrong", where)
            parts = b"".join(hashed_string(entry.name) + entry.fingerprint for entry in catalog.tables)
            self.expect(
                derive("tabark 1 snapshot fingerprint", struct.pack("<I", len(catalog.tables)), parts)
                == manifest.fingerprint,
                "fingerprint",
                header.offset,
                "the fingerprint is wrong",
                where,
            )

    def check_table(self, entry, holder, source, number):
        where = f"snapshot {number}, table {entry.name!r}: "
        with self.noting(where):
            header, manifest = self.archive.table_manifest(entry, holder)
            place = (entry.manifest.frame.offset, entry.manifest.start, entry.manifest.length)
            if self.full:
                self.expect(entry.rows == manifest.rows, "totals", holder.offset, "rows differ from the catalog", where)
                self.expect(
                    entry.fingerprint == manifest.fingerprint,
                    "fingerprint",
                    holder.offset,
                    "the fingerprint differs from the catalog's",
                    where,
                )
                if place not in self.rows_found:
                    self.rows_found[place] = TableCheck(self, header, manifest, source, number).run()
                if self.rows_found[place] is not None:
                    self.use(place, number, TABLE_MANIFEST, entry.name, 0, 0, self.rows_found[place])
            elif place not in self.checked:
                self.checked.add(place)
                self.check_pages(manifest.pages, header, manifest.schema, manifest.page_depth, where)
            return manifest.logical_bytes

    def check_pages(self, entries, holder, schema, depth, where):
        for entry in entries:
            with self.noting(where):
                place = (entry.page.frame.offset, entry.page.start, entry.page.length, depth, len(schema.columns))
                header, page = self.archive.page(entry, holder, schema, depth)
                # Pages may be shared, and shared pages of shared pages would take forever.
                if depth and place not in self.checked:
                    self.checked.add(place)
                    self.check_pages(page.children, header, schema, depth - 1, where)

    def use(self, place, number, what, table, group, column, rows):
        self.uses.setdefault(place, set()).add((number, what, table, group, column, rows))

    # §3.4
    def check_directories(self):
        for offset, number in sorted(self.appended_by.items()):
            header = self.headers[offset]
            if header.kind in (DATA, TABLE_METADATA) and header.version == KNOWN_KIND_VERSION:
                with self.noting():
                    self.archive.frame_header(offset)
                    self.check_directory(self.archive.body(header), number)

    def check_directory(self, body, number):
        at, position = body.header.offset, body.slices_start()
        directory = decode_whole(body, "Directory", 4, position)
        self.expect(directory.snapshot == number, "directory", at, "the directory names another snapshot")
        labels = {}
        for label in directory.slices:
            require(label.table < len(directory.tables), "directory", at, "a label of no table")
            require(
                label.what in ((BLOCK,) if body.header.kind == DATA else (PAGE, TABLE_MANIFEST)),
                "directory",
                at,
                f"a label of what {label.what} in a {KIND_NAMES[body.header.kind]} frame",
            )
            labels[at, position, label.length] = (
                label.what,
                directory.tables[label.table],
                label.group,
                label.column,
                label.rows,
            )
            position += label.length
        require(position == len(body.raw), "directory", at, "the slices' lengths do not add up to the body")
        for place, uses in self.uses.items():
            if place[0] == at:
                label = labels.get(place)
                # A later snapshot may use a slice under another name; what it is and its rows stay. Within the
                # snapshot that wrote it a slice may be used in several places, and its label tells of one of them.
                own = [use[1:] for use in uses if use[0] == number]
                require(
                    label
                    and all((use[1], use[5]) == (label[0], label[4]) for use in uses)
                    and (not own or label in own),
                    "directory",
                    at,
                    "a label does not fit what uses its slice",
                )


def hashed_string(text):
    data = text.encode()
    return struct.pack("<I", len(data)) + data


class TableCheck:
    """Full verification of one table: everything its manifest says is computed again from the cells."""

    def __init__(self, verifier, header, manifest, source, number):
        self.verifier, self.archive = verifier, verifier.archive
        self.header, self.manifest, self.schema, self.number = header, manifest, manifest.schema, number
        self.encoding = dict(source.settings).get("encoding", "UTF-8")
        columns = len(self.schema.columns)
        self.rows = self.groups = 0
        self.sound = True  # all blocks could be read, so that sums over them mean something
        self.logical, self.stored, self.nulls = [0] * columns, [0] * columns, [0] * columns
        self.encodings = [{} for _ in range(columns)]
        self.contents, self.bounds = [[] for _ in range(columns)], [[] for _ in range(columns)]
        self.last_row = None  # of the row group before, if it could be read: (rows, bytes, key cells)
        known = all(part.collation in ("BINARY", "NOCASE", "RTRIM") for part in self.schema.key)
        self.ordered = bool(self.schema.key) and known and source.engine == "sqlite"
        self.where = f"snapshot {number}, table {self.schema.name!r}: "

    def expect(self, condition, layer, offset, text, where=None):
        self.verifier.expect(condition, layer, offset, text, where or self.where)

    def run(self):
        """Checks the table and says how many rows it has, or None where some cannot be read."""
        self.descend(self.manifest.pages, self.header, self.manifest.page_depth)
        if not self.sound:
            return None
        self.check_summaries(self.rows)
        return self.rows

    def descend(self, entries, holder, depth):
        """Checks all that is below some page entries and counts rows and row groups on the way."""
        for entry in entries:
            start = (self.rows, self.groups)
            where = f"{self.where}rows from {self.rows + 1}: "
            try:
                header, page = self.archive.page(entry, holder, self.schema, depth)
            except Fault as fault:
                self.verifier.report(fault, where)
                self.sound, self.last_row = False, None
                self.rows, self.groups = start[0] + entry.rows, start[1] + entry.groups
                continue
            place = (entry.page.frame.offset, entry.page.start, entry.page.length)
            parts = page.children if depth else page.groups
            if depth:
                self.descend(parts, header, depth - 1)
            else:
                for group in parts:
                    self.check_group(group, page, header)
            self.verifier.use(place, self.number, PAGE, self.schema.name, start[1], 0, self.rows - start[0])
            self.expect(
                (entry.rows, entry.groups) == (self.rows - start[0], self.groups - start[1]),
                "totals",
                holder.offset,
                "rows or row groups of a page entry are wrong",
                where,
            )
            self.expect(
                (entry.first_key, entry.last_key) == (parts[0].first_key, parts[-1].last_key),
                "totals",
                holder.offset,
                "first or last key of a page entry are wrong",
                where,
            )

    def check_group(self, group, page, holder):
        where = f"{self.where}rows {self.rows + 1} to {self.rows + group.rows}: "
        columns = []
        for index, entry in enumerate(group.blocks):
            try:
                columns.append(self.check_block(index, entry, group.rows, page, holder, where))
            except Fault as fault:
                self.verifier.report(fault, f"{where}column {self.schema.columns[index].name!r}: ")
        if len(columns) == len(group.blocks):
            self.check_rows(group, columns, holder, where)
        else:
            self.sound, self.last_row = False, None
        self.rows += group.rows
        self.groups += 1

    def check_block(self, index, entry, rows, page, holder, where):
        at = holder.offset
        where = f"{where}column {self.schema.columns[index].name!r}: "
        frame = page.frames[entry.frame]
        cells, canonical = self.archive.block(entry, page, holder, rows)
        self.verifier.use(
            (frame.offset, entry.start, entry.length), self.number, BLOCK, self.schema.name, self.groups, index, rows
        )
        content = derive("tabark 1 column block content", canonical)
        self.expect(content == entry.content, "content", at, "the content digest is wrong", where)
        nulls = sum(kind == NULL for kind, _ in cells)
        self.expect(
            (entry.logical_bytes, entry.nulls) == (len(canonical), nulls),
            "totals",
            at,
            "logical bytes or nulls of a block are wrong",
            where,
        )
        bounds = bounds_of(cells)
        self.expect((entry.minimum, entry.maximum) == bounds, "totals", at, "bounds of a block are wrong", where)
        raw = self.archive.frame_header(frame.offset).raw
        self.logical[index] += entry.logical_bytes
        self.stored[index] += (frame.length - FRAME_HEADER_LENGTH) * entry.length // raw
        self.nulls[index] += entry.nulls
        self.encodings[index][entry.encoding] = self.encodings[index].get(entry.encoding, 0) + 1
        self.bounds[index].append((*bounds, nulls == rows))
        # As the page says it: what is wrong in one place is reported in that place only.
        self.contents[index].append(entry.content)
        return cells

    def check_rows(self, group, columns, holder, where):
        at = holder.offset
        keys = list(zip(*(columns[part.column] for part in self.schema.key)))
        if keys:
            self.expect(
                group.first_key == [bound_of(cell) for cell in keys[0]]
                and group.last_key == [bound_of(cell) for cell in keys[-1]],
                "totals",
                at,
                "first or last key of a row group are wrong",
                where,
            )
        hashed = keys or list(zip(*columns)) or [()] * group.rows
        sizes = [sum(map(cell_bytes, row)) for row in zip(*columns)] or [0] * group.rows
        if self.last_row:
            self.expect(
                starts_group(*self.last_row[:2], sizes[0], lambda: row_hash(hashed[0])),
                "boundaries",
                at,
                "the row group should not begin where it does",
                where,
            )
        size = sizes[0]
        for row in range(1, group.rows):
            if starts_group(row, size, sizes[row], lambda: row_hash(hashed[row])):
                self.expect(False, "boundaries", at, f"row {self.rows + row + 1} should start a row group", where)
                break
            size += sizes[row]
        if self.ordered:
            self.check_order(keys, at)
        self.last_row = (group.rows, size, keys[-1] if keys else None)

    def check_order(self, keys, at):
        previous = self.last_row and self.last_row[2]
        for row, key in enumerate(keys):
            text = None
            if any(map(is_nan, key)):
                text = "a NaN in the key"
            elif previous and not any(map(is_nan, previous)):
                order = self.compare(previous, key)
                if order > 0 or order == 0 and all(kind != NULL for kind, _ in key):
                    text = "the key is not unique" if order == 0 else "rows are not in the key's order"
            if text:
                self.expect(False, "order", at, text, f"{self.where}row {self.rows + row + 1}: ")
                break
            previous = key

    def compare(self, one, other):
        for part, a, b in zip(self.schema.key, one, other):
            a, b = order_rank(a, part.collation, self.encoding), order_rank(b, part.collation, self.encoding)
            if a != b:
                return -1 if (a < b) != part.descending else 1
        return 0

    def check_summaries(self, rows):
        at, manifest = self.header.offset, self.manifest
        self.expect(manifest.rows == rows, "totals", at, "the number of rows is wrong")
        self.expect(
            (manifest.logical_bytes, manifest.stored_bytes)
            == (
                sum(column.logical_bytes for column in manifest.columns),
                sum(column.stored_bytes for column in manifest.columns),
            ),
            "totals",
            at,
            "the table's bytes are wrong",
        )
        hasher = [struct.pack("<QI", rows, len(manifest.columns))]
        for index, (column, summary) in enumerate(zip(self.schema.columns, manifest.columns)):
            where = f"{self.where}column {column.name!r}: "
            self.expect(
                (summary.logical_bytes, summary.stored_bytes, summary.nulls)
                == (self.logical[index], self.stored[index], self.nulls[index]),
                "totals",
                at,
                "logical bytes, stored bytes or nulls of a column are wrong",
                where,
            )
            self.expect(
                summary.encodings == sorted(self.encodings[index].items()),
                "totals",
                at,
                "the encodings of a column are wrong",
                where,
            )
            self.expect(
                (summary.minimum, summary.maximum) == bounds_of_blocks(self.bounds[index]),
                "totals",
                at,
                "the bounds of a column are wrong",
                where,
            )
            self.expect(
                summary.fingerprint == derive("tabark 1 column fingerprint", *self.contents[index]),
                "fingerprint",
                at,
                "the fingerprint of a column is wrong",
                where,
            )
            hasher += [hashed_string(column.name), bytes([column.hidden]), summary.fingerprint]
        self.expect(
            manifest.fingerprint == derive("tabark 1 table fingerprint", *hasher),
            "fingerprint",
            at,
            "the table's fingerprint is wrong",
        )
