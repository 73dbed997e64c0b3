package memory

import (
	"os"
	"runtime"
	"runtime/metrics"

	"golang.org/x/sys/unix"
)

func available() limit { return here().available() }

func total() limit { return here().total() }

func mapped() uint64 {
	bytes, _, _ := heap()
	return bytes
}

// here is the situation of this process.
func here() situation {
	s := situation{files: os.DirFS("/"), page: uint64(os.Getpagesize()), threads: runtime.GOMAXPROCS(0) + spareThreads, thread: threadAddresses}
	s.address, s.data = resource(unix.RLIMIT_AS), resource(unix.RLIMIT_DATA)
	s.mapped, s.idle, s.released = heap()
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

// heap is what Go holds: all of it, without what it has given back to the system;
// memory that its heap keeps and does not use; and addresses whose memory it has
// given back.
func heap() (mapped, idle, released uint64) {
	samples := []metrics.Sample{{Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/free:bytes"}, {Name: "/memory/classes/heap/released:bytes"}}
	metrics.Read(samples)
	for i, into := range []*uint64{&mapped, &idle, &released} {
		if samples[i].Value.Kind() == metrics.KindUint64 {
			*into = samples[i].Value.Uint64()
		}
	}
	return minus(mapped, released), idle, released
}
