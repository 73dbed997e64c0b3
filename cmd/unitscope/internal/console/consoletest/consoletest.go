// Package consoletest reads what a terminal was sent back as the picture that it
// shows.
package consoletest

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"regexp"
	"strings"
	"testing"
)

// Picture is a picture of a few colours, among them greys.
func Picture(width, height int) *image.NRGBA {
	img := image.NewNRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			img.SetNRGBA(x, y, color.NRGBA{uint8(40 * (x % 6)), uint8(50 * (y % 5)), uint8(25 * (x % 3)), 255})
		}
	}
	return img
}

// Same fails unless two pictures are the same, but for so much in each colour.
func Same(t *testing.T, got, want image.Image, tolerance int) {
	t.Helper()
	if got.Bounds().Size() != want.Bounds().Size() {
		t.Fatalf("size %v, want %v", got.Bounds().Size(), want.Bounds().Size())
	}
	for y := range want.Bounds().Dy() {
		for x := range want.Bounds().Dx() {
			a := color.NRGBAModel.Convert(got.At(got.Bounds().Min.X+x, got.Bounds().Min.Y+y)).(color.NRGBA)
			b := color.NRGBAModel.Convert(want.At(x, y)).(color.NRGBA)
			for _, d := range []int{int(a.R) - int(b.R), int(a.G) - int(b.G), int(a.B) - int(b.B)} {
				if d > tolerance || -d > tolerance {
					t.Fatalf("pixel %d, %d is %v, want %v", x, y, a, b)
				}
			}
		}
	}
}

// ReadKitty puts the chunks of a picture together again.
func ReadKitty(t *testing.T, text string) image.Image {
	t.Helper()
	commands := regexp.MustCompile(`\x1b_G([^;]*);([^\x1b]*)\x1b\\`).FindAllStringSubmatch(text, -1)
	var data string
	for i, c := range commands {
		if want := fmt.Sprintf("m=%d", btoi(i+1 < len(commands))); !strings.HasSuffix(c[1], want) || len(c[2]) > 4096 {
			t.Fatalf("command %d of %d: keys %q, %d bytes", i, len(commands), c[1], len(c[2]))
		}
		if strings.Contains(c[1], "a=T,f=100") != (i == 0) {
			t.Fatalf("command %d has keys %q", i, c[1])
		}
		data += c[2]
	}
	file, err := base64.StdEncoding.DecodeString(data)
	if err != nil {
		t.Fatal(err)
	}
	img, err := png.Decode(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	return img
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// ReadBlocks is the picture that half blocks in true colours draw.
func ReadBlocks(t *testing.T, text string) image.Image {
	t.Helper()
	lines := strings.Split(strings.TrimSuffix(text, "\x1b[0m\n"), "\x1b[0m\n")
	cell := regexp.MustCompile(`\x1b\[38;2;(\d+);(\d+);(\d+)(?:;48;2;(\d+);(\d+);(\d+))?m▀`)
	var img *image.NRGBA
	for row, line := range lines {
		cells := cell.FindAllStringSubmatch(line, -1)
		if rest := cell.ReplaceAllString(line, ""); rest != "" {
			t.Fatalf("line %d holds %q besides", row, rest)
		}
		if img == nil {
			height := 2 * len(lines)
			if strings.Count(lines[len(lines)-1], ";48;") == 0 {
				height--
			}
			img = image.NewNRGBA(image.Rect(0, 0, len(cells), height))
		}
		for x, c := range cells {
			for half := range 2 {
				var v [3]uint8
				for i := range v {
					fmt.Sscan(c[1+3*half+i], &v[i])
				}
				if 2*row+half < img.Rect.Dy() {
					img.SetNRGBA(x, 2*row+half, color.NRGBA{v[0], v[1], v[2], 255})
				}
			}
		}
	}
	return img
}
