package dataset

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"sync"

	"github.com/unitscope/unitscope/dataset/internal/whiten"
	"github.com/unitscope/unitscope/engine"
)

// patches is a set of square patches of pictures, cut and whitened while they
// are read.
type patches struct {
	info     Info
	pictures []picture
	labels   []int // of the pictures, nil if there are none
	size     int   // pixels along a side
	border   int   // pixels along the borders of a picture that no patch touches
	count    int
	seed     uint64
	scale    float32     // of a patch less its mean; 1 with zca, which has its own
	zca      *whiten.ZCA // or nil
	scratch  sync.Pool   // of *[]float32

	whitening whitening
}

// The sample that scale, whitening and range are taken from: patches of the
// same pictures that belong to no example, and the same for every seed, so that
// data sets of one specification are in one unit.
const (
	sampleSize   = 20000
	rangeSample  = 2000 // of these, for the range, which needs them sorted
	sampleStep   = 1    // of the random numbers; examples have step 0
	samplePerAdd = 500  // summed at a time
)

// tail is the share of the components that may lie below, and above, the range
// of natural patches, see [Info].
const tail = 0.005

// Bounds of a patch's side. Whitening takes time and memory that grow with the
// fourth power of it.
const (
	smallestPatch = 2
	largestPatch  = 64
	largestZCA    = 32
)

// patchSize is the value of the option size.
func (s spec) patchSize() (int, error) {
	if s.options["size"] == wholeSize {
		return 0, specErrorf("size=whole is for images:DIR; mat:FILE reads whole pictures of arrays")
	}
	n, err := strconv.Atoi(s.options["size"])
	if err != nil {
		return 0, specErrorf("size=%s: want a whole number", s.options["size"])
	}
	if n < smallestPatch || n > largestPatch {
		return 0, specErrorf("size=%d: want %d to %d pixels", n, smallestPatch, largestPatch)
	}
	return n, nil
}

// newPatches reads the options size, n and whiten that every kind of patches has.
func newPatches(s spec, seed uint64) (*patches, error) {
	size, err := s.patchSize()
	if err != nil {
		return nil, err
	}
	count, err := s.count()
	if err != nil {
		return nil, err
	}
	w, err := s.whitening()
	if err != nil {
		return nil, err
	}
	return &patches{
		info:      Info{Name: s.String(), Shape: []int{size, size}},
		size:      size,
		count:     count,
		seed:      seed,
		scale:     1,
		whitening: w,
	}, nil
}

// usualPatches is the usual value of the option n.
const usualPatches = "100000"

// prepare measures the pictures: the scale that brings components to variance 1,
// or the transform that whitens them too, and their range. Where numbers stay what
// they are, the range is that of the pictures.
func (p *patches) prepare() error {
	if p.whitening.method == untouched {
		p.info.Low, p.info.High = p.span()
		return nil
	}
	if err := p.normalize(); err != nil {
		return err
	}
	seen := make([]float32, rangeSample*p.size*p.size)
	if err := p.readSample(seen, 0); err != nil {
		return err
	}
	slices.Sort(seen)
	beyond := int(tail * float64(len(seen)))
	p.info.Low, p.info.High = seen[beyond], seen[len(seen)-1-beyond]
	return nil
}

func (p *patches) normalize() (err error) {
	if p.whitening.method != byZCA {
		return p.findScale()
	}
	moments := whiten.NewMoments(p.size * p.size)
	if err := p.eachSample(moments.Add); err != nil {
		return err
	}
	if p.zca, err = whiten.NewZCA(moments, p.whitening.epsilon); err != nil {
		return fmt.Errorf("patches of the pictures: %w", err)
	}
	return nil
}

func (p *patches) findScale() error {
	energy := 0.0
	err := p.eachSample(func(examples []float32) {
		for _, v := range examples {
			energy += float64(v) * float64(v)
		}
	})
	if err != nil {
		return err
	}
	deviation := math.Sqrt(energy / float64(sampleSize*p.size*p.size))
	p.scale = float32(1 / deviation)
	// Twice the largest number is as far as a component can be from the mean.
	if top := 2 * p.largest() * float64(p.scale); !(deviation > 0) || !(top < math.MaxFloat32) {
		return fmt.Errorf("patches of the pictures have standard deviation %g: can't be brought to 1", deviation)
	}
	return nil
}

// eachSample hands out the sample, some patches at a time, in order.
func (p *patches) eachSample(use func(examples []float32)) error {
	batch := make([]float32, samplePerAdd*p.size*p.size)
	for from := 0; from < sampleSize; from += samplePerAdd {
		if err := p.readSample(batch, from); err != nil {
			return err
		}
		use(batch)
	}
	return nil
}

// largest is the largest absolute value of any pixel.
func (p *patches) largest() float64 {
	largest := 1.0
	for _, q := range p.pictures {
		for _, v := range q.floats {
			largest = max(largest, math.Abs(float64(v)))
		}
	}
	return largest
}

// span is the least and the largest number that pixels can have.
func (p *patches) span() (low, high float32) {
	if p.pictures[0].floats == nil {
		return 0, 1
	}
	low, high = p.pictures[0].floats[0], p.pictures[0].floats[0]
	for _, q := range p.pictures {
		low, high = min(low, slices.Min(q.floats)), max(high, slices.Max(q.floats))
	}
	return low, high
}

// readSample reads patches of the sample, from one on, as Read reads examples.
func (p *patches) readSample(dst []float32, from int) error {
	return p.read(dst, 0, sampleStep, func(i int) int { return from + i })
}

func (p *patches) Info() Info { return p.info.clone() }

func (p *patches) Len() int { return p.count }

func (p *patches) Read(dst []float32, indices []int) error {
	if err := checkRead(dst, indices, p.count, p.size*p.size); err != nil {
		return err
	}
	return p.read(dst, p.seed, 0, func(i int) int { return indices[i] })
}

func (p *patches) read(dst []float32, seed uint64, step uint32, index func(i int) int) error {
	size := p.size * p.size
	return inParallel(len(dst)/size, minShare, func(from, to int) error {
		for i := from; i < to; i++ {
			p.cut(dst[i*size:(i+1)*size], engine.NewSource(seed, engine.PurposePatch, step, uint64(index(i))))
		}
		if p.zca != nil {
			scratch, _ := p.scratch.Get().(*[]float32)
			if scratch == nil {
				scratch = new([]float32)
			}
			*scratch = p.zca.Apply(dst[from*size:to*size], *scratch)
			p.scratch.Put(scratch)
		}
		return nil
	})
}

// cut cuts one patch, every place of its picture being as likely. Unless its numbers
// stay what they are, its mean is taken out, which is brightness and says nothing of form.
func (p *patches) cut(dst []float32, source *engine.Source) {
	q := &p.pictures[p.pick(source)]
	row := p.border + source.IntN(q.rows-2*p.border-p.size+1)
	col := p.border + source.IntN(q.cols-2*p.border-p.size+1)
	q.copy(dst, row, col, p.size, p.size)
	if p.whitening.method == untouched {
		return
	}
	sum := 0.0
	for _, v := range dst {
		sum += float64(v)
	}
	mean := sum / float64(len(dst))
	for i, v := range dst {
		dst[i] = float32(float64(v)-mean) * p.scale
	}
}

// Label is the class of the picture that a patch is cut from.
func (p *patches) Label(index int) (int, bool) {
	if p.labels == nil || index < 0 || index >= p.count {
		return 0, false
	}
	return p.labels[p.pick(engine.NewSource(p.seed, engine.PurposePatch, 0, uint64(index)))], true
}

// pick is the picture that a patch is cut from: every one is as likely.
func (p *patches) pick(source *engine.Source) int { return source.IntN(len(p.pictures)) }

// Close does nothing: all is memory, which goes with the set.
func (p *patches) Close() error { return nil }

// picture is a picture that patches are cut from, row-major. Either floats or
// levels hold its pixels.
type picture struct {
	rows, cols int
	floats     []float32
	levels     []uint16 // 0 is black, 65535 white, which read as 0 and 1
}

// copy copies a part [rows, cols] of the picture, which begins at row and col.
func (q *picture) copy(dst []float32, row, col, rows, cols int) {
	for i := range rows {
		from := (row+i)*q.cols + col
		line := dst[i*cols : (i+1)*cols]
		if q.floats != nil {
			copy(line, q.floats[from:from+cols])
			continue
		}
		for j, v := range q.levels[from : from+cols] {
			line[j] = float32(v) / math.MaxUint16
		}
	}
}

// sizes says how many pictures there are, and how large.
func (p *patches) sizes() string {
	least, most := p.pictures[0], p.pictures[0]
	for _, q := range p.pictures {
		if q.rows*q.cols < least.rows*least.cols {
			least = q
		}
		if q.rows*q.cols > most.rows*most.cols {
			most = q
		}
	}
	text := fmt.Sprintf("%d pictures of %dx%d", len(p.pictures), least.rows, least.cols)
	if len(p.pictures) == 1 {
		text = fmt.Sprintf("a picture of %dx%d", least.rows, least.cols)
	}
	if least.rows != most.rows || least.cols != most.cols {
		text += fmt.Sprintf(" to %dx%d", most.rows, most.cols)
	}
	return text + " pixels"
}
