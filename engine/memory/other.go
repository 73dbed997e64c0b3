//go:build !linux

package memory

func available() (bytes uint64, ok bool) { return 0, false }

func total() (bytes uint64, ok bool) { return 0, false }
