"""Row groups (§5.2 of spec/format.md): what must hold of their layers and pieces, and the cells that these come to.
States are made one after the other, layer by layer. Plainness before speed."""

from tabark_cells import MAX_GROUP_BYTES, MAX_GROUP_ROWS, encode_canonical, require
from tabark_encodings import Parts, decode_block, read_ascending


def slices_of(group):
    """All slices of a row group, in the order in which a page names their frames."""
    places = [layer.places for layer in group.layers if layer.places]
    return places + [piece.slice for block in group.blocks for piece in block.pieces]


# §5.2 What a page says


def check_group(group, columns, at):
    """Everything that must hold before any slice is read: cells can be many although their bytes are few."""

    def check(condition, text):
        require(condition, "page", at, text)

    check(len(group.blocks) == columns, "a row group has not one block per column")
    states = [layer.rows for layer in group.layers] + [group.rows]
    check(all(1 <= rows <= MAX_GROUP_ROWS for rows in states), "a state of a row group has no rows, or too many")
    for layer, after in zip(group.layers, states[1:]):
        check(layer.deleted <= layer.rows, "a layer takes out more rows than there are")
        leads = layer.rows - layer.deleted + layer.inserted == after
        check(leads, "a layer leads to another number of rows than the next state has")
        moves = layer.deleted + layer.inserted > 0
        check(moves == bool(layer.places), "a layer has places and moves no rows, or the reverse")
    for block in group.blocks:
        check_pieces(block.pieces, group.layers, states, check)
    check_sizes(group, states, columns, check)


def check_pieces(pieces, layers, states, check):
    check(pieces, "a block has no pieces")
    first, patches = pieces[0], pieces[1:]
    sound = first.layer < len(states) and first.rows == states[first.layer]
    check(sound, "a whole block is of no state, or of other rows than its state")
    ascend = all(before.layer < patch.layer for before, patch in zip(pieces, patches))
    check(ascend and pieces[-1].layer < len(states), "patches do not ascend from the whole block, or are of no layer")
    for patch in patches:
        least = max(1, layers[patch.layer - 1].inserted)
        check(least <= patch.rows <= states[patch.layer], "a patch has fewer cells than rows are put in, or too many")
    patched = {patch.layer for patch in patches}
    for number, layer in enumerate(layers, 1):
        needed = number > first.layer and layer.inserted
        check(not needed or number in patched, "a layer puts rows in, and a block has no cells for them")


def check_sizes(group, states, columns, check):
    logical, limit = sum(block.logical_bytes for block in group.blocks), MAX_GROUP_BYTES + 6 * columns
    if group.layers:
        for block in group.blocks:
            pieces = sum(piece.logical_bytes for piece in block.pieces)
            check(pieces <= 4 * block.logical_bytes + 4096, "the pieces of a block have too many bytes")
        sound = logical <= limit and max(states) * columns <= MAX_GROUP_BYTES
    else:
        same = all(block.logical_bytes == block.pieces[0].logical_bytes for block in group.blocks)
        check(same, "a block has other logical bytes than its only piece")
        sound = group.rows == 1 or logical <= limit and group.rows * columns <= MAX_GROUP_BYTES
    check(sound, "a row group has too many cells or bytes")


# §6.8, §6.9 The cells. `data` gives the bytes of a slice, and the offset of its frame.


def places_of(group, data):
    """Of each layer, the ordinals of the rows that it takes out, and of those that it puts in."""
    places = []
    for layer in group.layers:
        deleted, inserted = [], []
        if layer.places:
            parts = Parts(*data(layer.places))
            deleted = read_ascending(parts, layer.deleted, layer.rows)
            inserted = read_ascending(parts, layer.inserted, layer.rows - layer.deleted + layer.inserted)
            parts.end()
        places.append((deleted, inserted))
    return places


def column_of(block, places, data, at):
    """The cells of a block and their canonical form."""
    first, patches = block.pieces[0], {patch.layer: patch for patch in block.pieces[1:]}
    cells, canonical = read_block(first, *data(first.slice))
    for number, (deleted, inserted) in list(enumerate(places, 1))[first.layer :]:
        rows, changed, new = len(cells) - len(deleted) + len(inserted), [], []
        if number in patches:
            changed, new = read_patch(patches[number], inserted, rows, *data(patches[number].slice))
        cells = next_state(cells, set(deleted), set(inserted), set(changed), iter(new))
    if len(block.pieces) > 1 or places[first.layer :]:
        canonical = encode_canonical(cells)
    require(len(canonical) == block.logical_bytes, "block", at, "a block has other logical bytes than its page says")
    return cells, canonical


def read_block(piece, data, at):
    """The cells of a block, or of one inside a patch, and their canonical form."""
    require(data[:1] == bytes([piece.encoding]), "block", at, "a block's encoding is not what its page says")
    cells, canonical = decode_block(piece.encoding, data[1:], piece.rows, at)
    same = len(canonical) == piece.logical_bytes
    require(same, "block", at, "a block or patch has other logical bytes than its page says")
    return cells, canonical


def read_patch(patch, inserted, rows, data, at):
    """The ordinals of the changed cells, and the cells that are changed or put in; `rows` are those of the state."""
    parts = Parts(data, at)
    count = parts.u32()
    same = count + len(inserted) == patch.rows
    require(same, "block", at, "a patch has another number of cells than its page says")
    changed = read_ascending(parts, count, rows)
    parts.check(not set(changed) & set(inserted), "a patch changes a row that its layer puts in")
    return changed, read_block(patch, data[parts.position :], at)[0]


def next_state(cells, deleted, inserted, changed, new):
    kept = iter([cell for ordinal, cell in enumerate(cells) if ordinal not in deleted])
    state = []
    for ordinal in range(len(cells) - len(deleted) + len(inserted)):
        cell = next(new) if ordinal in inserted else next(kept)
        state.append(next(new) if ordinal in changed else cell)
    return state
