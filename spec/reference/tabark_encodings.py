"""The encodings of column blocks, decoded as §6 of spec/format.md says and in its order. Plainness before speed."""

import datetime
import struct

from tabark_cells import (
    INTEGER,
    MAX_GROUP_BYTES,
    MAX_GROUP_ROWS,
    NULL,
    RAW_TEXT,
    REAL,
    U64,
    Fault,
    count_fixed,
    count_variable,
    decode_canonical,
    encode_canonical,
    make_cells,
    require,
    row_bytes,
)

try:  # without these two, what is encoded with pco is unsupported
    import numpy
    import pcodec.wrapped as pcodec
except ImportError:
    pcodec = None


class Parts:
    """The bytes of a block, taken part by part from the front; and the row bytes that its cells may still have."""

    def __init__(self, data, at):
        self.data, self.at, self.position, self.room = data, at, 0, MAX_GROUP_BYTES

    def check(self, condition, text):
        require(condition, "cells", self.at, text)

    def take(self, count):
        self.check(count <= len(self.data) - self.position, "a block is cut off")
        self.position += count
        return self.data[self.position - count : self.position]

    def u8(self):
        return self.take(1)[0]

    def u32(self):
        return int.from_bytes(self.take(4), "little")

    def u64(self):
        return int.from_bytes(self.take(8), "little")

    def words(self, count):
        return list(struct.unpack(f"<{count}Q", self.take(8 * count)))

    def use_room(self, count):
        """Called before cells of so many row bytes are made."""
        self.check(count <= self.room, "the cells of a block have too many row bytes")
        self.room -= count

    def end(self):
        self.check(self.position == len(self.data), "bytes are left over in a block")


def decode_block(encoding, data, rows, at):  # §6
    """The cells of a block and their canonical form, given what follows the byte of the encoding."""
    require(encoding in DECODERS or encoding == 0, "unsupported", at, f"encoding {encoding}")
    if encoding == 0:
        return decode_canonical(data, rows, at), data
    parts = Parts(data, at)
    count = parts.u32()
    require(count == rows, "block", at, f"a block has {count} rows, its page says {rows}")
    parts.check(1 <= count <= MAX_GROUP_ROWS, "a block has no rows, or too many")
    cells = DECODERS[encoding](parts, rows)
    parts.end()
    return cells, encode_canonical(cells)


# §6.1 Parts


def read_kinds(parts, rows):
    """The kind of each cell. Room is made for all of a cell but its variable payload."""
    form = parts.u8()
    if form == 0:
        kinds = parts.take(1) * rows
    elif form == 1:
        kinds = parts.take(rows)
        parts.check(len(set(kinds)) > 1, "form 1 with one kind only")
    else:
        parts.check(form == 2, f"form {form} of kinds")
        kind = parts.u8()
        parts.check(kind != NULL, "form 2 with cells of kind null")
        kinds = bytes(kind if present else NULL for present in read_bitmap(parts, rows))
    parts.check(max(kinds) <= RAW_TEXT, "an unknown kind of cell")
    parts.use_room(kinds.count(NULL) + 9 * count_fixed(kinds) + 5 * count_variable(kinds))
    return kinds


def read_bitmap(parts, rows):
    bitmap = int.from_bytes(parts.take((rows + 7) // 8), "little")
    parts.check(bitmap >> rows == 0, "bits behind the last row are set")
    parts.check(0 < bitmap < (1 << rows) - 1, "a bitmap of one sort of rows only")
    return [bool(bit) for bit in map(int, reversed(f"{bitmap:0{rows}b}"))]


def read_payloads(parts, count):
    """Variable payloads: their lengths, then they."""
    lengths = struct.unpack(f"<{count}I", parts.take(4 * count))
    parts.use_room(sum(lengths))
    return [parts.take(length) for length in lengths]


def read_numbers(parts, count, codec=None):
    """Words, as unsigned integers, by any codec or by a certain one."""
    found = parts.u8()
    parts.check(found in CODECS and codec in (None, found), f"codec {found} of numbers")
    return CODECS[found](parts, count)


def read_signed(parts, count):
    return [word - (word >> 63 << 64) for word in read_numbers(parts, count)]


def read_planes(parts, count, width):
    """Values of a width, each as its bytes: the first from plane 0 and so on."""
    planes = parts.take(width * count)
    return [planes[index::count] for index in range(count)]


def read_small(parts, count):
    """What frame of reference and delta end with: a base, and how far each value is above it."""
    base, width = parts.u64(), parts.u8()
    parts.check(width <= 8, f"a width of {width} bytes")
    return [base + int.from_bytes(value, "little") & U64 for value in read_planes(parts, count, width)]


def read_ascending(parts, count, among):
    """Which of so many things: numbers that ascend; where there are none, nothing stands there."""
    numbers = read_numbers(parts, count) if count else []
    ascend = all(a < b for a, b in zip(numbers, numbers[1:]))
    parts.check(ascend and max(numbers, default=-1) < among, "places or ordinals do not ascend, or are beyond the last")
    return numbers


def read_delta(parts, count):
    parts.check(count >= 1, "delta of no numbers")
    words = [parts.u64()]
    for step in read_small(parts, count - 1):
        words.append(words[-1] + step & U64)
    return words


# §6.2 pco

# The types of numbers by the byte that stands for them in a file: pcodec's name and numpy's.
PCO_TYPES = {
    1: ("u32", "uint32"),
    2: ("u64", "uint64"),
    3: ("i32", "int32"),
    4: ("i64", "int64"),
    6: ("f64", "float64"),
    7: ("u16", "uint16"),
    8: ("i16", "int16"),
}
PCO_STANDALONE_VERSION, PCO_FORMAT_VERSION = 3, 4


def read_pco(parts, count):
    parts.check(count >= 1, "pco of no numbers")
    file = Parts(parts.take(parts.u32()), parts.at)
    require(pcodec, "unsupported", parts.at, "pco, without the packages pcodec and numpy")
    try:
        return read_pco_file(file, count)
    except (RuntimeError, TypeError) as error:
        raise Fault("cells", parts.at, f"pco: {error}") from None


def read_pco_file(file, count):
    """A standalone file: magic, version, type of all numbers or 0, a hint of how many there are, then what pcodec calls
    wrapped: a header, and per chunk its type, its count less one in 24 bits, its metadata and its page; then a 0."""
    file.check(file.take(4) == b"pco!", "not a file of pcodec")
    version = file.u8()
    require(version == PCO_STANDALONE_VERSION, "unsupported", file.at, f"pco's standalone version {version}")
    uniform, last = file.u8(), file.u8()
    bits = 7 + (
        last & 63
    )  # of the hint: 6 that tell how many more, less one, and those; the rest of the last byte is zero
    if bits > 8:
        last = file.take((bits - 1) // 8)[-1]
    file.check(last >> ((bits - 1) % 8 + 1) == 0, "a hint of pco that does not end with zeros")
    version, _ = file.take(2)  # major and minor
    require(version == PCO_FORMAT_VERSION, "unsupported", file.at, f"pco's format version {version}")
    header, _ = pcodec.FileDecompressor.new(file.data[file.position - 2 : file.position])
    kind, length = file.u8(), int.from_bytes(file.take(3), "little") + 1
    file.check(kind in PCO_TYPES and uniform in (0, kind), "numbers of a type that is not used, or of two")
    file.check(length == count, "another count of numbers in pco than there should be")
    name, array_type = PCO_TYPES[kind]
    check_pco_metadata(file, int(name[1:]))
    chunk, used = header.chunk_decompressor(file.data[file.position :], name)
    file.take(used)
    numbers = numpy.zeros(count, array_type)
    _, used = chunk.read_page_into(file.data[file.position :], count, numbers)
    file.take(used)
    file.check(file.u8() == 0, "another chunk of pco")
    file.end()
    # Of reals, the bits. Python's integers have any number of bits, so that 64 of them are an extension by the sign.
    return [number & U64 for number in (numbers.view("uint64") if name == "f64" else numbers).tolist()]


def check_pco_metadata(file, bits):
    """The first 4 bits of a chunk are its mode, and the 4 bits behind the mode's parameters its delta encoding."""
    parameters = (0, bits, bits, 8)
    metadata = int.from_bytes(file.data[file.position : file.position + 10], "little")
    mode = metadata & 15
    delta = metadata >> 4 + parameters[mode] & 15 if mode < len(parameters) else 0
    file.check(mode < len(parameters) and delta <= 1, f"pco's mode {mode} with delta encoding {delta}")


CODECS = {0: Parts.words, 1: read_small, 2: read_delta, 7: read_pco}


# §6 Encodings 1, 2 and 7


def decode_by(codec):
    def decode(parts, rows):
        kinds = read_kinds(parts, rows)
        parts.check(count_fixed(kinds), "no fixed payload")
        words = read_numbers(parts, count_fixed(kinds), codec)
        return make_cells(kinds, words, read_payloads(parts, count_variable(kinds)), parts.at)

    return decode


# §6.3 Dictionary


def decode_dictionary(parts, rows):
    count = parts.u32()
    parts.check(1 <= count <= rows, f"a dictionary of {count} entries")
    canonical = parts.take(parts.u32())
    parts.check(canonical[:4] == struct.pack("<I", count), "a dictionary holds another number of entries than it says")
    entries = decode_canonical(canonical, count, parts.at)
    parts.check(len(set(entries)) == count, "two entries of a dictionary are identical")
    indexes = read_numbers(parts, rows)
    parts.check(max(indexes) < count, "an index is no entry's")
    cells = [entries[index] for index in indexes]
    parts.use_room(row_bytes(cells))
    return cells


# §6.4 Decimal


def decode_decimal(parts, rows):
    open_kinds = parts.data[parts.position : parts.position + 1] == b"\3"
    if open_kinds:  # form 3: real may come to be integer
        parts.take(1)
        nulls = parts.u8()
        parts.check(nulls <= 1, "neither with nulls nor without")
        present = read_bitmap(parts, rows) if nulls else [True] * rows
        kinds = bytearray(REAL if one else NULL for one in present)
    else:
        kinds = bytearray(read_kinds(parts, rows))
    exponent, count = parts.u8(), count_fixed(kinds)
    parts.check(exponent <= 22, f"exponent {exponent}")
    exceptional = parts.u32()
    parts.check(exceptional < count, "as many exceptions as fixed payloads, or more")
    places = read_ascending(parts, exceptional, count)
    exceptions = {place: struct.unpack("<BQ", parts.take(9)) for place in places}
    decimals = read_signed(parts, count)
    rows_of_fixed = [row for row, kind in enumerate(kinds) if kind in (INTEGER, REAL)]
    words = []
    for place, (row, decimal) in enumerate(zip(rows_of_fixed, decimals)):
        if place in exceptions:
            kind, word = exceptions[place]
            fits = kind in (INTEGER, REAL) if open_kinds else kind == kinds[row]
            parts.check(fits, "an exception of another kind")
        else:
            parts.check(abs(decimal) <= 2**53, "a decimal above 2^53")
            whole = decimal % 10**exponent == 0
            kind = (INTEGER if whole else REAL) if open_kinds else kinds[row]
            parts.check(whole or kind == REAL, "an integer that is not whole")
            if kind == INTEGER:
                word = decimal // 10**exponent & U64
            else:
                (word,) = struct.unpack("<Q", struct.pack("<d", float(decimal) / float(10**exponent)))
        kinds[row] = kind
        words.append(word)
    return make_cells(kinds, words, read_payloads(parts, count_variable(kinds)), parts.at)


# §6.5 Typed text


def date_text(parts, days):
    ordinal = days + 719163  # as Python counts days: 1 is 0001-01-01
    parts.check(-365 <= ordinal <= 3652059, "a date outside the years 0000 to 9999")
    if ordinal > 0:
        return datetime.date.fromordinal(ordinal).isoformat()
    # Python knows no year 0000. Its days are those of 0400, for the calendar repeats after 146,097 days.
    return "0000" + datetime.date.fromordinal(ordinal + 146097).isoformat()[4:]


def read_date(parts):
    def write(days):
        return date_text(parts, days).encode()

    return read_signed, write


def read_timestamp(parts):
    separator, digits, suffix = parts.u8(), parts.u8(), parts.u8()
    sound = separator in b" T" and digits <= 9 and suffix <= 8
    parts.check(sound, "a separator, number of digits or suffix that no timestamp has")
    suffix = parts.take(suffix)

    def write(value):
        seconds, fraction = divmod(value, 10**digits)
        days, second = divmod(seconds, 86400)
        time = f"{chr(separator)}{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}"
        return (date_text(parts, days) + time + (f".{fraction:0{digits}}" if digits else "")).encode() + suffix

    return read_signed, write


def read_case(parts):
    case = parts.u8()
    parts.check(case <= 1, "neither lower nor upper case")
    return str.upper if case else str.lower


def read_uuid(parts):
    case = read_case(parts)

    def write(value):
        groups = (value[:4], value[4:6], value[6:8], value[8:10], value[10:])
        return case("-".join(group.hex() for group in groups)).encode()

    return lambda parts, count: read_planes(parts, count, 16), write


def read_hexadecimal(parts):
    case, length = read_case(parts), parts.u32()
    parts.check(1 <= length <= 65536, f"hexadecimal digits of {length} bytes")
    return lambda parts, count: read_planes(parts, count, length), lambda value: case(value.hex()).encode()


def read_numbered(parts):
    prefix = parts.take(parts.u8())
    digits = parts.u8()
    parts.check(digits <= 18, f"numbers of {digits} digits")

    def write(value):
        fits = 0 <= value and (digits == 0 or value < 10**digits)
        parts.check(fits, "a number that is negative or has too many digits")
        return prefix + f"{value:0{digits or 1}}".encode()

    return read_signed, write


# A pattern reads its parameters and gives two functions: one that reads values, one that writes a value as text.
PATTERNS = {1: read_date, 2: read_timestamp, 3: read_uuid, 4: read_hexadecimal, 5: read_numbered}


def decode_typed_text(parts, rows):
    kinds = read_kinds(parts, rows)
    words, count = parts.words(count_fixed(kinds)), count_variable(kinds)
    parts.check(count, "no variable payload")
    pattern = parts.u8()
    parts.check(pattern in PATTERNS, f"pattern {pattern}")
    read_values, write = PATTERNS[pattern](parts)
    exceptional = parts.u32()
    parts.check(exceptional <= count, "more exceptions than variable payloads")
    places = read_ascending(parts, exceptional, count)
    exceptions = dict(zip(places, read_payloads(parts, exceptional)))
    values = iter(read_values(parts, count - exceptional))
    payloads = []
    for place in range(count):
        if place in exceptions:
            payloads.append(exceptions[place])
        else:
            payloads.append(write(next(values)))
            parts.use_room(len(payloads[-1]))
    return make_cells(kinds, words, payloads, parts.at)


# §6.6 Front coding


def decode_front_coding(parts, rows):
    kinds = read_kinds(parts, rows)
    words, count = parts.words(count_fixed(kinds)), count_variable(kinds)
    parts.check(count, "no variable payload")
    shared, lengths = read_numbers(parts, count), read_numbers(parts, count)
    parts.use_room(sum(shared) + sum(lengths))
    payloads, before = [], b""
    for sharing, length in zip(shared, lengths):
        parts.check(sharing <= len(before), "a payload shares more bytes than the one before it has")
        before = before[:sharing] + parts.take(length)
        payloads.append(before)
    return make_cells(kinds, words, payloads, parts.at)


# §6.7 Words

MAX_ENTRIES = 81856  # as many as indexes can tell apart


def read_index(parts):
    first = parts.u8()
    if first < 192:
        return first
    if first < 255:
        return 192 + 256 * (first - 192) + parts.u8()
    return 16320 + int.from_bytes(parts.take(2), "little")


def decode_words(parts, rows):
    kinds = read_kinds(parts, rows)
    fixed, count = parts.words(count_fixed(kinds)), count_variable(kinds)
    parts.check(count, "no variable payload")
    held = parts.u32()
    parts.check(1 <= held <= MAX_ENTRIES, f"{held} entries of words")
    lengths, counts = read_numbers(parts, held), read_numbers(parts, count)
    parts.check(min(lengths) >= 1, "an entry of no bytes")
    entries = [parts.take(length) for length in lengths]
    # A word takes a byte at least, so that no more words are looked for than there can be.
    parts.check(sum(counts) <= len(parts.data) - parts.position, "words are cut off")
    payloads = []
    for words in counts:
        payload = []
        for _ in range(words):
            index = read_index(parts)
            parts.check(index < held, "an index is no entry's")
            parts.use_room(len(entries[index]))
            payload.append(entries[index])
        payloads.append(b"".join(payload))
    return make_cells(kinds, fixed, payloads, parts.at)


DECODERS = {
    1: decode_by(1),
    2: decode_by(2),
    3: decode_dictionary,
    4: decode_decimal,
    5: decode_typed_text,
    6: decode_front_coding,
    7: decode_by(7),
    8: decode_words,
}
