//go:build linux && cgo

package memory

// threadAddresses is what a thread takes of addresses where C may be part of the
// program: a stack of 8 MiB, and 64 MiB that glibc keeps for it to allocate from.
const threadAddresses = 72 << 20
