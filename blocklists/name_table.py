"""The look-up: which listed names a name is, or is below, in one pass over its octets. The hot module of the lists.

Arrays, mapped from the index's files (``manifest.py``), written by ``name_table_writer.py`` and ``name_blocks.py``:

- ``filter``: words of 64 bits. A listed name has set four bits of the word that its hash chooses, so that nearly every
  name that is not listed ends here, at the price of one look into memory for it and for each of its parents.
- ``slots``: an open hash table. The hash chooses where to begin; each slot up to the first empty one holds the number
  of a group of names, below some more bits of the hash.
- ``starts``: where each block of ``BLOCK_GROUPS`` groups begins in ``blocks``.
- ``blocks``: the names themselves, so that the answer is exact whatever the hashes are. Keys (``entry.py``) in order,
  their length octets replaced by ``DOT`` and, at the end, ``END``. Of each name: how many symbols it shares with the
  one before (as difference to that one's number), the number of its set, and the symbols not shared, all in prefix
  codes (``prefix_code.py``); which code a symbol has depends on the one before it. The first name of a block shares
  nothing, the first of a group shares with the first of the block, so that no other group need be decoded. In front,
  the sizes of the groups but the last in octets, one each; ``LONG`` stands for three octets behind these.
- ``codes``: the tables that decode names.
- ``members``: for each set of lists, who is in it, and how.

Compiled with the types of ``name_table.pxd``, and the same interpreted; the masks keep Python's numbers at 64 bits.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from blocklists.match import Match
from blocklists.name_hash import MASK, MIX, HashKey

GROUP_NAMES: Final = 5
BLOCK_GROUPS: Final = 4
BLOCK_NAMES: Final = GROUP_NAMES * BLOCK_GROUPS
LONG: Final = 255
BUCKET_SLOTS: Final = 16
EMPTY: Final = 0xFFFFFFFF
SLOT_BITS: Final = 32
ESCAPE: Final = 255  # a set whose number does not fit; it follows in RAW_BITS bits
RAW_BITS: Final = 24
MAX_BITS: Final = 8  # of a prefix code: 256 symbols just fit; longer codes would save 0.03 octets a name of real lists
TABLE_SIZE: Final = 1 << MAX_BITS
END: Final = 65  # of a key; keys are in lower case, so that these octets are free
DOT: Final = 66
# ``codes``: a table for what is shared, one for sets, then those for symbols, that for the first one in front.
SETS_AT: Final = TABLE_SIZE
SYMBOLS_AT: Final = 2 * TABLE_SIZE

_COVER_BITS: Final = 4
_SELF: Final = 0b0101  # Cover.SELF | Cover.ALLOW_SELF
_BELOW: Final = 0b1010
_BLOCK: Final = 0b0011
_ALLOW: Final = 0b1100
_MAX_REMEMBERED: Final = 65_536

# As module constants these are C numbers where compiled.
_MASK: Final = MASK
_MIX: Final = MIX
_ONE: Final = 1
_CODE: Final = TABLE_SIZE - 1
_CODE_BITS: Final = MAX_BITS
_SETS_AT: Final = SETS_AT
_SYMBOLS_AT: Final = SYMBOLS_AT
_END: Final = END
_DOT: Final = DOT
_REFILL: Final = 56  # bits; one octet more still fits into 64
_BUCKET: Final = BUCKET_SLOTS
_IN_GROUP: Final = GROUP_NAMES
_GROUPS: Final = BLOCK_GROUPS
_LONG: Final = LONG
_NO_SLOT: Final = EMPTY
_ESCAPED: Final = ESCAPE
_RAW: Final = RAW_BITS
_RAW_MASK: Final = (1 << RAW_BITS) - 1
_TEN_LENGTHS: Final = (1 << 60) - 1


class Arrays(NamedTuple):
    """The mapped arrays, as memoryviews of numbers; ``codes`` are the tables that decode ``blocks``."""

    filter: memoryview[int]
    slots: memoryview[int]
    starts: memoryview[int]
    blocks: memoryview[int]
    codes: memoryview[int]
    members: memoryview[int]


def blocks_of(names: int) -> int:
    """How many blocks so many names fill."""
    return -(-names // BLOCK_NAMES)


def group_bits(names: int) -> int:
    """How many bits of a slot hold the group's number. One number more than there are groups fits, so that no slot in
    use has all bits set, as ``EMPTY`` has.
    """
    return (-(-names // GROUP_NAMES)).bit_length()


_NONE: Final[tuple[Match, ...]] = ()


class NameTable:
    """The arrays, open. Safe to share between threads: a look-up changes nothing but the memory of decoded sets."""

    def __init__(self, arrays: Arrays, key: HashKey, names: int, buckets: int) -> None:
        self._filter = arrays.filter
        self._slots = arrays.slots
        self._starts = arrays.starts
        self._blocks = arrays.blocks
        self._codes = arrays.codes
        self._members = arrays.members
        self._start = key.start
        self._first = key.first
        self._second = key.second
        self._names = names
        self._buckets = buckets
        self._words = len(arrays.filter)
        self._group_bits = group_bits(names)
        self._remembered: dict[int, tuple[Match, ...]] = {}  # by set, labels (at most 127), and whether itself

    def close(self) -> None:
        """Lets go of the arrays, so that they can be unmapped; from now on nothing matches."""
        nothing = memoryview(b"")
        self._filter = memoryview(bytes(8)).cast("Q")
        self._words = 1
        self._slots = memoryview(EMPTY.to_bytes(4, "little")).cast("I")  # a slot without a name: look-ups end there
        self._buckets = 1
        self._starts = self._members = nothing.cast("I")
        self._blocks = nothing
        self._codes = nothing.cast("I")

    def match(self, name: bytes) -> tuple[Match, ...]:
        """Every entry that covers ``name``, a wire name in lower case; the longest matched names first."""
        found = _NONE
        symbols: bytearray | None = None
        hashed = self._start
        word = 0
        filled = 0
        labels = 0
        end = len(name) - 1
        while end > 0:
            lengths = _lengths_before(name, end)
            if lengths == 0:
                break  # an empty label: no wire name
            while lengths:
                start = end - (lengths & 63) - 1
                lengths >>= 6
                position = end
                while position > start:
                    position -= 1
                    word = word << 8 | name[position]
                    filled += 1
                    if filled == 8:
                        hashed = ((hashed ^ word) * self._first) & _MASK
                        hashed ^= hashed >> 32
                        word = 0
                        filled = 0
                labels += 1
                mixed = ((hashed ^ word) * self._second) & _MASK
                mixed ^= mixed >> 32
                mixed = (mixed * _MIX) & _MASK
                mixed ^= mixed >> 32
                if self._may_be_listed(mixed):
                    if symbols is None:
                        symbols = _symbols_of(name)
                    number = self._set_of(symbols, len(name) - start - 1, mixed)
                    if number >= 0:
                        entries = self._entries(number, labels, start == 0)
                        found = entries + found if found else entries
                end = start
        return found

    def _may_be_listed(self, mixed: int) -> bool:
        # The slot is asked first not for its answer, which is seldom, but to fetch it from memory at the same time as
        # the filter: for a listed name that is a tenth of the look-up.
        if self._slots[((mixed >> 32) * self._buckets >> 32) * _BUCKET] == _NO_SLOT:
            return False
        bits = (
            _ONE << (mixed & 63) | _ONE << (mixed >> 6 & 63) | _ONE << (mixed >> 12 & 63) | _ONE << (mixed >> 18 & 63)
        )
        return self._filter[(mixed >> 32) * self._words >> 32] & bits == bits

    def _set_of(self, symbols: bytearray, size: int, mixed: int) -> int:
        """The number of the set that the name of the first so many symbols has, -1 where it is not listed."""
        group_bits = self._group_bits
        wanted = ((mixed * _MIX) & _MASK) >> 32 >> group_bits
        groups = (_ONE << group_bits) - 1
        place = ((mixed >> 32) * self._buckets >> 32) * _BUCKET
        slot = self._slots[place]
        while slot != _NO_SLOT:
            if slot >> group_bits == wanted:
                number = self._set_in_group(slot & groups, symbols, size)
                if number >= 0:
                    return number
            place += 1
            slot = self._slots[place]
        return -1

    def _set_in_group(self, group: int, symbols: bytearray, size: int) -> int:
        """The set of the name of the first so many symbols, where it stands in this group, else -1.

        ``matched`` of them are those of the entry at hand. An entry that shares more than that with the one before
        differs from the name where that one did, one that shares less differs behind what it shares; only one that
        shares just so much can be it. So the answer is exact even if names were not in order.
        """
        left = self._names - group * _IN_GROUP
        if left > _IN_GROUP:
            left = _IN_GROUP
        block = group // _GROUPS
        group -= block * _GROUPS
        position = self._starts[block]
        ahead = 0  # octets from the first name to the group, which is decoded next
        following = position + _GROUPS - 1
        for place in range(_GROUPS - 1):
            length = self._blocks[position + place]
            if length == _LONG:
                length = self._blocks[following] | self._blocks[following + 1] << 8 | self._blocks[following + 2] << 16
                following += 3
            if place < group:
                ahead += length
        ahead += following
        position = following
        if group:
            left += 1
        bits = 0  # read from the block and not yet decoded; so many:
        held = 0
        more = 0
        matched = 0
        shared = 0
        while left > 0:
            left -= 1
            while held < _REFILL:
                more = self._blocks[position]
                bits |= more << held
                position += 1
                held += 8
            code = self._codes[bits & _CODE]
            shared = (shared + code) & 255
            bits >>= code >> 8
            held -= code >> 8
            code = self._codes[_SETS_AT + (bits & _CODE)]
            number = code & 255
            bits >>= code >> 8
            held -= code >> 8
            if number == _ESCAPED:
                number = bits & _RAW_MASK
                bits >>= _RAW
                held -= _RAW
            same = shared == matched
            if shared < matched:
                matched = shared
            table = _SYMBOLS_AT
            octet = 0
            while octet != _END:
                if held < _CODE_BITS:
                    while held < _REFILL:
                        more = self._blocks[position]
                        bits |= more << held
                        position += 1
                        held += 8
                code = self._codes[table + (bits & _CODE)]
                table = code >> 16
                bits >>= code >> 8 & 255
                held -= code >> 8 & 255
                octet = code & 255
                if same:
                    if octet == _END:
                        if matched == size - 1:
                            return number
                    elif octet == symbols[matched] and matched < size - 1:
                        matched += 1
                        continue
                    same = False
                    if group:
                        break  # how much the first name has in common with ours is all that its group needs
            if group:
                group = 0
                position = ahead
                bits = 0
                held = 0
                shared = 0
        return -1

    def _entries(self, number: int, labels: int, itself: bool) -> tuple[Match, ...]:
        place = number << 8 | labels << 1 | itself
        known = self._remembered.get(place)
        if known is None:
            known = self._decoded(number, labels, itself)
            if len(self._remembered) >= _MAX_REMEMBERED:
                self._remembered.clear()
            self._remembered[place] = known
        return known

    def _decoded(self, number: int, labels: int, itself: bool) -> tuple[Match, ...]:
        relevant = _SELF if itself else _BELOW
        found: list[Match] = []
        for place in range(self._members[number], self._members[number + 1]):
            member = self._members[place]
            list_id = member >> _COVER_BITS
            cover = member & relevant
            if cover & _BLOCK:
                found.append(Match(labels, list_id, False))
            if cover & _ALLOW:
                found.append(Match(labels, list_id, True))
        return tuple(found)


def _symbols_of(name: bytes) -> bytearray:
    """The key of a name as it stands in blocks, but with DOT at its end too: so it begins with those of its parents."""
    last = len(name) - 2
    symbols = bytearray(last + 1)
    position = 0
    following = 0
    while position <= last:
        octet = name[position]
        if position == following:
            following += octet + 1
            octet = _DOT
        elif octet in (_END, _DOT):
            octet = 0  # upper case, as in no name here: like no symbol
        symbols[last - position] = octet
        position += 1
    return symbols


def _lengths_before(name: bytes, end: int) -> int:
    """The lengths of the last ten labels that end at ``end`` or before, 6 bits each, the last one lowest."""
    lengths = 0
    offset = 0
    while offset < end:
        length = name[offset]
        lengths = (lengths << 6 | length) & _TEN_LENGTHS
        offset += length + 1
    return lengths
