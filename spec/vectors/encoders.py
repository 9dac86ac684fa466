"""Encoders of column blocks, made from §6 of spec/format.md alone, for the test vectors.

Functions named after a part give its bytes and take what a writer may choose, so that a vector can have every choice
and a fault anywhere. A cell is (kind, payload) as in writer.py; a word is an integer, taken modulo 2^64.
"""

import itertools
import re
import struct

import numpy
from pcodec import ChunkConfig, DeltaSpec, ModeSpec, PagingSpec, standalone

from writer import canonical

UNUSED_PCO_TYPES = {"u8": "uint8", "i8": "int8", "f16": "float16", "f32": "float32"}
PCO_TYPES = {f"{sign}{bits}": f"{name}{bits}" for sign, name in (("u", "uint"), ("i", "int")) for bits in (16, 32, 64)}
PCO_TYPES |= UNUSED_PCO_TYPES


def u32(*values):
    return struct.pack(f"<{len(values)}I", *values)


def u64(*values):
    return struct.pack(f"<{len(values)}Q", *(value % 2**64 for value in values))


# What cells consist of
def fixed_words(cells):
    return [payload for kind, payload in cells if kind in (1, 2)]


def variable_payloads(cells):
    return [payload for kind, payload in cells if kind > 2]


# §6.1
def bitmap(bits):
    packed = bytearray((len(bits) + 7) // 8)
    for index, bit in enumerate(bits):
        packed[index // 8] |= bool(bit) << index % 8
    return bytes(packed)


def kinds(cells, form=None):
    """The kinds in a form, or in the shortest one that can hold them."""
    every = [kind for kind, _ in cells]
    present = sorted(set(every) - {0})
    if form is None:
        form = 0 if len(set(every)) == 1 else 2 if len(present) == 1 else 1
    if form == 0:
        return bytes([0, every[0]])
    if form == 1:
        return bytes([1, *every])
    return bytes([2, present[0]]) + bitmap(every)


def fixed(cells):
    return u64(*fixed_words(cells))


def lengths_and(payloads):
    return u32(*map(len, payloads)) + b"".join(payloads)


def variable(cells):
    return lengths_and(variable_payloads(cells))


def planes(values, width):
    """Values as bytes, or as words of which so many bytes are kept."""
    values = [value if isinstance(value, bytes) else u64(value)[:width] for value in values]
    return b"".join(bytes(value[plane] for value in values) for plane in range(width))


def width_of(values):
    return (max((value % 2**64 for value in values), default=0).bit_length() + 7) // 8


def numbers(words, codec=0, width=None, base=None, **options):
    """Numbers by a codec; the base is the least word or step, the width the least that will do, if not given."""
    if codec == 0:
        return b"\0" + u64(*words)
    if codec == 7:
        file = pco(words, **options)
        return b"\7" + u32(len(file)) + file
    first, values = b"", list(words)
    if codec == 2:
        first = u64(words[0])
        values = [after - before for before, after in zip(words, words[1:])]
    base = min(values, default=0) if base is None else base
    above = [(value - base) % 2**64 for value in values]
    width = width_of(above) if width is None else width
    assert width >= width_of(above) or width > 8
    return bytes([codec]) + first + u64(base) + bytes([width]) + planes(above, width)


# §6.2
def pco(words, kind="i64", mode=None, delta=None, chunk=None):
    """A standalone file of numbers of a type, in chunks of so many."""
    if kind == "f64":
        array = numpy.array([word % 2**64 for word in words], "uint64").view("float64")
    else:
        signed = [word % 2**64 - (word % 2**64 >> 63 << 64) for word in words]
        array = numpy.array([word % 2**64 for word in words] if kind == "u64" else signed, PCO_TYPES[kind])
    config = ChunkConfig(
        compression_level=8,
        enable_8_bit=True,
        mode_spec=mode or ModeSpec.classic(),
        delta_spec=delta or DeltaSpec.no_op(),
        paging_spec=PagingSpec.equal_pages_up_to(chunk or 1 << 18),
    )
    return standalone.simple_compress(array, config)


# Whole blocks, with the byte of the encoding. What a writer may choose follows the cells.
def numeric(codec, form=None, **options):
    """Encodings 1, 2 and 7."""

    def block(cells):
        words = numbers(fixed_words(cells), codec, **options)
        return bytes([codec]) + u32(len(cells)) + kinds(cells, form) + words + variable(cells)

    return block


def dictionary(codec=1, entries=None, **options):
    """§6.3; entries in the order of first use if none are given."""

    def block(cells):
        held = entries or list(dict.fromkeys(cells))
        indexes = numbers([held.index(cell) for cell in cells], codec, **options)
        return b"\3" + u32(len(cells), len(held), len(canonical(held))) + canonical(held) + indexes

    return block


def decimal_of(kind, word, exponent, free):
    """The decimal of a fixed payload, or None where there is none."""
    if kind == 1:
        return word * 10 ** exponent if abs(word * 10**exponent) <= 2**53 else None
    (value,) = struct.unpack("<d", u64(word))
    near = value * 10**exponent
    if not abs(near) <= 2**53:  # too large, infinite or NaN
        return None
    for decimal in {int(near) - 1, int(near), int(near) + 1, round(near)}:
        if abs(decimal) <= 2**53 and struct.pack("<d", float(decimal) / float(10**exponent)) == u64(word):
            return None if free and decimal % 10**exponent == 0 else decimal
    return None


def decimal(exponent, form=3, codec=1, places_codec=1, ignored=0):
    """§6.4; `ignored` is what stands for the decimal of an exception."""

    def block(cells):
        head = kinds(cells, form)
        if form == 3:
            some = any(kind == 0 for kind, _ in cells)
            head = b"\3\1" + bitmap([kind for kind, _ in cells]) if some else b"\3\0"
        held = [cell for cell in cells if cell[0] in (1, 2)]
        decimals = [decimal_of(kind, word, exponent, form == 3) for kind, word in held]
        places = [place for place, one in enumerate(decimals) if one is None]
        out = b"\4" + u32(len(cells)) + head + bytes([exponent]) + u32(len(places))
        if places:
            out += numbers(places, places_codec)
            out += b"".join(bytes([held[place][0]]) + u64(held[place][1]) for place in places)
        return out + numbers([ignored if one is None else one for one in decimals], codec) + variable(cells)

    return block


# §6.5: a pattern is its bytes, a function that gives the value of a text or None, and one that encodes values.
def days_of(year, month, day):
    """Days since 1970-01-01, counted with years that begin in March."""
    year -= month < 3
    in_year = (153 * ((month - 3) % 12) + 2) // 5 + day - 1
    return 365 * year + year // 4 - year // 100 + year // 400 + in_year - 719468


def month_days(year, month):
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    return 29 if month == 2 and leap else (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)[month - 1]


def day_value(text):
    found = re.fullmatch(rb"(\d{4})-(\d\d)-(\d\d)", text)
    year, month, day = map(int, found.groups()) if found else (0, 0, 0)
    return days_of(year, month, day) if 1 <= month <= 12 and 1 <= day <= month_days(year, month) else None


def words_by(codec, **options):
    return lambda values: numbers(values, codec, **options)


def date(codec=1, **options):
    return b"\1", day_value, words_by(codec, **options)


def timestamp(separator=b" ", digits=0, suffix=b"", codec=1, **options):
    fraction = rb"\.(\d{%d})" % digits if digits else b"()"
    form = rb"(.{10})" + re.escape(separator) + rb"(\d\d):(\d\d):(\d\d)" + fraction + re.escape(suffix)

    def value(text):
        found = re.fullmatch(form, text, re.DOTALL)
        day = found and day_value(found[1])
        if day is None or int(found[2]) > 23 or int(found[3]) > 59 or int(found[4]) > 59:
            return None
        second = ((day * 24 + int(found[2])) * 60 + int(found[3])) * 60 + int(found[4])
        units = second * 10**digits + int(found[5] or 0)
        return units if -(2**63) <= units < 2**63 else None

    parameters = b"\2" + separator + bytes([digits, len(suffix)]) + suffix
    return parameters, value, words_by(codec, **options)


def hexadecimal_value(text, upper, length):
    digits = rb"[0-9A-F]*" if upper else rb"[0-9a-f]*"
    return bytes.fromhex(text.decode()) if len(text) == 2 * length and re.fullmatch(digits, text) else None


def uuid(upper=False):
    def value(text):
        if len(text) != 36 or any(text[place] != 0x2D for place in (8, 13, 18, 23)):
            return None
        return hexadecimal_value(text[:8] + text[9:13] + text[14:18] + text[19:23] + text[24:], upper, 16)

    return bytes([3, upper]), value, lambda values: planes(values, 16)


def hexadecimal(length, upper=False):
    def value(text):
        return hexadecimal_value(text, upper, length)

    return bytes([4, upper]) + u32(length), value, lambda values: planes(values, length)


def numbered(prefix=b"", digits=0, codec=1, **options):
    form = re.escape(prefix) + (rb"(\d{%d})" % digits if digits else rb"(0|[1-9]\d*)")

    def value(text):
        found = re.fullmatch(form, text, re.DOTALL)
        return int(found[1]) if found and int(found[1]) < 2**63 else None

    return bytes([5, len(prefix)]) + prefix + bytes([digits]), value, words_by(codec, **options)


def typed_text(pattern, form=None, places_codec=1, exceptional=()):
    """§6.5; places in `exceptional` are exceptions although the pattern can write them."""
    parameters, value, encode = pattern

    def block(cells):
        payloads = variable_payloads(cells)
        values = [None if place in exceptional else value(one) for place, one in enumerate(payloads)]
        places = [place for place, one in enumerate(values) if one is None]
        out = b"\5" + u32(len(cells)) + kinds(cells, form) + fixed(cells) + parameters + u32(len(places))
        out += (numbers(places, places_codec) if places else b"") + lengths_and([payloads[place] for place in places])
        return out + encode([one for one in values if one is not None])

    return block


# §6.6
def front_coding(form=None, shared_codec=1, lengths_codec=1, most=1 << 32):
    """Shares as much as can be, but no more than `most` bytes."""

    def block(cells):
        before, shared, rest = b"", [], []
        for payload in variable_payloads(cells):
            count = 0
            while count < min(len(before), len(payload), most) and before[count] == payload[count]:
                count += 1
            shared.append(count)
            rest.append(payload[count:])
            before = payload
        lengths = numbers(list(map(len, rest)), lengths_codec)
        head = b"\6" + u32(len(cells)) + kinds(cells, form) + fixed(cells)
        return head + numbers(shared, shared_codec) + lengths + b"".join(rest)

    return block


# §6.7
def index_bytes(index):
    if index < 192:
        return bytes([index])
    if index < 16320:
        return bytes([192 + (index - 192) // 256, (index - 192) % 256])
    return b"\xff" + (index - 16320).to_bytes(2, "little")


def words_in(payload):
    """Letters and digits as long as they go, and each byte between them."""
    return re.findall(rb"[A-Za-z0-9]+|[^A-Za-z0-9]", payload)


def words(form=None, entries=None, split=words_in, lengths_codec=1, counts_codec=1, **options):
    """Entries in the order of first use if none are given; of those that are the same, each in turn. The options are
    those of the numbers of lengths."""

    def block(cells):
        texts = [split(payload) for payload in variable_payloads(cells)]
        held = entries or list(dict.fromkeys(word for text in texts for word in text))
        places = {}
        for index, entry in enumerate(held):
            places.setdefault(entry, []).append(index)
        turns = {word: itertools.cycle(indexes) for word, indexes in places.items()}
        lengths = numbers(list(map(len, held)), lengths_codec, **options)
        head = b"\x08" + u32(len(cells)) + kinds(cells, form) + fixed(cells) + u32(len(held))
        indexes = b"".join(index_bytes(next(turns[word])) for text in texts for word in text)
        return head + lengths + numbers(list(map(len, texts)), counts_codec) + b"".join(held) + indexes

    return block
