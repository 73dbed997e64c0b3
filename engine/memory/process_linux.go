package memory

import (
	"math"
	"os"
	"runtime/metrics"

	"golang.org/x/sys/unix"
)

func available() (bytes uint64, ok bool) { return here().available() }

func total() (bytes uint64, ok bool) { return here().total() }

// here is the situation of this process.
func here() situation {
	s := situation{files: os.DirFS("/"), page: uint64(os.Getpagesize()), address: resource(unix.RLIMIT_AS), data: resource(unix.RLIMIT_DATA)}
	s.idle, s.released = heap()
	return s
}

// resource is the soft limit of a resource in bytes, unlimited if there is none or
// the system does not say.
func resource(which int) uint64 {
	var limit unix.Rlimit
	if err := unix.Getrlimit(which, &limit); err != nil || limit.Cur == unix.RLIM_INFINITY {
		return unlimited
	}
	return limit.Cur
}

// heap is what the Go heap holds and does not use: memory that it keeps, and
// addresses whose memory it has given back to the system.
func heap() (idle, released uint64) {
	samples := []metrics.Sample{{Name: "/memory/classes/heap/free:bytes"}, {Name: "/memory/classes/heap/released:bytes"}}
	metrics.Read(samples)
	for i, into := range []*uint64{&idle, &released} {
		if samples[i].Value.Kind() == metrics.KindUint64 {
			*into = samples[i].Value.Uint64()
		}
	}
	return idle, released
}

const unlimited = math.MaxUint64
