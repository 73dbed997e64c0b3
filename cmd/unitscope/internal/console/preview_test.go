package console

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"os"
	"strings"
	"testing"

	"github.com/mattn/go-sixel"

	"github.com/unitscope/unitscope/cmd/unitscope/internal/console/consoletest"
)

func TestPictures(t *testing.T) {
	for _, size := range []image.Point{{1, 1}, {7, 5}, {40, 30}, {79, 46}} {
		img := consoletest.Picture(size.X, size.Y)
		for _, kind := range []pictureKind{kittyPicture, sixelPicture, blocksPicture} {
			t.Run(fmt.Sprintf("%s %v", kind, size), func(t *testing.T) {
				var out bytes.Buffer
				s := screen{out: &out, kind: kind, columns: 80, rows: 25, cell: image.Pt(8, 16), trueColor: true}
				if err := s.show(img); err != nil {
					t.Fatal(err)
				}
				switch kind {
				case kittyPicture:
					consoletest.Same(t, consoletest.ReadKitty(t, out.String()), img, 0)
				case blocksPicture:
					consoletest.Same(t, consoletest.ReadBlocks(t, out.String()), img, 0)
				case sixelPicture:
					var got image.Image
					if err := sixel.NewDecoder(&out).Decode(&got); err != nil {
						t.Fatal(err)
					}
					// Sixels give colours in per cent.
					consoletest.Same(t, got, img, 3)
				}
			})
		}
	}
}

// A picture larger than the terminal is shrunk, with its sides in proportion.
func TestPictureFits(t *testing.T) {
	large := consoletest.Picture(1000, 500)
	for _, c := range []struct {
		kind pictureKind
		want image.Point
	}{{sixelPicture, image.Pt(320, 160)}, {blocksPicture, image.Pt(32, 16)}, {kittyPicture, image.Pt(320, 160)}} {
		var out bytes.Buffer
		s := screen{out: &out, kind: c.kind, columns: 40, rows: 10, cell: image.Pt(8, 20), trueColor: true}
		if err := s.show(large); err != nil {
			t.Fatal(err)
		}
		var got image.Image
		switch c.kind {
		case kittyPicture:
			got = consoletest.ReadKitty(t, out.String())
		case blocksPicture:
			got = consoletest.ReadBlocks(t, out.String())
		default:
			if err := sixel.NewDecoder(&out).Decode(&got); err != nil {
				t.Fatal(err)
			}
		}
		if got.Bounds().Size() != c.want {
			t.Errorf("%s: %v, want %v", c.kind, got.Bounds().Size(), c.want)
		}
	}
	s := screen{kind: sixelPicture, columns: 200, rows: 60, cell: image.Pt(8, 20), most: image.Pt(1000, 1000)}
	if width, height := s.room(); width != 1000 || height != 1000 {
		t.Errorf("a terminal that cuts sixels off at 1000 pixels has room for %dx%d", width, height)
	}
	if got := shrink(consoletest.Picture(1000, 1), 10, 10).Bounds().Size(); got != image.Pt(10, 1) {
		t.Errorf("a line of 1000 pixels becomes %v", got)
	}
}

func TestXtermColor(t *testing.T) {
	for _, c := range []struct {
		color color.NRGBA
		want  int
	}{
		{color.NRGBA{0, 0, 0, 255}, 16}, {color.NRGBA{255, 255, 255, 255}, 231}, {color.NRGBA{8, 8, 8, 255}, 232},
		{color.NRGBA{128, 128, 128, 255}, 244}, {color.NRGBA{238, 238, 238, 255}, 255}, {color.NRGBA{255, 0, 0, 255}, 196},
		{color.NRGBA{95, 135, 175, 255}, 67}, {color.NRGBA{0, 0, 255, 255}, 21},
	} {
		if got := xtermColor(c.color); got != c.want {
			t.Errorf("%v: %d, want %d", c.color, got, c.want)
		}
	}
	var out bytes.Buffer
	if err := writeBlocks(&out, image.NewGray(image.Rect(0, 0, 1, 2)), false); err != nil || out.String() != "\x1b[38;5;16;48;5;16m▀\x1b[0m\n" {
		t.Errorf("%q, %v", &out, err)
	}
}

func TestChoosePicture(t *testing.T) {
	for _, c := range []struct {
		name, environment string
		sixels            bool
		want              pictureKind
		trueColor         bool
		fails             string
	}{
		{"kitty", "TERM=xterm-kitty KITTY_WINDOW_ID=1 COLORTERM=truecolor", false, kittyPicture, true, ""},
		{"ghostty", "TERM=xterm-ghostty", false, kittyPicture, false, ""},
		{"WezTerm", "TERM=xterm-256color TERM_PROGRAM=WezTerm", true, kittyPicture, false, ""},
		{"tmux in kitty", "TERM=tmux-256color KITTY_WINDOW_ID=1 TMUX=/tmp/x", false, blocksPicture, false, ""},
		{"tmux with sixels", "TERM=tmux-256color TMUX=/tmp/x", true, sixelPicture, false, ""},
		{"iTerm2", "TERM=xterm-256color TERM_PROGRAM=iTerm.app", false, sixelPicture, false, ""},
		{"foot", "TERM=foot", true, sixelPicture, false, ""},
		{"GNOME", "TERM=xterm-256color COLORTERM=truecolor", false, blocksPicture, true, ""},
		{"Terminal.app", "TERM=xterm-256color TERM_PROGRAM=Apple_Terminal", false, blocksPicture, false, ""},
		{"Windows Terminal", "WT_SESSION=1", false, blocksPicture, true, ""},
		{"the console", "TERM=linux", false, "", false, "neither pictures nor 256 colours"},
		{"dumb", "TERM=dumb COLORTERM=truecolor", false, "", false, `"dumb"`},
		{"none", "", true, "", false, `""`},
		{"forced", "TERM=dumb UNITSCOPE_PREVIEW=sixel", false, sixelPicture, false, ""},
		{"mistyped", "TERM=xterm-kitty UNITSCOPE_PREVIEW=png", false, "", false, "want kitty, sixel or blocks"},
	} {
		environment := map[string]string{}
		for _, pair := range strings.Fields(c.environment) {
			name, value, _ := strings.Cut(pair, "=")
			environment[name] = value
		}
		kind, trueColor, err := choosePicture(func(name string) string { return environment[name] }, func() bool { return c.sixels })
		if kind != c.want || trueColor != c.trueColor && err == nil || (err == nil) != (c.fails == "") || err != nil && !strings.Contains(err.Error(), c.fails) {
			t.Errorf("%s: %s, true colour %v, error %v", c.name, kind, trueColor, err)
		}
	}
}

// No pictures for what is no terminal.
func TestNoScreen(t *testing.T) {
	file, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if _, err := openScreen(file, file, os.Getenv); err == nil {
		t.Error("a file is taken for a screen")
	}
	if _, err := openScreen(&bytes.Buffer{}, &bytes.Buffer{}, os.Getenv); err == nil {
		t.Error("a buffer is taken for a screen")
	}
}

// A picture of many bytes goes in several commands.
func TestKittyChunks(t *testing.T) {
	img := image.NewNRGBA(image.Rect(0, 0, 100, 100))
	for i := range img.Pix {
		img.Pix[i] = uint8(i * i * i >> 7)
		if i%4 == 3 {
			img.Pix[i] = 255
		}
	}
	var out bytes.Buffer
	if err := writeKitty(&out, img); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(out.String(), "\x1b_G"); n < 3 {
		t.Errorf("%d commands", n)
	}
	consoletest.Same(t, consoletest.ReadKitty(t, out.String()), img, 0)
}
