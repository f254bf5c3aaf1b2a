"""The bytes of IDX files."""

import struct

TYPES = {0x08: "u1", 0x09: "i1", 0x0B: "i2", 0x0C: "i4", 0x0D: "f4", 0x0E: "f8"}


def idx(array, code=None, shape=None):
    """The bytes of an IDX file."""
    code = next(c for c, t in TYPES.items() if array.dtype == t) if code is None else code
    shape = array.shape if shape is None else shape
    head = struct.pack(f">BBBB{len(shape)}I", 0, 0, code, len(shape), *shape)
    return head + array.astype(array.dtype.newbyteorder(">")).tobytes()
