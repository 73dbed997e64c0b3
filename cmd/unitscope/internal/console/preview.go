package console

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"os"
	"strings"

	"github.com/mattn/go-sixel"
	"github.com/urfave/cli/v2"
	xdraw "golang.org/x/image/draw"
	"golang.org/x/term"

	"github.com/unitscope/unitscope/cmd/unitscope/internal/usage"
)

// PreviewVariable chooses how --preview draws.
const PreviewVariable = "UNITSCOPE_PREVIEW"

// pictureKind is a way to draw in a terminal.
type pictureKind string

const (
	kittyPicture  pictureKind = "kitty"  // the kitty graphics protocol: the PNG itself
	sixelPicture  pictureKind = "sixel"  // DEC's sixels: up to 256 colours, pixel by pixel
	blocksPicture pictureKind = "blocks" // two pixels to a character, by the colours of ▀
)

// screen is a terminal to show pictures on.
type screen struct {
	out           io.Writer
	kind          pictureKind
	columns, rows int         // characters
	cell          image.Point // pixels of a character
	most          image.Point // pixels of a picture that is not cut off; 0 for as many as there is room for
	trueColor     bool        // else the 256 colours of xterm
}

// usualCell is the size of a character where a terminal does not tell.
var usualCell = image.Pt(8, 16)

// openScreen finds out how standard error can show pictures. Where it can't, the
// error says why: pictures are for people, so both outputs must be a terminal.
func openScreen(stdout, stderr io.Writer, getenv func(string) string) (*screen, error) {
	out, to := fileOf(stderr), fileOf(stdout)
	if out == nil || to == nil || !term.IsTerminal(int(out.Fd())) || !term.IsTerminal(int(to.Fd())) {
		return nil, fmt.Errorf("the output is not a terminal")
	}
	s := &screen{out: out, cell: usualCell}
	var err error
	if s.columns, s.rows, err = term.GetSize(int(out.Fd())); err != nil || s.columns < 1 || s.rows < 1 {
		s.columns, s.rows = 80, 24
	}
	var interrupted error
	s.kind, s.trueColor, err = choosePicture(getenv, func() (knows bool) {
		knows, interrupted = knowsSixels()
		return knows
	})
	if err = cmp.Or(interrupted, err); err != nil {
		return nil, err
	}
	return s, s.measure()
}

// measure asks how many pixels a picture may have, where it is drawn in pixels.
func (s *screen) measure() error {
	if s.kind == blocksPicture {
		return nil
	}
	width, height, err := cellSize()
	if err != nil {
		return err
	}
	if width > 0 {
		s.cell = image.Pt(width, height)
	}
	if s.kind == sixelPicture {
		s.most.X, s.most.Y, err = largestSixels()
	}
	return err
}

// room is how many pixels of a picture can be seen at once.
func (s *screen) room() (width, height int) {
	rows := max(1, s.rows-2)
	if s.kind == blocksPicture {
		return s.columns, 2 * rows
	}
	width, height = s.columns*s.cell.X, rows*s.cell.Y
	if s.most.X > 0 && s.most.Y > 0 {
		width, height = min(width, s.most.X), min(height, s.most.Y)
	}
	return width, height
}

// choosePicture chooses by the environment how to draw, and asks the terminal only
// what that leaves open: whether it knows sixels.
func choosePicture(getenv func(string) string, knowsSixels func() bool) (kind pictureKind, trueColor bool, err error) {
	terminal, program := getenv("TERM"), getenv("TERM_PROGRAM")
	// Windows Terminal sets no other variable than this.
	windows := getenv("WT_SESSION") != ""
	trueColor = windows || getenv("COLORTERM") == "truecolor" || getenv("COLORTERM") == "24bit"
	switch kind := pictureKind(getenv(PreviewVariable)); kind {
	case "":
	case kittyPicture, sixelPicture, blocksPicture:
		return kind, trueColor, nil
	default:
		return "", false, usage.Mistakef("%s=%s: want %s, %s or %s", PreviewVariable, kind, kittyPicture, sixelPicture, blocksPicture)
	}
	// Inside of a multiplexer the variables are those of the terminal around it,
	// which does not get to see pictures.
	inside := getenv("TMUX") != "" || strings.HasPrefix(terminal, "screen") || strings.HasPrefix(terminal, "tmux")
	switch {
	case terminal == "" && !windows || terminal == "dumb":
		return "", false, fmt.Errorf("a terminal of type %q shows no pictures", terminal)
	case !inside && (getenv("KITTY_WINDOW_ID") != "" || terminal == "xterm-kitty" || terminal == "xterm-ghostty" || program == "ghostty" || program == "WezTerm"):
		return kittyPicture, trueColor, nil
	case !inside && program == "iTerm.app" || knowsSixels():
		return sixelPicture, trueColor, nil
	case trueColor || strings.Contains(terminal, "256color") || strings.Contains(terminal, "direct"):
		return blocksPicture, trueColor || strings.Contains(terminal, "direct"), nil
	}
	return "", false, fmt.Errorf("a terminal of type %q shows neither pictures nor 256 colours; %s=%s tries it nevertheless", terminal, PreviewVariable, blocksPicture)
}

// show draws a picture at the cursor, smaller where it does not fit.
func (s *screen) show(img image.Image) error {
	w := bufio.NewWriter(s.out)
	width, height := s.room()
	fitting := shrink(img, width, height)
	var err error
	switch s.kind {
	case kittyPicture:
		err = writeKitty(w, fitting)
	case sixelPicture:
		if err = sixel.NewEncoder(w).Encode(fitting); err == nil {
			_, err = w.WriteString("\n")
		}
	default:
		err = writeBlocks(w, fitting, s.trueColor)
	}
	if err != nil {
		return err
	}
	return w.Flush()
}

// shrink makes a picture fit into width x height pixels, and leaves it as it is if
// it does.
func shrink(img image.Image, width, height int) image.Image {
	size := img.Bounds().Size()
	scale := min(1, float64(width)/float64(size.X), float64(height)/float64(size.Y))
	if scale == 1 {
		return img
	}
	small := image.NewRGBA(image.Rect(0, 0, max(1, int(scale*float64(size.X))), max(1, int(scale*float64(size.Y)))))
	xdraw.CatmullRom.Scale(small, small.Bounds(), img, img.Bounds(), xdraw.Src, nil)
	return small
}

// kittyChunk is how much base64 one command of the kitty protocol may carry.
const kittyChunk = 4096

// writeKitty sends a picture as PNG, in chunks.
func writeKitty(w io.Writer, img image.Image) error {
	var file bytes.Buffer
	if err := png.Encode(&file, img); err != nil {
		return err
	}
	// a=T: send and show, f=100: a PNG file, q=2: no answer, which nobody would read.
	keys := "a=T,f=100,q=2,"
	text := base64.StdEncoding.EncodeToString(file.Bytes())
	for len(text) > 0 {
		chunk := text[:min(kittyChunk, len(text))]
		text = text[len(chunk):]
		more := 0
		if len(text) > 0 {
			more = 1
		}
		if _, err := fmt.Fprintf(w, "\x1b_G%sm=%d;%s\x1b\\", keys, more, chunk); err != nil {
			return err
		}
		keys = ""
	}
	_, err := io.WriteString(w, "\n")
	return err
}

// writeBlocks draws two rows of pixels to a line of text: the upper one in the
// colour of ▀, the lower one in the colour behind it.
func writeBlocks(w io.Writer, img image.Image, trueColor bool) error {
	paint := func(layer int, c color.Color) string {
		p := color.NRGBAModel.Convert(c).(color.NRGBA)
		if trueColor {
			return fmt.Sprintf("%d;2;%d;%d;%d", layer, p.R, p.G, p.B)
		}
		return fmt.Sprintf("%d;5;%d", layer, xtermColor(p))
	}
	b := img.Bounds()
	for y := b.Min.Y; y < b.Max.Y; y += 2 {
		for x := b.Min.X; x < b.Max.X; x++ {
			codes := paint(38, img.At(x, y))
			if y+1 < b.Max.Y {
				codes += ";" + paint(48, img.At(x, y+1))
			}
			if _, err := fmt.Fprintf(w, "\x1b[%sm▀", codes); err != nil {
				return err
			}
		}
		if _, err := io.WriteString(w, "\x1b[0m\n"); err != nil {
			return err
		}
	}
	return nil
}

// xtermColor is the nearest of xterm's 256 colours that does not depend on a theme:
// the 24 greys from 232, or the cube of 6x6x6 from 16.
func xtermColor(c color.NRGBA) int {
	r, g, b := int(c.R), int(c.G), int(c.B)
	if max(r, g, b)-min(r, g, b) < 8 {
		switch grey := (r + g + b) / 3; {
		case grey < 4:
			return 16
		case grey > 246:
			return 231
		default:
			// The greys are 8, 18, ..., 238.
			return 232 + min(23, max(0, (grey-3)/10))
		}
	}
	// The cube's steps are 0, 95, 135, 175, 215, 255.
	step := func(v int) int {
		if v < 48 {
			return 0
		}
		return max(1, (v-35)/40)
	}
	return 16 + 36*step(r) + 6*step(g) + step(b)
}

// Preview shows a picture that was written, if --preview asks for it. A terminal
// that can't is no failure: the file is there.
func (c *Console) Preview(path string) {
	if c.screen == nil {
		return
	}
	f, err := os.Open(path)
	if err == nil {
		defer f.Close()
		var img image.Image
		if img, err = png.Decode(f); err == nil {
			err = c.screen.show(img)
		}
	}
	if err != nil {
		c.Say("--preview: %s", usage.OneLine(err))
	}
}

// findScreen prepares the console for --preview, before the work, so that nobody
// waits for a picture that can't be shown.
func (c *Console) findScreen(ctx *cli.Context) (err error) {
	if !ctx.Bool("preview") {
		return nil
	}
	c.screen, err = openScreen(ctx.App.Writer, ctx.App.ErrWriter, os.Getenv)
	if err == nil && c.log != nil {
		c.screen, err = nil, fmt.Errorf("--log json leaves no room for them")
	}
	if err != nil && !usage.IsMistake(err) && !errors.Is(err, context.Canceled) {
		c.Say("--preview: no pictures here: %s", usage.OneLine(err))
		return nil
	}
	return err
}
