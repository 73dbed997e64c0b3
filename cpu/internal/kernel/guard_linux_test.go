package kernel

import (
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// TestGuardPages puts every array against a page that can't be touched, before
// its first and behind its last element: reading or writing a byte outside ends
// the test with a fault.
func TestGuardPages(t *testing.T) {
	each(t, func(t *testing.T, s *Set) {
		r := generator(t)
		for _, n := range []int{0, 1, 7, 8, 9, 16, 17, 31, 33, 64, 65} {
			for _, atEnd := range []bool{true, false} {
				memory := &pages{t: t}
				checkAll(t, s, r, func(n int) []float32 { return memory.array(n, atEnd) }, n)
				memory.close()
			}
		}
	})
}

type pages struct {
	t    *testing.T
	maps [][]byte
}

// array is n elements with a guard page right behind them or right before.
func (p *pages) array(n int, atEnd bool) []float32 {
	page := unix.Getpagesize()
	size := (4*n + page - 1) / page * page
	m, err := unix.Mmap(-1, 0, size+2*page, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil {
		p.t.Fatal(err)
	}
	p.maps = append(p.maps, m)
	for _, guard := range [][]byte{m[:page], m[page+size:]} {
		if err := unix.Mprotect(guard, unix.PROT_NONE); err != nil {
			p.t.Fatal(err)
		}
	}
	from := page
	if atEnd {
		from = page + size - 4*n
	}
	return unsafe.Slice((*float32)(unsafe.Pointer(&m[page : page+size+1][from-page])), n)
}

func (p *pages) close() {
	for _, m := range p.maps {
		if err := unix.Munmap(m); err != nil {
			p.t.Fatal(err)
		}
	}
}
