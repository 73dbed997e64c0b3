package cpu

import "github.com/unitscope/unitscope/cpu/internal/kernel"

// strips is the kernel's first factor [lines, terms]: strip i holds lines
// i*width.. as [terms][width]. Lines are rows of a batch, or hidden units.
type strips struct {
	lines, terms, width int
	data                []float32
}

func (s *strips) count() int { return (s.lines + s.width - 1) / s.width }

// strip is terms from..to-1 of strip i.
func (s *strips) strip(i, from, to int) []float32 {
	return s.data[(i*s.terms+from)*s.width : (i*s.terms+to)*s.width]
}

// panels is the kernel's second factor [terms, cols]: panel j holds columns
// j*lanes.. as [terms][width]. A last panel of few columns is half as wide.
type panels struct {
	terms, cols, lanes int
	data               []float32
}

func (p *panels) count() int { return (p.cols + p.lanes - 1) / p.lanes }

func (p *panels) width(j int) int {
	if p.cols-j*p.lanes <= p.lanes/2 {
		return p.lanes / 2
	}
	return p.lanes
}

// panel is terms from..to-1 of panel j.
func (p *panels) panel(j, from, to int) []float32 {
	width := p.width(j)
	return p.data[j*p.lanes*p.terms+from*width : j*p.lanes*p.terms+to*width]
}

// end is the column after the last of panel j.
func (p *panels) end(j int) int { return min((j+1)*p.lanes, p.cols) }

// scatter puts a row-major row [cols] into term i.
func (p *panels) scatter(i int, row []float32) {
	for j := range p.count() {
		copy(p.panel(j, i, i+1), row[j*p.lanes:p.end(j)])
	}
}

// gather is the opposite of scatter.
func (p *panels) gather(row []float32, i int) {
	for j := range p.count() {
		copy(row[j*p.lanes:p.end(j)], p.panel(j, i, i+1))
	}
}

// weights is W [hidden, visible], packed for the products in both directions,
// and its velocity, in the same order as down.
type weights struct {
	up       panels // W' [visible, hidden]: hidden units from visible ones
	down     panels // W [hidden, visible]: visible units from hidden ones
	velocity panels
}

// pack packs rows from..to-1 of row-major weights and velocity. They begin and
// end a panel of up.
func (p *weights) pack(set *kernel.Set, w, velocity []float32, from, to int) {
	visible := p.down.cols
	for i := from; i < to; i++ {
		p.down.scatter(i, w[i*visible:(i+1)*visible])
		p.velocity.scatter(i, velocity[i*visible:(i+1)*visible])
	}
	p.transpose(set, from, to, 0, visible, w[from*visible:], visible)
}

// unpack writes the same rows back.
func (p *weights) unpack(w, velocity []float32, from, to int) {
	visible := p.down.cols
	for i := from; i < to; i++ {
		p.down.gather(w[i*visible:(i+1)*visible], i)
		p.velocity.gather(velocity[i*visible:(i+1)*visible], i)
	}
}

// transpose packs up from rows from..to-1 and columns left..right-1 of w, which
// begins there and has so many numbers from row to row.
func (p *weights) transpose(set *kernel.Set, from, to, left, right int, w []float32, stride int) {
	for first := from; first < to; first += p.up.lanes {
		i := first / p.up.lanes
		set.Transpose(p.up.panel(i, left, right), p.up.width(i), w[(first-from)*stride:], stride, p.up.end(i)-first, right-left)
	}
}

// copyFew is copy for a few numbers at a time, for which a call takes longer
// than the copying.
func copyFew(dst, src []float32) {
	for ; len(src) >= 4 && len(dst) >= 4; dst, src = dst[4:], src[4:] {
		*(*[4]float32)(dst) = *(*[4]float32)(src)
	}
	for ; len(src) > 0 && len(dst) > 0; dst, src = dst[1:], src[1:] {
		dst[0] = src[0]
	}
}
