"""Cells and their canonical form (§7 of spec/format.md), and how an archive is refused: what the other files of this
reader stand on. A cell is a pair of its kind and its payload: None, an integer, the bits of a real, or bytes."""

import struct

# §2.2 Limits of cells
MAX_GROUP_ROWS, MAX_GROUP_BYTES, U64 = 131072, 67108864, 2**64 - 1
NULL, INTEGER, REAL, TEXT, BYTES, RAW_TEXT = range(6)

LOGICAL = {  # §5.1: names of logical types, and the kinds of their cells
    0: ("any", {INTEGER, REAL, TEXT, BYTES, RAW_TEXT}),
    1: ("boolean", {INTEGER}),
    2: ("integer", {INTEGER}),
    3: ("real", {REAL}),
    4: ("text", {TEXT, RAW_TEXT}),
    5: ("bytes", {BYTES}),
    6: ("date", {INTEGER, TEXT}),
    7: ("time", {INTEGER}),
    8: ("timestamp", {INTEGER, TEXT}),
    9: ("timestamp with time zone", {INTEGER, TEXT}),
    10: ("uuid", {TEXT}),
    11: ("json", {TEXT, RAW_TEXT}),
    12: ("decimal", {INTEGER, TEXT}),
    13: ("interval", {TEXT}),
    14: ("opaque", {TEXT, RAW_TEXT}),
    **{32 + scale: (f"decimal of scale {scale}", {INTEGER, TEXT}) for scale in range(19)},
}


class Fault(Exception):
    """Why an archive is refused: the rule's layer (see spec/vectors/README.md), the offset of the frame, and a text."""


def require(condition, layer, offset, text):
    if not condition:
        raise Fault(layer, offset, text)


def text_of(data, layer, offset):
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise Fault(layer, offset, "a text is not UTF-8") from None


def count_fixed(kinds):
    return kinds.count(INTEGER) + kinds.count(REAL)


def count_variable(kinds):
    return len(kinds) - kinds.count(NULL) - count_fixed(kinds)


def make_cells(kinds, words, payloads, at):
    """Cells of these kinds: the words are the fixed payloads as unsigned integers, the payloads the variable ones."""
    cells, words, payloads = [], iter(words), iter(payloads)
    for kind in kinds:
        payload = None
        if kind in (INTEGER, REAL):
            payload = next(words)
            if kind == INTEGER and payload >> 63:
                payload -= 1 << 64
        elif kind != NULL:
            payload = next(payloads)
        if kind == TEXT:
            text_of(payload, "cells", at)
        cells.append((kind, payload))
    return cells


def decode_canonical(data, rows, at):  # §7.3
    require(len(data) >= 6, "cells", at, "a canonical form is cut off")
    count, form = struct.unpack_from("<IB", data)
    require(count == rows, "block", at, f"a block has {count} rows, its page says {rows}")
    kinds = data[5 : 5 + count] if form else data[5:6] * count
    sound = form <= 1 and len(kinds) == count and max(kinds) <= RAW_TEXT and (form == 0 or len(set(kinds)) > 1)
    require(sound, "cells", at, "an unknown form or kind, kinds that are cut off, or form 1 with one kind only")
    fixed, variable, start = count_fixed(kinds), count_variable(kinds), 5 + (count if form else 1)
    position = start + 8 * fixed + 4 * variable
    require(position <= len(data), "cells", at, "payloads or lengths are cut off")
    words = struct.unpack_from(f"<{fixed}Q", data, start)
    lengths = struct.unpack_from(f"<{variable}I", data, start + 8 * fixed)
    require(position + sum(lengths) == len(data), "cells", at, "the variable payloads do not fit their lengths")
    payloads = []
    for length in lengths:
        payloads.append(data[position : position + length])
        position += length
    return make_cells(kinds, words, payloads, at)


def encode_canonical(cells):  # §7.3
    kinds = bytes(kind for kind, _ in cells)
    mixed = len(set(kinds)) > 1
    words = [payload & U64 for kind, payload in cells if kind in (INTEGER, REAL)]
    payloads = [payload for kind, payload in cells if kind >= TEXT]
    parts = [
        struct.pack("<IB", len(cells), mixed),
        kinds if mixed else kinds[:1],
        struct.pack(f"<{len(words)}Q", *words),
    ]
    return b"".join(parts + [struct.pack("<I", len(payload)) for payload in payloads] + payloads)


def row_bytes(cells):  # §7.2
    return sum(1 if kind == NULL else 5 + len(payload) if kind >= TEXT else 9 for kind, payload in cells)
