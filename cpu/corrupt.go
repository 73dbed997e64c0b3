package cpu

import "github.com/unitscope/unitscope/engine"

func (d *device) Corrupt(dst, x engine.Matrix, c engine.Corruption, at engine.Stream) error {
	mdst, mx, err := d.random("corrupt", dst, x, at)
	if err != nil {
		return err
	}
	if err := c.Check(); err != nil {
		return err
	}
	t := rowTask{compute: corruptRow, dst: mdst, x: mx, corruption: c, at: at}
	if c.Kind == engine.CorruptionGaussian {
		t.compute, t.alpha = gaussianRow, c.Level
		d.byRows(t, costNormal)
		return nil
	}
	d.byRows(t, 2*costRandom)
	return nil
}

// corruptRow replaces a subset of row i: the columns with the smallest words,
// without their lowest bits, which are the coins.
func corruptRow(d *device, w *worker, t *rowTask, i int) {
	dst, x, c := t.dst.row(i), t.x.row(i), &t.corruption
	words := grow(&w.words, len(x))
	d.set.Words(words, drawn(t.at, i))
	limit, ties := d.set.Smallest(words, c.Picked(len(x)))
	for j, word := range words {
		draw := word >> 1
		picked := draw < limit
		if draw == limit && ties > 0 {
			picked = true
			ties--
		}
		switch {
		case !picked:
			dst[j] = x[j]
		case c.Kind == engine.CorruptionMask:
			dst[j] = 0
		case word&1 == 1:
			dst[j] = c.High
		default:
			dst[j] = c.Low
		}
	}
}
