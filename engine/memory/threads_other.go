//go:build linux && !cgo

package memory

// threadAddresses is what a thread takes of addresses beside Go's heap.
const threadAddresses = 0
