package elastic

import "math"

// Picture is a grey picture, row by row, sampled every pixel of the result's
// size divided by Density, with Margin such samples added on all sides.
type Picture struct {
	Rows, Cols int
	Data       []float32 // [Rows, Cols]
	Density    int       // samples per pixel
	Margin     int       // samples
}

// Grid is the pixels of the pictures to make, with the spline's weights at
// each. It is safe for concurrent use.
type Grid struct {
	rows, cols   int
	y            []knot         // [rows]
	x            [][4]float32   // [cols]
	first        [cells + 1]int // first column of each cell
	unitX, unitY float32        // one pixel of a 28x28 picture
}

// knot is where a pixel lies: the first of its four coefficients, and their
// weights.
type knot struct {
	first   int
	weights [4]float32
}

// New returns the grid of pictures of this size, at least 2x2.
func New(rows, cols int) *Grid {
	g := &Grid{rows: rows, cols: cols, unitY: float32(rows) / 28, unitX: float32(cols) / 28}
	for y := range rows {
		g.y = append(g.y, knotAt(y, rows))
	}
	for x := range cols {
		k := knotAt(x, cols)
		g.x = append(g.x, k.weights)
		for c := k.first + 1; c <= cells; c++ {
			g.first[c] = x + 1
		}
	}
	return g
}

// knotAt is the cubic B-spline at the middle of pixel i of n.
func knotAt(i, n int) knot {
	u := (float64(i) + 0.5) * cells / float64(n)
	cell := math.Floor(u)
	t := u - cell
	return knot{int(cell), [4]float32{
		float32((1 - t) * (1 - t) * (1 - t) / 6),
		float32((3*t*t*t - 6*t*t + 4) / 6),
		float32((-3*t*t*t + 3*t*t + 3*t + 1) / 6),
		float32(t * t * t / 6),
	}}
}

// Apply writes to dst [rows, cols] the picture p deformed by w, interpolated
// linearly. What lies outside of p is its nearest pixel.
func (g *Grid) Apply(dst []float32, w *Warp, p *Picture) {
	var lineX, lineY [points]float32
	for y := range g.y {
		k := &g.y[y]
		combine(&lineX, &w.x, k)
		combine(&lineY, &w.y, k)
		for c := range cells {
			from, to := g.first[c], g.first[c+1]
			p.sample(dst[y*g.cols+from:y*g.cols+to], g.x[from:to], [4]float32(lineX[c:]), [4]float32(lineY[c:]))
		}
	}
}

// combine is the spline's coefficients along x at one y.
func combine(line *[points]float32, w *[points][points]float32, k *knot) {
	a, b, c, d := &w[k.first], &w[k.first+1], &w[k.first+2], &w[k.first+3]
	for i := range line {
		line[i] = k.weights[0]*a[i] + k.weights[1]*b[i] + k.weights[2]*c[i] + k.weights[3]*d[i]
	}
}

// sample makes the pixels of one row within one cell.
func (p *Picture) sample(dst []float32, weights [][4]float32, kx, ky [4]float32) {
	density, margin := float32(p.Density), float32(p.Margin)
	offset := margin + (density-1)/2
	// The last sample is left out by a hair, so that each place has a neighbour
	// to the right and below.
	const hair = 1 - 1.0/(1<<23)
	lastX, lastY := float32(p.Cols-1)*hair, float32(p.Rows-1)*hair
	cols := p.Cols
	dst = dst[:len(weights)]
	for i := range weights {
		w := &weights[i]
		x := w[0]*kx[0] + w[1]*kx[1] + w[2]*kx[2] + w[3]*kx[3]
		y := w[0]*ky[0] + w[1]*ky[1] + w[2]*ky[2] + w[3]*ky[3]
		x, y = density*x+offset, density*y+offset
		if x < 0 {
			x = 0
		}
		if x > lastX {
			x = lastX
		}
		if y < 0 {
			y = 0
		}
		if y > lastY {
			y = lastY
		}
		column, row := int(x), int(y)
		fx, fy := x-float32(column), y-float32(row)
		at := row*cols + column
		top := p.Data[at : at+2 : at+2]
		bottom := p.Data[at+cols : at+cols+2 : at+cols+2]
		left := top[0] + fy*(bottom[0]-top[0])
		right := top[1] + fy*(bottom[1]-top[1])
		dst[i] = left + fx*(right-left)
	}
}
