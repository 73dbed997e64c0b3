//go:build !amd64 || noasm

package kernel

// Variants lists the variants that this machine runs, the fastest first.
func Variants() []*Set { return []*Set{Generic} }
