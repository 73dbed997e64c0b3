"""Writes a corpus of npy files and npz archives and what numpy reads of them.

corpus.py FOLDER prints a line of JSON per array: file, name (of the array in an
archive, or ""), type, shape, readable (False where the type is none of numbers of one
size everywhere), and wanted (a file of little-endian float32 in row-major order), or
None where numpy itself refuses the file.
"""
import gzip
import io
import itertools
import json
import os
import struct
import sys
import warnings
import zipfile

import numpy as np

warnings.simplefilter("ignore")
folder = sys.argv[1]
rng = np.random.default_rng(11)
shapes = [(), (5,), (0,), (0, 3), (3, 0), (2, 3), (4, 1), (2, 3, 4), (2, 1, 3, 2), (2, 2, 1, 3, 2)]
specials = [np.nan, np.inf, -np.inf, -0.0, 1e-40, 1e300, 3.4e38, 6e-8]
count = 0


def new_path(ending):
    global count
    count += 1
    return os.path.join(folder, f"{count}{ending}")


def numbers(dtype, shape):
    size = int(np.prod(shape))
    kind = dtype.kind
    if kind == "b":
        flat = rng.integers(0, 2, size).astype(bool)
    elif kind in "iu":
        info = np.iinfo(dtype)
        flat = rng.integers(info.min, info.max, size, dtype=dtype.newbyteorder("="), endpoint=True)
    elif kind in "fc":
        flat = rng.normal(size=size) * 10.0 ** rng.integers(-4, 4, size)
        flat[: len(specials)] = rng.permutation(specials)[:size]
    elif kind == "O":
        flat = np.array([None] * size, dtype=object)
    elif kind in "SU":
        flat = np.array(["ab"] * size)
    elif kind in "Mm":
        flat = np.arange(size)
    else:
        flat = np.zeros(size, dtype)
    return flat.astype(dtype).reshape(shape)


def say(path, name, array):
    """array is what numpy reads, None if it refuses."""
    line = {"file": path, "name": name, "wanted": None}
    if array is not None:
        line.update(
            type=array.dtype.str if array.dtype.names is None else "structured",
            shape=list(array.shape),
            readable=array.dtype.kind in "biu" or array.dtype.kind == "f" and array.dtype.itemsize <= 8,
        )
        if line["readable"]:
            line["wanted"] = new_path(".raw")
            array.astype("<f4").tofile(line["wanted"])
    print(json.dumps(line))


def types():
    seen = set()
    for letter, order in itertools.product(np.typecodes["All"], "<>"):
        dtype = np.dtype(letter).newbyteorder(order)
        if letter in "SUV":
            dtype = np.dtype(f"{order}{letter}3")
        if letter in "mM":
            dtype = np.dtype(f"{order}{letter}8[ms]")
        if dtype.str not in seen:
            seen.add(dtype.str)
            yield dtype
    yield np.dtype([("a", "<f4"), ("b", "<i2", (3,))])
    yield np.dtype([("a", [("inner", "u1"), ("é", "f8")]), ("c", "S3")])
    yield np.dtype({"names": ["x", "y"], "formats": ["u1", "f8"], "offsets": [1, 16], "itemsize": 32})


def saved():
    """What numpy's own functions write."""
    for dtype in types():
        arrays = {}
        for shape, order in itertools.product(shapes, "CF"):
            array = np.array(numbers(dtype, shape), order=order)
            path = new_path(".npy")
            np.save(path, array)
            say(path, "", array)
            arrays[f"array {len(arrays)}"] = array
        for save, ending in ((np.savez, ".npz"), (np.savez_compressed, ".z.npz")):
            path = new_path(ending)
            save(path, **arrays)
            for name, array in arrays.items():
                say(path, name, array)
    transposed = numbers(np.dtype("f4"), (4, 5, 6)).transpose(2, 0, 1)[::2]
    for array in (transposed, np.matrix([[1.5, 2]]), np.broadcast_to(np.float64(2), (3, 2))):
        path = new_path(".npy")
        np.save(path, array)
        say(path, "", np.load(path))


def written(header, body, version, after=b""):
    """A file of a header written by hand, and what numpy reads of it."""
    size = struct.pack("<H" if version[0] == 1 else "<I", len(header))
    path = new_path(".npy")
    content = b"\x93NUMPY" + bytes(version) + size + header + body + after
    with open(path, "wb") as f:
        f.write(content)
    try:
        array = np.load(io.BytesIO(content))
    except Exception:  # of many kinds, of tokenize and of the parser too
        array = None
    say(path, "", array)
    with gzip.open(path + ".gz", "wb") as f:
        f.write(content)
    say(path + ".gz", "", array)


headers = """
{'descr': '<f4', 'fortran_order': False, 'shape': (7, 12), }
{'descr': '<f4', 'fortran_order': False, 'shape': (7, 12)}
{'descr': '<f4', 'fortran_order': False, 'shape': (7,12)}
{'descr': '<f4', 'fortran_order': False, 'shape':(7,12,),}
{'shape': (7, 12), 'fortran_order': False, 'descr': '<f4'}
{'shape':(7,12),'descr':'<f4','fortran_order':True}
{"descr": "<f4", "fortran_order": False, "shape": (7, 12)}
{ 'descr' : '<f4' , 'fortran_order' : True , 'shape' : ( 7 , 12 , ) , }
   {'descr': '<f4', 'fortran_order': False, 'shape': (7, 12), }
{'descr':\t'<f4',\t'fortran_order':\tFalse, 'shape': (7, 12), }
{'descr': '<f4', 'fortran_order': False, 'shape': (7L, 12L), }
{'descr': '<f4', 'fortran_order': False, 'shape': (84L,), }
{'descr': 'f4', 'fortran_order': False, 'shape': (7, 12), }
{'descr': '=f4', 'fortran_order': False, 'shape': (7, 12), }
{'descr': '|f4', 'fortran_order': False, 'shape': (7, 12), }
{'descr': '>f4', 'fortran_order': False, 'shape': (7, 12), }
{'descr': 'float32', 'fortran_order': False, 'shape': (7, 12), }
{'descr': 'single', 'fortran_order': False, 'shape': (7, 12), }
{'descr': 'f', 'fortran_order': False, 'shape': (7, 12), }
{'descr': '<f', 'fortran_order': False, 'shape': (7, 12), }
{'descr': 'd', 'fortran_order': False, 'shape': (6, 7), }
{'descr': 'float', 'fortran_order': False, 'shape': (6, 7), }
{'descr': 'e', 'fortran_order': False, 'shape': (24, 7), }
{'descr': 'half', 'fortran_order': False, 'shape': (24, 7), }
{'descr': '?', 'fortran_order': False, 'shape': (48, 7), }
{'descr': 'bool', 'fortran_order': False, 'shape': (48, 7), }
{'descr': 'b1', 'fortran_order': False, 'shape': (48, 7), }
{'descr': 'b', 'fortran_order': False, 'shape': (48, 7), }
{'descr': 'B', 'fortran_order': False, 'shape': (48, 7), }
{'descr': 'u1', 'fortran_order': False, 'shape': (48, 7), }
{'descr': '<u1', 'fortran_order': False, 'shape': (48, 7), }
{'descr': '>u1', 'fortran_order': True, 'shape': (48, 7), }
{'descr': 'uint8', 'fortran_order': False, 'shape': (48, 7), }
{'descr': 'h', 'fortran_order': False, 'shape': (24, 7), }
{'descr': '>H', 'fortran_order': False, 'shape': (24, 7), }
{'descr': 'i', 'fortran_order': False, 'shape': (12, 7), }
{'descr': '>i4', 'fortran_order': False, 'shape': (12, 7), }
{'descr': 'q', 'fortran_order': False, 'shape': (6, 7), }
{'descr': '>Q', 'fortran_order': False, 'shape': (6, 7), }
{'descr': 'longlong', 'fortran_order': False, 'shape': (6, 7), }
{'descr': u'<f4', u'fortran_order': False, 'shape': (7, 12), }
{'descr': '<' 'f4', 'fortran_order': False, 'shape': (7, 12), }
{'descr': '\\x3cf4', 'fortran_order': False, 'shape': (7, 12), }
{'descr': '<f4', 'fortran_order': False, 'shape': (0x7, +12), }
{'descr': '<f4', 'fortran_order': False, 'shape': (1_2, 7), }
{'descr': ('<f4'), 'fortran_order': (False), 'shape': ((7), (12)), }
{'descr': '<i4', 'descr': '<f4', 'fortran_order': False, 'shape': (7, 12), }
{'descr': '<f4', 'fortran_order': False, 'shape': (07, 12), }
{'descr': '<f4', 'fortran_order': False, 'shape': (7), }
{'descr': '<f4', 'fortran_order': False, 'shape': [7, 12], }
{'descr': '<f4', 'fortran_order': False, 'shape': (7., 12), }
{'descr': '<f4', 'fortran_order': False, 'shape': (7 12), }
{'descr': '<f4', 'fortran_order': False, 'shape': (7, 12}
{'descr': '<f4', 'fortran_order': False, 'shape': (-7, 12), }
{'descr': '<f4', 'fortran_order': False, 'shape': (8, 12), }
{'descr': '<f4', 'fortran_order': 0, 'shape': (7, 12), }
{'descr': '<f4', 'fortran_order': None, 'shape': (7, 12), }
{'descr': '<f4', 'fortran_order': false, 'shape': (7, 12), }
{'descr': '<f4', 'fortran_order': False, }
{'descr': '<f4', 'fortran_order': False, 'shape': (7, 12), 'more': 1}
{'descr': '<f4', 'fortran_order': False, 'shape': (7, 12), } {}
('descr', '<f4', 'fortran_order', False, 'shape', (7, 12))
{'descr': '<<f4', 'fortran_order': False, 'shape': (7, 12), }
{'descr': '<float32', 'fortran_order': False, 'shape': (7, 12), }
{'descr': '<f3', 'fortran_order': False, 'shape': (7, 12), }
{'descr': 'f1', 'fortran_order': False, 'shape': (7, 12), }
{'descr': '', 'fortran_order': False, 'shape': (7, 12), }
{'descr': 4, 'fortran_order': False, 'shape': (7, 12), }
""".strip("\n").split("\n")


def by_hand():
    body = rng.normal(size=84).astype("<f4").tobytes()
    for header in headers:
        for version in ((1, 0), (2, 0), (3, 0)):
            if "L" in header and version == (3, 0):
                continue  # no Python 2 wrote it
            written(header.encode() + b"\n", body, version)
            written(header.encode(), body, version)
        written(header.encode() + b" " * 70 + b"\n", body, (1, 0), after=b"more")
    good = headers[0].encode() + b"\n"
    written(good.replace(b", 's", b",\n# a comment\n 's"), body, (1, 0))
    written(good, body[:-1], (1, 0))
    written(good, body, (1, 1))
    written(good, body, (4, 0))
    name = good.replace(b"'<f4'", "[('é', '<f4')]".encode("latin1"))
    for version in ((1, 0), (2, 0), (3, 0)):
        written(name, body, version)
        written(name.decode("latin1").encode(), body, version)
    written(good + b" " * 9000, body, (2, 0))


def twice():
    """Of arrays of one name numpy reads the last."""
    path = new_path(".npz")
    with zipfile.ZipFile(path, "w") as z:
        for value in (1.5, 2.5, 3.5):
            b = io.BytesIO()
            np.save(b, np.full((2, 2), value))
            z.writestr("x.npy", b.getvalue())
    say(path, "x", np.load(path)["x"])


saved()
by_hand()
twice()
