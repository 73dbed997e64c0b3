package photo

import (
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/unitscope/unitscope/internal/pythontest"
)

// writePictures writes files of every mode and option that PIL can save, and
// beside each FILE.grey: rows, columns, and the grey levels that PIL reads in it,
// as float64 on its own scale of 0 to 255. A line for each file says its name,
// the tolerance, and whether it must be read or may be refused.
const writePictures = `
import os, sys
import numpy as np
from PIL import Image, ImageOps
folder = sys.argv[1]
rows, cols = 37, 52
y, x = np.mgrid[0:rows, 0:cols]
rng = np.random.default_rng(1)
wave = 128 + 60 * np.sin(x / 9) * np.cos(y / 7) + 0.5 * x - 0.4 * y
planes = [wave + 25 * np.sin(y / 11 + k) for k in range(3)] # colours that YCbCr holds without clipping
rgb = Image.fromarray(np.stack(planes, -1).clip(0, 255).astype("u1"), "RGB")
grey = rgb.convert("L")
alpha = Image.fromarray((x * 5).clip(0, 255).astype("u1"), "L")
rgba = rgb.copy(); rgba.putalpha(alpha)
la = Image.merge("LA", (grey, alpha))
palette = rgb.quantize(40)
wide = Image.fromarray((wave * 257).clip(0, 65535).astype("u2"))

def levels(path):
    im = Image.open(path)
    im.load() # which turns a TIFF already
    im = ImageOps.exif_transpose(im)
    if im.mode.startswith("I"):
        return np.asarray(im).astype("f8") / 257
    if im.mode in ("LA", "RGBA", "PA") or "transparency" in im.info:
        im = im.convert("RGBA")
        im = Image.alpha_composite(Image.new("RGBA", im.size, "white"), im)
    return np.asarray(im.convert("L")).astype("f8")

def save(name, im, tolerance, must=1, **options):
    path = os.path.join(folder, name)
    try:
        im.save(path, **options)
    except (OSError, ValueError, KeyError) as e: # PIL can't
        if must: raise
        return
    try:
        want = levels(path)
    except (OSError, ValueError) as e:
        if must: raise
        return
    with open(path + ".grey", "wb") as f:
        f.write(np.array(want.shape, "<i8").tobytes() + np.ascontiguousarray(want, "<f8").tobytes())
    print(name, tolerance, must)

def orientation(k):
    exif = Image.Exif()
    exif[0x010e] = "a picture" # another tag before it
    exif[0x0112] = k
    return exif

# Lossless: PIL rounds luminances to whole levels, we don't; with transparency it
# rounds the laid colours as well.
exact, rounded, laid = 0, 0.51, 1.51
save("1.png", grey.convert("1"), exact)
save("L.png", grey, exact)
save("L-transparent.png", grey, exact, transparency=int(np.asarray(grey)[3, 3]))
save("LA.png", la, laid)
save("P.png", palette, rounded)
save("P-2bits.png", rgb.quantize(4), rounded)
save("P-index.png", palette, rounded, transparency=7)
save("P-bytes.png", palette, laid, transparency=bytes(range(0, 200, 5)))
save("RGB.png", rgb, rounded)
save("RGB-transparent.png", rgb, rounded, transparency=rgb.getpixel((3, 3)))
save("RGBA.png", rgba, laid)
save("I16.png", wide, exact)
for k in range(1, 9):
    save(f"orientation{k}.png", grey, exact, exif=orientation(k))
    save(f"orientation{k}.jpg", rgb, 2, exif=orientation(k), quality=95)
    # Of a TIFF without compression PIL 13 exchanges rows and columns before it
    # reads the pixels, and gets none of them right.
    save(f"orientation{k}.tiff", grey, exact, exif=orientation(k), compression="tiff_lzw")
    save(f"orientation{k}.webp", rgb, rounded, exif=orientation(k), lossless=True)
    # Of other lengths, as chunks of an odd one are padded, and with JPEG's prefix.
    save(f"orientation{k}-other.webp", rgb.crop((0, 0, 16 + k, 16)), rounded, exif=b"Exif\0\0" + orientation(k).tobytes(), lossless=True)
    save(f"orientation{k}-grey.webp", grey, rounded, exif=orientation(k), lossless=True)
# Decoders of JPEG may differ by one level in each plane (ISO 10918-2 allows one
# in the transform), and PIL rounds once to RGB and once to grey: two in all.
for quality in (50, 95):
    save(f"L{quality}.jpg", grey, 2, quality=quality)
    for progressive in (0, 1):
        for sampling in ("4:4:4", "4:2:2", "4:2:0"):
            save(f"RGB{quality}-{progressive}-{sampling.replace(':', '')}.jpeg", rgb, 2, quality=quality, subsampling=sampling, progressive=progressive)
    save(f"stored-as-RGB{quality}.jpg", rgb, 2, quality=quality, keep_rgb=True)
    save(f"CMYK{quality}.jpg", rgb.convert("CMYK"), 2.5, quality=quality)
# CMYK without Adobe's marker, which says what its colours are.
marked = open(os.path.join(folder, "CMYK95.jpg"), "rb").read()
at = marked.index(b"\xff\xee")
size = int.from_bytes(marked[at + 2 : at + 4], "big")
open(os.path.join(folder, "unmarked.jpg"), "wb").write(marked[:at] + marked[at + 2 + size :])
print("unmarked.jpg", 0, 0)
save("restarts.jfif", rgb, 2, format="JPEG", restart_marker_blocks=3)
save("optimized.jpe", rgb, 2, format="JPEG", optimize=True)
save("YCbCr.jpg", rgb.convert("YCbCr"), 2, must=0)
save("L.gif", grey, exact, interlace=0)
save("L-interlaced.gif", grey, exact, interlace=1)
save("1.gif", grey.convert("1"), exact)
save("P.gif", palette, rounded)
save("transparent.gif", palette, rounded, transparency=3)
save("animated.gif", palette, rounded, save_all=True, append_images=[rgb.rotate(90).quantize(30)])
for name, im in {"1": grey.convert("1"), "L": grey, "P": palette, "RGB": rgb, "RGBA": rgba}.items():
    save(name + ".bmp", im, laid if name == "RGBA" else rounded)
for compression in ("raw", "tiff_lzw", "tiff_adobe_deflate", "tiff_deflate", "packbits", "group3", "group4", "jpeg", "tiff_ccitt", "lzma", "zstd", "webp"):
    for name, im in {"1": grey.convert("1"), "L": grey, "LA": la, "P": palette, "RGB": rgb, "RGBA": rgba, "CMYK": rgb.convert("CMYK"), "I16": wide,
                     "I": Image.fromarray((wave * 200).astype("i4")), "F": Image.fromarray((wave / 300).astype("f4")), "YCbCr": rgb.convert("YCbCr"), "LAB": Image.new("LAB", (cols, rows), (120, 130, 140))}.items():
        must = compression in ("raw", "tiff_lzw", "tiff_adobe_deflate", "packbits", "group3", "group4") and name in ("1", "L", "P", "RGB", "RGBA", "I16")
        if compression.startswith("group") and name != "1": continue
        # PIL writes palettes of TIFF as 256 v where white, 65535, is 257 * 255.
        save(f"{name}-{compression}.tif", im, laid if "A" in name or name == "P" else rounded, must=int(must), compression=compression)
# White as 0, and bits in reverse order, which PIL writes as if they were not.
for name, im in {"1": grey.convert("1"), "L": grey}.items():
    for compression in ("raw", "tiff_lzw", "group4")[: 3 if name == "1" else 2]:
        save(f"{name}-white-is-0-{compression}.tif", im, exact, compression=compression, tiffinfo={262: 0})
    save(f"{name}-reversed.tif", im, exact, must=0, tiffinfo={266: 2})
# WebP's own conversion rounds like JPEG's.
for name, im in {"L": grey, "RGB": rgb, "P": palette}.items():
    save(name + ".webp", im, 2, quality=90)
    save(name + "-lossless.webp", im, rounded, lossless=True)
save("RGBA.webp", rgba, 3, quality=90)
save("RGBA-raw-alpha.webp", rgba, 3, quality=90, alpha_quality=60)
save("RGBA-lossless.webp", rgba, laid, lossless=True, exact=True)
save("RGBA-animated.webp", rgba, 2, must=0, save_all=True, append_images=[rgba.rotate(90)])
`

// Files of every mode that PIL can save give PIL's grey levels, what is
// transparent laid on white, or are refused in a line.
func TestPILPictures(t *testing.T) {
	dir := t.TempDir()
	lines := strings.Split(strings.TrimSpace(pythontest.Run(t, "numpy, PIL", writePictures, dir)), "\n")
	refused := map[string]string{}
	for _, line := range lines {
		var name string
		var tolerance float64
		var must bool
		if _, err := fmt.Sscan(line, &name, &tolerance, &must); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		p, err := decode(data, 8)
		if err != nil {
			refused[name] = err.Error()
			if must || strings.Contains(err.Error(), "\n") {
				t.Errorf("%s: %v", name, err)
			}
			t.Logf("%s: refused: %v", name, err)
			continue
		}
		if worst, err := compare(p, filepath.Join(dir, name+".grey")); err != nil || worst > tolerance {
			t.Errorf("%s: %v, off by %.2f levels, want at most %g", name, err, worst, tolerance)
		}
	}
	if why := refused["unmarked.jpg"]; !strings.Contains(why, "Adobe APP14") {
		t.Errorf("CMYK without a marker: %q", why)
	}
	t.Logf("%d files, of which %d are refused", len(lines), len(refused))
}

// compare is how far a picture's levels are from those of a file that
// writePictures wrote.
func compare(p Picture, file string) (worst float64, err error) {
	raw, err := os.ReadFile(file)
	if err != nil {
		return 0, err
	}
	number := func(i int) uint64 { return binary.LittleEndian.Uint64(raw[8*i:]) }
	if rows, cols := int(number(0)), int(number(1)); rows != p.Rows || cols != p.Cols {
		return 0, fmt.Errorf("%dx%d pixels, want %dx%d", p.Rows, p.Cols, rows, cols)
	}
	for i, v := range p.Levels {
		worst = max(worst, math.Abs(float64(v)/0x101-math.Float64frombits(number(2+i))))
	}
	return worst, nil
}
