"""The bad vectors of layers: one for each refusal of §5.2, §6.8 and §6.9 of spec/format.md, and of labels and sums.

All stand on one table of two layers: a fault is a change of what is written, by the names that writer.py gives.
"""

import struct
from types import SimpleNamespace as Fields

from changes import changing, only
from layered import layered, step, things
from writer import Writer, column, table

# State 0 has 6 rows, as has state 1, and state 2 has 7. Column 0 has a patch of 2 cells in layer 1 and of 1 in layer 2;
# column 1 of 4 and of 1; column 2 of 2 and of 2.
FIRST = step([1, 3], {1: (15, "new", 2), 4: (55, None, 0.5)}, {(0, 1): "changed", (3, 1): "changed too"})
SECOND = step([], {6: (70, "last", None)}, {(2, 2): 7})
PATCHES = {(0, 1): 1, (0, 2): 2, (1, 1): 3, (1, 2): 4, (2, 1): 5, (2, 2): 6}  # by column and layer: which one it is


def sound(firsts=None):
    return layered(things(), FIRST, SECOND, firsts=firsts)


def bad_layers(bad):
    def fault(name, layer, needs, describes, changes, one=None, cat="refuse", **options):
        writer = Writer(changes=changes, **options).append([one or sound()])
        bad(f"layers-{name}", layer, needs, describes, writer=writer, cat=cat)

    for make in (bad_states, bad_pieces, bad_sizes, bad_slices, bad_ordinals, bad_patches):
        make(fault)
    bad_labels(bad)
    bad_totals(fault)


def bad_states(fault):
    def page(name, describes, changes, one=None):
        fault(name, "page", "verify", describes, changes, one)

    def layer(name, describes, number, **values):
        page(name, describes, {"layer": only(number, changing(**values))})

    many = layered(things(), *[step(changed={(0, 1): f"change {number}"}) for number in range(65)])
    fault("65", "metadata", "verify", "65 layers", {}, many)
    layer("rows", "a layer of other rows than the one before it leads to", 2, rows=7, deleted=1)
    layer("leads-elsewhere", "a layer that leads to more rows than the next state has", 1, deleted=1)
    layer("leads-nowhere", "the last layer leads to other rows than the row group's", 2, deleted=1)
    page("group-rows", "a row group of other rows than its layers lead to", {"group": changing(rows=8)})
    layer("deletes-more", "a layer that takes out more rows than there are", 1, deleted=8, inserted=8)
    layer("overflow", "a layer of which the sum of rows exceeds 2^64", 1, inserted=2**64 - 1)
    layer("deletes-most", "a layer that takes out 2^64 - 1 rows", 1, deleted=2**64 - 1, inserted=2**64 - 1)
    emptied = layered(things(), step(range(6)), step([], {0: (1, "new", None)}))
    page("empty-state", "a state without rows", {}, emptied)
    filled = layered(things(), step(range(6), {at: (at, "new", None) for at in range(6)}))
    first, second = filled.history[0].states
    first.rows, second.deleted = [], []
    page("empty-first-state", "a first state without rows", {}, filled)
    large = {"layer": only(1, changing(rows=131073, deleted=131069)), "piece": changing(rows=131073)}
    page("state-limit", "a first state of 131073 rows", large)
    still = layered(things(), step([0]), step(changed={(1, 1): "changed"}))

    def without_rows(made):
        made.layers[1].places = made.layers[0].places
        return made

    page("places-without-rows", "places of a layer that moves no row", {"group": without_rows}, still)
    layer("places-missing", "a layer that moves rows and has no places", 2, places=None)


def bad_pieces(fault):
    def pieces(name, describes, change, column=1, one=None):
        def group(made):
            made.blocks[column].pieces = change(made.blocks[column].pieces)
            return made

        fault(name, "page", "verify", describes, {"group": group}, one)

    def like(piece, **values):
        return Fields(**vars(piece) | values)

    pieces("no-pieces", "a block without pieces, in a row group with layers", lambda every: [])
    pieces("patch-missing", "a layer puts a row in, and a block has no patch of it", lambda every: every[:2])
    describes = "the first of two layers that put rows in has no patch"
    pieces("patch-missing-first", describes, lambda every: [every[0], every[2]])
    pieces("patch-unknown-layer", "a patch of layer 3 of 2", lambda every: [*every, like(every[2], layer=3)])
    pieces("patch-last-layer", "a patch of layer 2^32 - 1", lambda every: [*every, like(every[2], layer=2**32 - 1)])
    pieces("patch-layer-0", "a patch of layer 0", lambda every: [every[0], like(every[1], layer=0), *every[1:]])
    pieces("patches-descend", "patches that descend", lambda every: [every[0], every[2], every[1]])
    pieces("patch-twice", "two patches of one layer", lambda every: [*every, every[2]])
    later = sound({1: 1})
    describes = "a patch of the state that the first piece holds"
    pieces("patch-below", describes, lambda every: [every[0], like(every[1], layer=1, rows=2), every[1]], one=later)
    describes = "a patch of a layer below the state that the first piece holds"
    pieces("patch-far-below", describes, lambda every: [every[0], like(every[0], layer=1, rows=2)], one=sound({1: 2}))
    describes = "the first piece has other rows than its state"
    pieces("first-rows", describes, lambda every: [like(every[0], rows=7), *every[1:]])
    describes = "the first piece is of a state of other rows than it has"
    pieces("first-state", describes, lambda every: [like(every[0], layer=2)], one=later)
    pieces("first-unknown", "the first piece is of state 3 of 2", lambda every: [like(every[0], layer=3)])
    pieces("first-far", "the first piece is of state 2^32 - 1", lambda every: [like(every[0], layer=2**32 - 1)])
    pieces("patch-no-rows", "a patch of no cells", lambda every: [every[0], like(every[1], rows=0), every[2]])
    describes = "a patch of fewer cells than rows are put in"
    pieces("patch-few-rows", describes, lambda every: [every[0], like(every[1], rows=1), every[2]])
    describes = "a patch of more cells than its state has rows"
    pieces("patch-many-rows", describes, lambda every: [every[0], like(every[1], rows=7), every[2]])
    whole = layered(things(), step(changed={(1, 1): "changed"}))
    describes = "a patch of no cells, of a layer that puts no row in"
    pieces("patch-empty", describes, lambda every: [every[0], like(every[1], rows=0)], one=whole)


def bad_sizes(fault):
    def page(name, describes, changes, one=None, **options):
        fault(name, "page", "verify", describes, changes, one, **options)

    limit = (1 << 26) + 18
    large = only(PATCHES[1, 1], changing(logical_bytes=limit))
    page("patches-bytes", "the patches of one layer have more bytes than they may have", {"patch entry": large})
    half = changing(logical_bytes=limit // 2 + 1)
    firsts = {"piece": only(2, half), "patch entry": only(PATCHES[0, 1], half)}
    describes = "a whole block and a patch of one layer have more bytes than they may have together"
    page("layer-bytes", describes, firsts, sound({1: 1}))
    overflow = {"patch entry": changing(logical_bytes=2**64 - 1)}
    page("bytes-overflow", "the sum of the bytes of a layer exceeds 2^64", overflow)
    describes = "the blocks of a row group with layers have more bytes than they may have"
    page("group-bytes", describes, {"block entry": half})
    wide = table("t", [column(f"c{number}") for number in range(513)], [[None] * 513] * 3)
    first = {"layer": changing(rows=131072, deleted=131070)}
    one = layered(wide, step([0]), firsts=dict.fromkeys(range(513), 1))
    page("state-cells", "a state of 131072 rows of 513 columns, which no block holds", first, one, compress=True)
    # What a row group without layers may: one row of more bytes than a row group may have.
    row = table("t", ["a"], [["x"]])
    one = layered(row, step(changed={(0, 0): "y"}), firsts={0: 1})
    more = changing(logical_bytes=(1 << 26) + 7)
    describes = "one row of more bytes than a row group with layers may have"
    page("row-bytes", describes, {"piece": more, "block entry": more}, one)


def bad_slices(fault):
    def inside(**values):
        return changing(slice=changing(**values))

    for name, layer, needs, describes, values in (
        ("beyond-frame", "block", "verify", "reach beyond their frame's body", {"start": lambda at: at + 10000}),
        ("overflow", "block", "verify", "end beyond 2^64", {"start": 2**64 - 8}),
        ("in-directory", "block", "full", "begin within the directory", {"start": 4}),
        ("empty", "cells", "full", "are of no bytes", {"length": 0}),
    ):
        change = {"layer": only(1, changing(places=changing(**values)))}
        fault(f"places-slice-{name}", layer, needs, f"places that {describes}", change)
        fault(f"patch-slice-{name}", layer, needs, f"patches that {describes}", {"patch entry": inside(**values)})
    unknown = {"layer": only(1, changing(places=changing(frame=1)))}
    fault("places-frame-index", "page", "verify", "places in a frame that the page does not name", unknown)
    unknown = {"patch entry": only(1, inside(frame=1))}
    fault("patch-frame-index", "page", "verify", "a patch in a frame that the page does not name", unknown)

    def reordered(slices_of):
        """The frames of a leaf in the order in which they are met so."""

        def change(leaf):
            slices = slices_of(leaf.groups[0])
            order = list(dict.fromkeys(one.frame for one in slices))
            leaf.frames = [leaf.frames[frame] for frame in order]
            for one in slices:
                one.frame = order.index(one.frame)
            return leaf

        return {"leaf": change}

    def places_of(group):
        return [layer.places for layer in group.layers]

    def slices_of(group, start, end):
        return [piece.slice for block in group.blocks for piece in block.pieces[start:end]]

    change = reordered(lambda group: slices_of(group, 0, None) + places_of(group))
    describes = "a page's frames: those of blocks stand before those of places"
    fault("frames-order", "page", "verify", describes, change, cat=None, frame_per_block=True)
    change = reordered(lambda group: places_of(group) + slices_of(group, 0, 1) + slices_of(group, 1, None))
    describes = "a page's frames: those of first pieces stand before those of patches"
    fault("frames-order-patches", "page", "verify", describes, change, cat=None, frame_per_block=True)


def bad_ordinals(fault):
    sorts = (
        ("deleted", "rows taken out", 1, [3, 1], [1, 1], 6),
        ("inserted", "rows put in", 1, [4, 1], [4, 4], 6),
        ("changed", "changed cells", PATCHES[1, 1], [3, 0], [3, 3], 6),
    )
    for sort, what, number, falling, twice, beyond in sorts:
        for name, describes, ordinals in (
            ("descend", "descend", falling),
            ("twice", "are the same", twice),
            ("beyond", "are beyond the last row", [0 if sort == "changed" else 1, beyond]),
            ("high", "are of more than 32 bits", [falling[1], (1 << 32) + falling[0]]),
            ("highest", "are 2^64 - 1", [falling[1], 2**64 - 1]),
        ):
            change = {f"ordinals {sort}": only(number, lambda _, ordinals=ordinals: ordinals)}
            fault(f"{sort}-{name}", "cells", "full", f"ordinals of {what} that {describes}", change)
    both = {"ordinals changed": only(PATCHES[1, 1], lambda _: [3, 4])}
    fault("changed-inserted", "cells", "full", "a changed cell in a row that the layer puts in", both)

    def places(name, describes, change, number=1):
        fault(f"places-{name}", "cells", "full", describes, {"places": only(number, change)})

    places("left-over", "a byte after places", lambda raw: raw + b"\0")
    places("cut-off", "places are cut off", lambda raw: raw[:-1])
    places("inserted-missing", "ordinals of rows put in are missing", lambda raw: raw[: len(raw) // 2])
    places("codec", "ordinals by an unknown codec", lambda raw: b"\3" + raw[1:])
    places("none", "numbers of no rows taken out, where nothing should stand", lambda raw: b"\0" + raw, 2)


def bad_patches(fault):
    def patch(name, layer, describes, change, entry=None, one=None):
        which = PATCHES[1, 1]
        changes = {"patch": only(which, change)}
        if entry:
            changes["patch entry"] = only(which, changing(**entry))
        fault(f"patch-{name}", layer, "full", describes, changes, one)

    head = 4 + 1 + 16  # the count of changed cells, and two ordinals by codec 0

    def cells(change):
        return lambda raw: raw[:head] + change(raw[head:])

    patch("count", "block", "a patch of more cells than its page says", lambda raw: raw, {"rows": 3})
    patch("count-more", "block", "a patch of fewer cells than its page says", lambda raw: raw, {"rows": 5})
    fewer = struct.pack("<I", 2**32 - 2)
    patch("count-high", "block", "a patch of nearly 2^32 changed cells", lambda raw: fewer + raw[4:])
    describes = "the cells inside a patch are more than those that it is of"
    patch("cells-more", "block", describes, cells(lambda raw: raw[:1] + b"\5" + raw[2:]))
    patch("left-over", "cells", "a byte after a patch", lambda raw: raw + b"\0")
    patch("cut-off", "cells", "a payload in a patch is cut off", lambda raw: raw[:-1])
    patch("head-cut-off", "cells", "a patch that ends within its count of changed cells", lambda raw: raw[:3])
    patch("ordinals-cut-off", "cells", "a patch that ends within its ordinals", lambda raw: raw[: head - 1])
    patch("utf8", "cells", "a text in a patch that is not UTF-8", lambda raw: raw[:-1] + b"\xc3")
    patch("codec", "cells", "ordinals of changed cells by an unknown codec", lambda raw: raw[:4] + b"\3" + raw[5:])
    unknown = cells(lambda raw: b"\x09" + raw[1:])
    describes = "cells in a patch by an encoding that is not known"
    patch("encoding-unknown", "unsupported", describes, unknown, {"encoding": 9})
    describes = "cells in a patch by another encoding than its page says"
    patch("encoding-differs", "block", describes, cells(lambda raw: b"\1" + raw[1:]))
    describes = "cells in a patch by an encoding that is not known, and not the one that its page says"
    patch("encoding-differs-unknown", "block", describes, unknown)
    patch("encoding-stated", "block", "a page says another encoding than a patch has", lambda raw: raw, {"encoding": 1})
    logical = {"logical_bytes": 7}
    patch("logical-bytes", "block", "logical bytes of a patch are wrong", lambda raw: raw, logical)
    change = {"piece": only(2, changing(logical_bytes=7))}
    fault("first-logical-bytes", "block", "full", "logical bytes of a first piece are wrong", change)
    change = {"block entry": only(2, changing(logical_bytes=7))}
    fault("logical-bytes", "block", "full", "logical bytes of a block after its layers are wrong", change)
    change = {"piece": only(2, changing(encoding=1))}
    fault("first-encoding-stated", "block", "full", "a page says another encoding than a first piece has", change)
    change = {"patch": only(PATCHES[0, 1], lambda raw: raw[:4] + b"\0" + raw[4:])}
    describes = "numbers of no changed cells, where nothing should stand"
    fault("patch-none", "block", "full", describes, change)


def bad_labels(bad):
    def label(name, describes, sort, **values):
        """The first label of a sort is changed."""

        def directory(made):
            changing(**values)(next(label for label in made.slices if label.what == sort))
            return made

        writer = Writer(changes={"directory data": only(1, directory)}).append([sound()])
        bad(f"directory-{name}", "directory", "full", describes, writer=writer, rows=[(sound(), None)])

    for what, name in ((3, "patch"), (4, "places")):
        label(f"{name}-what", f"{name} labelled as a column block", what, what=0)
        label(f"{name}-rows", f"{name} labelled with other rows", what, rows=lambda rows: rows + 1)
        label(f"{name}-group", f"{name} labelled as of another row group", what, group=1)
        label(f"{name}-length", f"{name} labelled with more bytes", what, length=lambda length: length + 1)
    label("patch-column", "a patch labelled as of another column", 3, column=lambda index: 2 - index)
    label("places-column", "places labelled as of a column", 4, column=1)
    label("block-patch", "a column block labelled as a patch", 0, what=3)
    label("patch-places", "a patch labelled as places", 3, what=4)
    label("what-unknown", "a patch labelled as what is not known", 3, what=5)
    for what, name in ((3, "patch"), (4, "places")):
        writer = Writer(changes={"directory table metadata": only(1, relabelled(what))}).append([sound()])
        describes = f"a page is labelled as a {'patch' if what == 3 else 'list of places'}"
        bad(f"directory-page-{name}", "directory", "full", describes, writer=writer, rows=[(sound(), None)])
    first = things()
    wrong = {"directory data": only(2, lambda made: changing(snapshot=1)(made))}
    writer = Writer(changes=wrong).append([first]).append([layered(first, FIRST, SECOND)])
    describes = "the directory of a frame of patches names the snapshot before"
    bad("directory-patch-snapshot", "directory", "full", describes, writer=writer, rows=[(sound(), None), (first, 1)])


def relabelled(what):
    def change(directory):
        directory.slices[0].what = what
        return directory

    return change


def bad_totals(fault):
    def totals(name, describes, changes, layer="totals"):
        fault(name, layer, "full", describes, changes, cat=None)

    stale = {"block entry": only(2, changing(content=stale_content()))}
    totals("content", "the content digest of a block is that of its first piece", stale, "content")
    totals("nulls", "nulls of a block after its layers are wrong", {"block entry": only(3, changing(nulls=3))})
    columns_only = {"table": lambda made: changing(stored_bytes=sum(one.stored_bytes for one in made.columns))(made)}
    totals("stored-bytes", "stored bytes of a table without the shares of places", columns_only)
    steps = iter((1, -1, 0))
    summaries = {"summary": lambda one: changing(stored_bytes=one.stored_bytes + next(steps))(one)}
    totals("summary-stored-bytes", "stored bytes of columns are wrong, their sum is not", summaries)
    patches = {"summary": only(1, changing(encodings=[(0, 3)]))}
    totals("summary-encodings", "encodings of a column count patches too", patches)


def stale_content():
    made = {}

    def note(entry):
        made.setdefault(len(made), entry.content)
        return entry

    Writer(changes={"block entry": note}).append([things()])
    return made[1]
