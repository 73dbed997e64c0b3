//go:build !linux

package memory

func available() limit { return limit{bytes: unlimited} }

func total() limit { return limit{bytes: unlimited} }

func mapped() uint64 { return 0 }
