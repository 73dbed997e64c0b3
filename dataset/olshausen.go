package dataset

import (
	"fmt"
	"os"
	"slices"

	"github.com/unitscope/unitscope/dataset/internal/array"
	"github.com/unitscope/unitscope/dataset/internal/matlab"
)

// whitenedBorder is how far patches keep off the borders of pictures that were
// whitened by a Fourier transform, which wraps around there, as Olshausen and
// Field's own program does.
const whitenedBorder = 4

// openPatches opens whitened pictures in a MATLAB file, such as Olshausen and
// Field's IMAGES.mat.
func openPatches(s spec, seed uint64) (Set, error) {
	p, err := newPatches(s, seed)
	if err != nil {
		return nil, err
	}
	p.border = whitenedBorder
	p.info.Files = []string{s.path}
	err = withFile(s.path, func(f *os.File, size int64) error {
		if err := p.readMATLAB(f, size, s.options["x"]); err != nil {
			return err
		}
		return p.prepare()
	})
	if err != nil {
		return nil, err
	}
	return p, nil
}

// readMATLAB reads the pictures of one array [rows, cols] or [rows, cols,
// pictures]. Without a name it is the one array with pictures that have room for a
// patch and the borders it keeps off, and must not look like a matrix of examples.
func (p *patches) readMATLAB(f *os.File, size int64, given string) error {
	file, err := matlab.Open(f, size)
	if err != nil {
		return err
	}
	side := p.size + 2*p.border
	name := given
	if name == "" {
		name, err = file.Only(func(a matlab.Listed) bool { return arePictures(a.Dims) && a.Dims[0] >= side && a.Dims[1] >= side })
		if err != nil {
			return fmt.Errorf("pictures of at least %dx%d pixels: %w", side, side, err)
		}
	}
	dims, err := file.Dims(name)
	switch {
	case err != nil:
		return err
	case !arePictures(dims):
		return fmt.Errorf("array %.40q has dimensions %v, want [rows, cols] or [rows, cols, pictures], one at least", name, dims)
	case dims[0] < side || dims[1] < side:
		return fmt.Errorf("array %.40q has pictures of %dx%d pixels, too small: want at least %dx%d, a patch and the borders it keeps off", name, dims[0], dims[1], side, side)
	}
	if doubt := doubtPictures(file, name, dims); doubt != "" {
		if given == "" {
			return specErrorf("array %.40q of dimensions %v %s: read it with mat:FILE, or say x=%s to cut patches of it", name, dims, doubt, name)
		}
		p.info.Warnings = append(p.info.Warnings, fmt.Sprintf("array %.40q of dimensions %v %s, which mat:FILE reads; patches are cut of it", name, dims, doubt))
	}
	a, err := file.Read(name)
	if err != nil {
		return err
	}
	if p.pictures, err = cutPictures(a); err != nil {
		return fmt.Errorf("array %.40q: %w", name, err)
	}
	p.info.Stored = fmt.Sprintf("%s in array %.40q, %s", p.sizes(), name, a.Type)
	if p.whitening.method == untouched {
		return p.greyLevels(a)
	}
	return nil
}

// greyLevels divides the unsigned bytes of pictures by 255 and leaves other numbers
// what they are.
func (p *patches) greyLevels(a *array.Array) error {
	low, high := p.span()
	scale, err := usualScale(a, low, high)
	if err != nil {
		return fmt.Errorf("%s from %g to %g, and what that is out of can't be told: save pictures for whiten=none as numbers from 0 to 1", a.Type, low, high)
	}
	for _, q := range p.pictures {
		for i := range q.floats {
			q.floats[i] /= float32(scale)
		}
	}
	p.info.Stored = fmt.Sprintf("%s, %s", p.sizes(), stored(a.Type, low, high, scale))
	return nil
}

// longestPicture is how many times longer than wide pictures may be: panoramas are,
// and matrices of examples are longer still.
const longestPicture = 4

// doubtPictures says why an array looks like examples rather than pictures to cut
// patches of, "" if it doesn't.
func doubtPictures(file *matlab.File, name string, dims []int) string {
	if max(dims[0], dims[1]) > longestPicture*min(dims[0], dims[1]) {
		return "looks like a matrix of examples"
	}
	for _, a := range file.Arrays() {
		if a.Name == name || areExamples(a.Dims) {
			continue
		}
		n := slices.Max(a.Dims)
		if len(dims) == 2 && slices.Contains(dims, n) || len(dims) == 3 && n == dims[2] && n > max(dims[0], dims[1]) {
			return fmt.Sprintf("looks like examples, of which %.40q (%d numbers) are the labels", a.Name, n)
		}
	}
	return ""
}

func arePictures(dims []int) bool {
	return len(dims) == 2 || len(dims) == 3 && dims[2] > 0
}

// cutPictures turns MATLAB's order, columns one after the other, into rows.
func cutPictures(a *array.Array) ([]picture, error) {
	rows, cols, count := a.Shape[0], a.Shape[1], 1
	if len(a.Shape) == 3 {
		count = a.Shape[2]
	}
	pictures := make([]picture, count)
	for k := range pictures {
		floats := make([]float32, rows*cols)
		for i := range floats {
			row, col := i/cols, i%cols
			from := (k*cols+col)*rows + row
			if a.Bytes != nil {
				floats[i] = float32(a.Bytes[from])
				continue
			}
			v := a.Floats[from]
			if v-v != 0 {
				return nil, fmt.Errorf("picture %d holds %g at row %d and column %d, counted from 0: want finite numbers", k, v, row, col)
			}
			floats[i] = v
		}
		pictures[k] = picture{rows: rows, cols: cols, floats: floats}
	}
	return pictures, nil
}
