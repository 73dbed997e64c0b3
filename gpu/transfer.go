//go:build cuda

package gpu

import (
	"fmt"
	"unsafe"

	"gorgonia.org/cu"

	"github.com/unitscope/unitscope/gpu/internal/driver"
)

// What goes to the card passes through a ring of page-locked memory, which is cut
// into segments: while the card copies out of one, the next is filled. Behind
// the ring is memory of the card of the same size, where small operands lie that
// the card needs for one operation: keys of random numbers, indices of rows.
//
// Large copies have a stream of their own, so that they travel while the card
// computes: from the ring into the card's memory behind it, which no operation
// reads yet. The stream of operations waits for that, in its turn, and then copies
// on to where the numbers belong, at the speed of the card's memory. So an
// operation before a write never sees what it writes, one after it always does, and
// nobody has to remember which matrix waits for what. A segment is filled again
// when the operations that read it, and with them the copies they waited for, are
// done.
//
// Small copies are made by the stream of operations itself. Recording an event,
// waiting for it and copying on are three more calls of some microseconds together,
// and the bus moves overlapBytes in about ten.
const (
	segments     = 4
	segmentBytes = 2 << 20
	alignment    = 256       // of what is put into the ring
	overlapBytes = 256 << 10 // from here on copies have their own stream
)

// ring is the way to the card, and the memory of the way back.
type ring struct {
	host   []byte       // [segments*segmentBytes]
	card   cu.DevicePtr // as many bytes
	passed [segments]cu.Event
	used   [segments]bool // whether passed has been recorded
	now    int            // the segment that is being filled
	filled int            // and how many of its bytes are in use

	stream  cu.Stream // of large copies to the card
	arrived cu.Event  // recorded behind the latest of them

	back     []byte      // [2*segmentBytes]
	returned [2]cu.Event // recorded when a half of back has been filled
}

// openRing is done by the worker.
func openRing() (r *ring, err error) {
	r = &ring{}
	if r.host, err = driver.AllocHost(segments * segmentBytes); err != nil {
		return r, err
	}
	if r.back, err = driver.AllocHost(len(r.returned) * segmentBytes); err != nil {
		return r, err
	}
	if r.card, err = cu.MemAlloc(segments * segmentBytes); err != nil {
		return r, driver.Failed("cuMemAlloc", err)
	}
	if r.stream, err = cu.MakeStream(cu.NonBlocking); err != nil {
		return r, driver.Failed("cuStreamCreate", err)
	}
	for _, e := range r.events() {
		if *e, err = cu.MakeEvent(cu.DisableTiming); err != nil {
			return r, driver.Failed("cuEventCreate", err)
		}
	}
	return r, nil
}

func (r *ring) events() []*cu.Event {
	all := []*cu.Event{&r.arrived}
	for i := range r.passed {
		all = append(all, &r.passed[i])
	}
	for i := range r.returned {
		all = append(all, &r.returned[i])
	}
	return all
}

// close is done by the worker, when the card has nothing left to do. It closes
// what openRing has made, even if that was not all.
func (r *ring) close() (first error) {
	keep := func(err error) {
		if first == nil {
			first = err
		}
	}
	if r.stream != (cu.Stream{}) {
		// After an error nothing else has waited for these copies.
		keep(driver.Failed("cuStreamSynchronize", r.stream.Synchronize()))
		keep(driver.Failed("cuStreamDestroy", r.stream.Destroy()))
	}
	for _, e := range r.events() {
		if *e != (cu.Event{}) {
			keep(driver.Failed("cuEventDestroy", cu.DestroyEvent(e)))
		}
	}
	if r.card != 0 {
		keep(driver.Failed("cuMemFree", cu.MemFree(r.card)))
	}
	for _, memory := range [][]byte{r.host, r.back} {
		if memory != nil {
			keep(driver.FreeHost(memory))
		}
	}
	return first
}

// place returns room for at most segmentBytes in the ring, and where behind it
// they come to lie on the card.
func (d *device) place(bytes int) (host []byte, card cu.DevicePtr) {
	r := d.ring
	if r.filled+bytes > segmentBytes {
		left := r.now
		d.worker.post(&label{operation: "transfer"}, func() error {
			return driver.Failed("cuEventRecord", r.passed[left].Record(d.stream))
		})
		r.used[left] = true
		r.now, r.filled = (r.now+1)%segments, 0
		if r.used[r.now] {
			// An error is kept: it is that of an operation before.
			d.worker.wait(func() error {
				return d.worker.blame(driver.Failed("cuEventSynchronize", r.passed[r.now].Synchronize()))
			})
		}
	}
	at := r.now*segmentBytes + r.filled
	r.filled += (bytes + alignment - 1) / alignment * alignment
	return r.host[at : at+bytes], r.card + cu.DevicePtr(at)
}

// send copies from the host to the card. src may change afterwards.
func (d *device) send(card cu.DevicePtr, src []byte, what *label) {
	for len(src) > 0 {
		n := min(len(src), segmentBytes)
		host, behind := d.place(n)
		copy(host, src[:n])
		if n < overlapBytes {
			d.copyIn(card, host, what)
		} else {
			d.copyAhead(behind, host, what)
			d.copyOn(card, behind, n, what)
		}
		card, src = card+cu.DevicePtr(n), src[n:]
	}
}

// copyIn copies from the ring to the card, in the order of operations.
func (d *device) copyIn(card cu.DevicePtr, host []byte, what *label) {
	d.worker.post(what, func() error { return copyFromHost(card, host, d.stream) })
}

// copyAhead copies from the ring to behind it, whatever the card does meanwhile;
// operations that are asked for later wait for it.
func (d *device) copyAhead(behind cu.DevicePtr, host []byte, what *label) {
	d.worker.post(what, func() error {
		if err := copyFromHost(behind, host, d.ring.stream); err != nil {
			return err
		}
		if err := d.ring.arrived.Record(d.ring.stream); err != nil {
			return driver.Failed("cuEventRecord", err)
		}
		// What is waited for is the record just made, whatever becomes of the event.
		return driver.Failed("cuStreamWaitEvent", d.stream.Wait(d.ring.arrived, 0))
	})
}

func copyFromHost(card cu.DevicePtr, host []byte, stream cu.Stream) error {
	return driver.Failed("cuMemcpyHtoDAsync", cu.MemcpyHtoDAsync(card, unsafe.Pointer(unsafe.SliceData(host)), int64(len(host)), stream))
}

// copyOn copies within the card, in the order of operations.
func (d *device) copyOn(to, from cu.DevicePtr, bytes int, what *label) {
	d.worker.post(what, func() error {
		return driver.Failed("cuMemcpyDtoDAsync", cu.MemcpyDtoDAsync(to, from, int64(bytes), d.stream))
	})
}

// lend puts an operand on the card for the next launch alone. done is to be
// called when that has been handed over.
func (d *device) lend(src []byte, what *label) (at cu.DevicePtr, done func() error, err error) {
	if len(src) == 0 {
		return 0, func() error { return nil }, nil
	}
	if len(src) <= segmentBytes {
		host, behind := d.place(len(src))
		copy(host, src)
		if len(src) < overlapBytes {
			d.copyIn(behind, host, what)
		} else {
			d.copyAhead(behind, host, what)
		}
		return behind, func() error { return nil }, nil
	}
	p, err := d.memory.get(int64(len(src)))
	if err != nil {
		return 0, nil, fmt.Errorf("%s: %w", what, err)
	}
	d.send(p.at, src, what)
	return p.at, func() error { return d.memory.put(p) }, nil
}

// receive copies from the card to the host, once all that was asked for before
// is done; it is done by the worker. While the card copies into one half of the
// memory for it, the other half is emptied.
func (d *device) receive(dst []byte, card cu.DevicePtr) error {
	r, w := d.ring, d.worker
	half := func(i int) []byte {
		from := i * segmentBytes
		return r.back[i%2*segmentBytes:][:min(segmentBytes, len(dst)-from)]
	}
	ask := func(i int) error {
		h := half(i)
		err := driver.Failed("cuMemcpyDtoHAsync", cu.MemcpyDtoHAsync(unsafe.Pointer(unsafe.SliceData(h)), card+cu.DevicePtr(i*segmentBytes), int64(len(h)), d.stream))
		if err != nil {
			return err
		}
		return driver.Failed("cuEventRecord", r.returned[i%2].Record(d.stream))
	}
	count := (len(dst) + segmentBytes - 1) / segmentBytes
	for i := range count {
		if i == 0 {
			if err := ask(0); err != nil {
				return w.blame(err)
			}
		}
		if i+1 < count {
			if err := ask(i + 1); err != nil {
				return w.blame(err)
			}
		}
		if err := w.blame(driver.Failed("cuEventSynchronize", r.returned[i%2].Synchronize())); err != nil {
			return err
		}
		copy(dst[i*segmentBytes:], half(i))
	}
	return w.failed
}

// bytesOf is the memory of a slice.
func bytesOf[T float32 | uint64 | int32](s []T) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(s))), uintptr(len(s))*unsafe.Sizeof(*new(T)))
}
