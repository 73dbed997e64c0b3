package dataset

import (
	"fmt"
	"os"

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
		if p.pictures, err = readMATLAB(f, size, s.options["x"], p.size+2*p.border); err != nil {
			return err
		}
		return p.prepare(0)
	})
	if err != nil {
		return nil, err
	}
	return p, nil
}

// readMATLAB reads the pictures of one array [rows, cols] or [rows, cols,
// pictures]. Without a name it is the one array with pictures of at least side
// pixels both ways.
func readMATLAB(f *os.File, size int64, name string, side int) ([]picture, error) {
	file, err := matlab.Open(f, size)
	if err != nil {
		return nil, err
	}
	if name == "" {
		name, err = file.Only(func(dims []int) bool { return arePictures(dims) && dims[0] >= side && dims[1] >= side })
		if err != nil {
			return nil, fmt.Errorf("pictures of at least %dx%d pixels: %w", side, side, err)
		}
	}
	a, err := file.Read(name)
	if err != nil {
		return nil, err
	}
	if !arePictures(a.Shape) {
		return nil, fmt.Errorf("array %.40q has dimensions %v, want [rows, cols] or [rows, cols, pictures], one at least", name, a.Shape)
	}
	if a.Shape[0] < side || a.Shape[1] < side {
		return nil, fmt.Errorf("array %.40q has pictures of %dx%d pixels, too small: want at least %dx%d, a patch and the borders it keeps off", name, a.Shape[0], a.Shape[1], side, side)
	}
	pictures, err := cutPictures(a)
	if err != nil {
		return nil, fmt.Errorf("array %.40q: %w", name, err)
	}
	return pictures, nil
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
